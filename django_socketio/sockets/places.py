"""Places for sessions that have joined no namespace yet: so many in all, and from one address.

The books alone, without I/O: times are passed in, as seconds of any monotonic clock. Each operation
takes O(1), and what is remembered of addresses is bounded.

When all places are taken, the oldest session of the address that has most of them gives up its own.
A client joins within two round trips, and even a flood leaves it more time than that; to refuse the
new client instead would let whoever is first lock everybody out. A session whose ``connect()`` runs
keeps its place as long as its address has no more than its share: a server that is merely busy
would else throw away the work that it has begun, and its clients would come again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S")

# Addresses without a session that are remembered; with more at a time the oldest is forgotten.
MAX_ADDRESSES = 10_000
# Rates are counted in windows of so many seconds.
WINDOW = 1.0

TOO_MANY = "too many sessions without a namespace"
TOO_MANY_OF_ADDRESS = "too many sessions without a namespace from one address"
TOO_FAST = "too many handshakes from one address"


class Crowded(Exception):
    """There is no place for a session. ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Bounds(NamedTuple):
    """Places in all and for one address; handshakes and refusals of one address in a second."""

    places: int
    places_of_address: int
    handshakes: int
    refusals: int


class Window:
    """Counts what happens within a second."""

    __slots__ = ("count", "start")

    def __init__(self, now: float) -> None:
        self.start = now
        self.count = 0

    def admits(self, now: float, most: int) -> bool:
        """Count one more. Returns False if there are more than ``most``."""
        if now - self.start >= WINDOW:
            self.start, self.count = now, 0
        self.count += 1
        return self.count <= most


class Address(Generic[S]):
    """What is known of an address, "" for all clients that have none.

    ``places`` counts its places, empty ones too. Of its sessions ``silent`` are in no namespace,
    and ``entering`` are those whose ``connect()`` runs, each with the oldest first. ``seen`` is
    when it last asked for something.
    """

    __slots__ = ("entering", "handshakes", "name", "places", "refusals", "seen", "silent")

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.seen = now
        self.places = 0
        self.silent: OrderedDict[Place[S], S] = OrderedDict()
        self.entering: OrderedDict[Place[S], S] = OrderedDict()
        self.handshakes = Window(now)
        self.refusals = Window(now)

    @property
    def sessions(self) -> int:
        """How many sessions it has."""
        return len(self.silent) + len(self.entering)


class Place(Generic[S]):
    """A session's place, from its handshake until it has joined a namespace or is over.

    It is reserved before the middleware runs, and is empty until there is a session. ``deadline``
    is when the session must have joined a namespace.
    """

    __slots__ = ("_address", "_left", "_places", "_row", "deadline")

    def __init__(self, places: Places[S], address: Address[S]) -> None:
        self.deadline = inf
        self._places = places
        self._address = address
        self._row: OrderedDict[Place[S], S] | None = None
        self._left = False

    def take(self, session: S, deadline: float) -> None:
        """Put a session in."""
        self.deadline = deadline
        address = self._address
        self._row = address.silent
        self._row[self] = session
        self._places.ranking.rank(address, address.sessions - 1)

    def enter(self) -> None:
        """Note that the session is about to join a namespace."""
        self._move_to(self._address.entering)

    def wait(self) -> None:
        """Note that the session is in no namespace, and about to join none."""
        self._move_to(self._address.silent)

    def _move_to(self, row: OrderedDict[Place[S], S]) -> None:
        if self._row is not None and self._row is not row:
            row[self] = self._row.pop(self)
            self._row = row

    def leave(self) -> None:
        """Give the place back. Safe to call twice."""
        if self._left:
            return
        self._left = True
        address = self._address
        if self._row is not None:
            del self._row[self]
            self._row = None
            self._places.ranking.rank(address, address.sessions + 1)
        self._places.give_back(address)

    def leave_if_empty(self) -> None:
        """Give the place back unless a session has taken it."""
        if self._row is None:
            self.leave()


