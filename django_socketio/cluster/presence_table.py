"""Which users are there, over all processes, and who says so: a table without I/O.

Every process keeps this table. What it holds of a user is made of two parts, each with one writer:

- The *holders* are the processes that have sockets of the user. Each process alone says of itself
  whether it is one, and its messages arrive in order.
- The *version* says what was announced of the user: it is odd while the user is online. Only the
  user's *owner* announces, and of two versions the higher one holds. Versions grow with the time of
  day, so that one which was forgotten is not given again.

The owner is found by rendezvous hashing over the processes that may be owners: a new one
becomes the owner of some users, and one that is gone leaves its users to the others; no other user
changes owners. docs/presence.md says why nothing is announced twice.

Times are arguments, in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from ..addressing.rooms import UserRoom

# Seconds for which the version of a user is remembered who was said to be offline.
REMEMBERED = 60.0
# Seconds after which the owner is told again of what it should have announced.
REMINDER = 1.0
# Stands for a time in a Fact: the process that tells it has a socket of the user.
HELD = -1.0


class Fact(NamedTuple):
    """What one process tells another of a user.

    ``gone`` is :data:`HELD` if it has a socket of the user, else for how many seconds it has known
    of none anywhere.
    """

    user: UserRoom
    version: int
    gone: float


class Announcement(NamedTuple):
    """A user is online, if ``version`` is odd, or offline."""

    user: UserRoom
    version: int

    @property
    def online(self) -> bool:
        return self.version % 2 == 1


class Entry:
    """What is known of a user. ``gone`` is since when there is no holder."""

    __slots__ = ("gone", "holders", "version")

    def __init__(self, now: float) -> None:
        self.holders: tuple[str, ...] = ()
        self.version = 0
        self.gone = now


class PresenceTable:
    """See the module's docstring.

    ``node`` is this process. ``grace`` is for how long a user may be away, ``patience`` for how
    long this process announces nothing after it could not hear the others.
    """

    def __init__(self, node: str, grace: float, patience: float) -> None:
        self.node = node
        # The processes that may be owners.
        self.owners: set[str] = set()
        self._grace = grace
        self._patience = patience
        self._entries: dict[UserRoom, Entry] = {}
        # Users of whom something is to be announced, by whomever, and from when on.
        self._pending: dict[UserRoom, float] = {}
        # The same as a heap, which may also have what is no more pending.
        self._due: list[tuple[float, int, UserRoom]] = []
        self._numbers = count()
        # Users whose announcement was left to another owner; those of them that it has not made.
        self._left: set[UserRoom] = set()
        self._late: dict[str, list[UserRoom]] = {}
        # Users without a holder of whom nothing is to be announced.
        self._over: dict[UserRoom, None] = {}
        # Processes that are gone, unless it was this one that did not hear them.
        self._unheard: set[str] = set()
        self._steady = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    # What is learnt

    def add_owner(self, node: str) -> None:
        """Note that a process may be the owner of users."""
        self.owners.add(node)

    def depart(self, node: str) -> None:
        """Note that a process is gone. Its sockets count until :meth:`announce` is sure of it."""
        self.owners.discard(node)
        self._unheard.add(node)

    def doubt(self, now: float) -> None:
        """Announce nothing for a while: this process has not heard the others."""
        self._steady = now + self._patience

    def change(self, node: str, user: UserRoom, here: bool, now: float) -> None:
        """Note that a process has its first socket of a user, or has lost the last one."""
        entry = self._entries.get(user)
        if entry is None:
            if not here:
                return
            entry = self._entries[user] = Entry(now)
        if here == (node in entry.holders):
            return
        if here:
            entry.holders = (*entry.holders, node)
        else:
            entry.holders = tuple(holder for holder in entry.holders if holder != node)
            if not entry.holders:
                entry.gone = now
        self._settle(user, entry, now)

    def forget_holder(self, node: str, now: float) -> None:
        """Note that a process has no socket of anybody, or will say anew of whom it has."""
        self._unheard.discard(node)
        held = [user for user, entry in self._entries.items() if node in entry.holders]
        for user in held:
            self.change(node, user, False, now)

    def tell(self, node: str, facts: Iterable[Fact], now: float) -> list[Announcement]:
        """Take what another process knows. Returns what has been announced and it has missed."""
        missed = []
        for user, version, gone in facts:
            entry = self._entries.get(user)
            if entry is None:
                entry = self._entries[user] = Entry(now if gone == HELD else now - max(gone, 0.0))
            if entry.version > version:
                missed.append(Announcement(user, entry.version))
            entry.version = max(entry.version, version)
            if gone == HELD and node not in entry.holders:
                entry.holders = (*entry.holders, node)
            self._settle(user, entry, now)
        return missed

    def hear(self, user: UserRoom, version: int, now: float) -> None:
        """Take what the owner of a user has announced."""
        entry = self._entries.get(user)
        if entry is None:
            entry = self._entries[user] = Entry(now)
        entry.version = max(entry.version, version)
        self._settle(user, entry, now)

    # What is known

    def holds(self, user: UserRoom) -> bool:
        """Return whether this process is known to have a socket of a user."""
        entry = self._entries.get(user)
        return entry is not None and self.node in entry.holders

    def untold(self, node: str) -> list[UserRoom]:
        """Return the users of whom ``node`` may hear from nobody but this process.

        Those that this process holds, and those that no owner holds but the one that asks: a
        process that is no owner yet may not know their versions.
        """
        others = self.owners - {node}
        return [
            user
            for user, entry in self._entries.items()
            if self.node in entry.holders or others.isdisjoint(entry.holders)
        ]

    def facts(self, users: Iterable[UserRoom], now: float) -> Iterator[Fact]:
        """Yield what this process knows of users."""
        for user in users:
            entry = self._entries.get(user)
            if entry is None:
                continue
            if self.node in entry.holders:
                yield Fact(user, entry.version, HELD)
            else:
                gone = 0.0 if entry.holders else max(now - entry.gone, 0.0)
                yield Fact(user, entry.version, gone)

    def owner(self, user: UserRoom) -> str | None:
        """Return the process that announces what becomes of a user; None if none may yet."""
        name = f"{len(user.model)}:{user.model}{user.pk}".encode("utf-8", "surrogatepass")
        return max(self.owners, key=lambda node: _score(node, name), default=None)

    # What is announced

    def announce(self, now: float, today: float, hearing: bool = True) -> list[Announcement]:
        """Return what this process has to announce now.

        ``today`` is the time of day, in seconds since 1970. ``hearing`` says whether it can hear
        the others. If it cannot, and for a while after that, nothing is announced.
        """
        self._forget(now)
        if not hearing:
            self.doubt(now)
        if now < self._steady:
            return []
        for node in list(self._unheard):
            self.forget_holder(node, now)
        announced = []
        while self._due and self._due[0][0] <= now:
            due, _, user = heappop(self._due)
            if self._pending.get(user) != due:
                continue  # something has changed since
            owner, entry = self.owner(user), self._entries[user]
            if owner == self.node:
                entry.version = _next_version(entry.version, today)
                self._settle(user, entry, now)
                announced.append(Announcement(user, entry.version))
            else:
                self._look_again(user, owner, now)
        return announced

    def remind(self, now: float) -> dict[str, list[Fact]]:
        """Return what other owners should have announced by now, for each of them."""
        late, self._late = self._late, {}
        return {owner: list(self.facts(users, now)) for owner, users in late.items()}

    # Inside

    def _look_again(self, user: UserRoom, owner: str | None, now: float) -> None:
        """Leave an announcement to the owner, and look after a while whether it has been made."""
        self._pend(user, now + REMINDER)
        if user not in self._left:
            self._left.add(user)
        elif owner is not None:
            self._late.setdefault(owner, []).append(user)

    def _pend(self, user: UserRoom, due: float) -> None:
        self._pending[user] = due
        heappush(self._due, (due, next(self._numbers), user))

    def _settle(self, user: UserRoom, entry: Entry, now: float) -> None:
        """Note whether something is to be announced of a user, after a change."""
        here, online = bool(entry.holders), entry.version % 2 == 1
        self._over.pop(user, None)
        if here == online:
            self._left.discard(user)
            self._pending.pop(user, None)
            if not here:
                self._over[user] = None
        elif user not in self._pending:
            self._pend(user, now if here else entry.gone + self._grace)

    def _forget(self, now: float) -> None:
        """Forget users who have been offline for long. The first ones are the oldest, roughly."""
        while self._over:
            user = next(iter(self._over))
            if now - self._entries[user].gone < self._grace + REMEMBERED:
                return
            del self._over[user], self._entries[user]


def _next_version(version: int, today: float) -> int:
    """Return a higher version of the other kind, odd or even: from the time, if that is higher."""
    return max(version + 1, 2 * int(today * 1000) + (version + 1) % 2)


def _score(node: str, name: bytes) -> bytes:
    return blake2b(name, digest_size=8, key=node.encode()).digest()