class Ranking(Generic[S]):
    """Addresses by how many sessions they have."""

    def __init__(self) -> None:
        self._by_number: dict[int, OrderedDict[Address[S], None]] = {}
        self._most = 0

    def rank(self, address: Address[S], before: int) -> None:
        """Rank an address that had one session more or less ``before``."""
        number = address.sessions
        if before:
            old = self._by_number[before]
            del old[address]
            if not old:
                del self._by_number[before]
        if number:
            self._by_number.setdefault(number, OrderedDict())[address] = None
        if number > self._most or (before == self._most and before not in self._by_number):
            self._most = number

    def first(self) -> Address[S] | None:
        """Return an address that has most, None if nobody has any."""
        return next(iter(self._by_number[self._most])) if self._most else None


class Places(Generic[S]):
    """See the module's docstring. ``send_away`` is called with the session that has to go.

    ``taken`` counts the places that are taken.
    """

    def __init__(self, bounds: Bounds, send_away: Callable[[S], None]) -> None:
        self._bounds = bounds
        self._send_away = send_away
        self.taken = 0
        self.ranking: Ranking[S] = Ranking()
        # Addresses by name: those that have places, and the others by when they were seen last.
        self._present: dict[str, Address[S]] = {}
        self._absent: OrderedDict[str, Address[S]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._present) + len(self._absent)

    def reserve(self, name: str, now: float) -> Place[S]:
        """Reserve a place for a handshake from an address. Raises Crowded if there is none."""
        bounds = self._bounds
        address = self._find(name, now)
        self._present[name] = address
        address.places += 1
        self.taken += 1
        try:
            if name and not address.handshakes.admits(now, bounds.handshakes):
                raise Crowded(TOO_FAST)
            if name and address.places > bounds.places_of_address and not self._dismiss(address):
                raise Crowded(TOO_MANY_OF_ADDRESS)
            if self.taken > bounds.places and not self._make_room_for(address):
                raise Crowded(TOO_MANY)
        except Crowded:
            self.give_back(address)
            raise
        return Place(self, address)

    def refused(self, name: str, now: float) -> bool:
        """Count a refused CONNECT. Returns False if its address has too many."""
        address = self._find(name, now)
        admitted = not name or address.refusals.admits(now, self._bounds.refusals)
        self._let_go(address)
        return admitted

    def give_back(self, address: Address[S]) -> None:
        """Note that an address has one place less."""
        self.taken -= 1
        address.places -= 1
        self._let_go(address)

    def _make_room_for(self, address: Address[S]) -> bool:
        """Send a session away. Returns False if each has as good a claim as the new one."""
        first = self.ranking.first()
        if first is None:
            return False
        if first.sessions == address.sessions:
            first = address
        return self._dismiss(first, entering=first.sessions > address.sessions + 1)

    def _dismiss(self, address: Address[S], entering: bool = False) -> bool:
        """Send away the oldest silent session of an address, or else the oldest ``entering`` one.

        Returns False if there is none.
        """
        sessions = address.silent or (address.entering if entering else None)
        if not sessions:
            return False
        place, session = next(iter(sessions.items()))
        place.leave()
        self._send_away(session)
        return True

    def _find(self, name: str, now: float) -> Address[S]:
        """Return an address, wherever it is kept; forget those that were not seen for a second."""
        while self._absent:
            oldest = next(iter(self._absent.values()))
            if now - oldest.seen < WINDOW:
                break
            del self._absent[oldest.name]
        address = self._present.get(name) or self._absent.pop(name, None) or Address(name, now)
        address.seen = now
        return address

    def _let_go(self, address: Address[S]) -> None:
        """Keep an address without places for a while, for the sake of its rates."""
        if address.places:
            return
        self._present.pop(address.name, None)
        self._absent[address.name] = address
        if len(self._absent) > MAX_ADDRESSES:
            self._absent.popitem(last=False)
