"""The counters of this process. Everything that the server counts is counted here.

Counting takes O(1) and no lock. Only the thread of the event loop that serves changes a counter; a
reader in another thread sees each number as it was a moment ago. A session counts its own packets
and bytes: they are added to :data:`traffic` when it ends, and :meth:`Traffic.with_sessions` adds
those of the sessions that still live.

This module imports nothing of the package, so that every room of it may count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from copy import copy
from typing import Literal, Protocol, TypedDict

# Keys of one tally at most, since projects make up reasons, and clients the names of namespaces.
MAX_KEYS = 200
MAX_KEY_LENGTH = 300
OTHER = "other"

TallyName = Literal[
    "connects",
    "disconnects",
    "requests_refused",
    "refusals",
    "events_refused",
    "handler_errors",
    "violations",
    "limits",
    "layer",
]


class GaugeCounts(TypedDict):
    """A :class:`Gauge` as plain values."""

    now: dict[str, int]
    peak: dict[str, int]
    total: int
    highest: int
    opened: int


class TimingCounts(TypedDict):
    """A :class:`Timing` as plain values; times in seconds."""

    count: int
    total: float
    longest: float
    errors: int
    buckets: list[int]


class WireCounts(TypedDict):
    """A :class:`Traffic` as plain values."""

    acks_in: int
    acks_out: int
    bytes_in: int
    bytes_out: int
    control_out: int
    packets_in: int
    packets_out: int
    upgrades: int
    volatile_dropped: int


class CountedSession(Protocol):
    """What an Engine.IO session counts for itself; see :class:`Traffic` for the units."""

    packets_in: int
    packets_out: int
    bytes_in: int

    @property
    def sent_bytes(self) -> int: ...


class Tally(Counter[str]):
    """Counts by what happened."""

    def add(self, key: str, number: int = 1) -> None:
        """Count ``number`` under ``key``, or under "other" when there are too many keys."""
        # As text, for JSON may not take a member of an enum; cut, for it may be a client's.
        key = str(key)[:MAX_KEY_LENGTH]
        if key not in self and len(self) >= MAX_KEYS:
            key = OTHER
        self[key] += number


class Gauge:
    """How many there are now, and how many there were at most, by key and in all.

    A new key is counted as "other" when there are too many keys.
    """

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.peak: dict[str, int] = {}
        self.total = 0
        self.highest = 0
        # How many have ever entered.
        self.opened = 0

    def enter(self, key: str) -> str:
        """Count one more. Returns the key under which it is counted, for :meth:`leave`."""
        if key not in self.peak and len(self.peak) >= MAX_KEYS:
            key = OTHER
        self.now[key] += 1
        self.total += 1
        self.opened += 1
        if self.now[key] > self.peak.get(key, 0):
            self.peak[key] = self.now[key]
        if self.total > self.highest:
            self.highest = self.total
        return key

    def move(self, key: str, to: str) -> str:
        """Count one under another key from now on. Returns that key."""
        self.opened -= 1
        self.leave(key)
        return self.enter(to)

    def leave(self, key: str) -> None:
        """Count one less."""
        self.total -= 1
        self.now[key] -= 1
        if not self.now[key]:
            del self.now[key]

    def as_dict(self) -> GaugeCounts:
        """Return all numbers as plain values."""
        return {
            "now": dict(self.now),
            "peak": dict(self.peak),
            "total": self.total,
            "highest": self.highest,
            "opened": self.opened,
        }


class Timing:
    """How long the handlers of one event took: a sum, the longest and a coarse histogram."""

    # Upper bounds of the histogram's buckets in seconds; a last one holds the rest.
    BOUNDS = (0.001, 0.01, 0.1, 1.0, 10.0)

    __slots__ = ("errors", "fast", "longest", "slow", "total")

    def __init__(self) -> None:
        # Handlers within the first bound, as most are: one addition counts them, without a search.
        self.fast = 0
        self.slow = [0] * len(self.BOUNDS)
        self.total = 0.0
        self.longest = 0.0
        self.errors = 0

    def add(self, seconds: float) -> None:
        """Count a handler that took ``seconds``."""
        self.total += seconds
        if seconds < self.BOUNDS[0]:
            self.fast += 1
        else:
            self.add_slow(seconds)
        self.longest = max(self.longest, seconds)

    def add_slow(self, seconds: float) -> None:
        """Count a handler that took ``seconds``, which are more than the first bound."""
        self.slow[bisect_left(self.BOUNDS, seconds) - 1] += 1

    @property
    def count(self) -> int:
        """How many calls of the handler have ended."""
        return self.fast + sum(self.slow)

    def as_dict(self) -> TimingCounts:
        """Return all numbers as plain values."""
        return {
            "count": self.count,
            "total": self.total,
            "longest": self.longest,
            "errors": self.errors,
            "buckets": [self.fast, *self.slow],
        }


class Traffic:
    """Packets, bytes and acknowledgements of the sessions that have ended."""

    __slots__ = (
        "acks_in",
        "acks_out",
        "bytes_in",
        "bytes_out",
        "control_out",
        "packets_in",
        "packets_out",
        "upgrades",
        "volatile_dropped",
    )

    def __init__(self) -> None:
        # Engine.IO packets in, Socket.IO packets out. Sizes: characters of text, bytes of binary.
        self.packets_in = 0
        self.packets_out = 0
        self.bytes_in = 0
        self.bytes_out = 0
        # Of packets_out, those that answer a client about a namespace; the rest are events and
        # acknowledgements. Events that came in are counted by the timings.
        self.control_out = 0
        self.acks_in = 0
        self.acks_out = 0
        self.upgrades = 0
        # Volatile events that a client could not take at once.
        self.volatile_dropped = 0

    def fold(self, session: CountedSession) -> None:
        """Add what a session has counted; it has ended."""
        self.packets_in += session.packets_in
        self.packets_out += session.packets_out
        self.bytes_in += session.bytes_in
        self.bytes_out += session.sent_bytes

    def with_sessions(self, sessions: Iterable[CountedSession]) -> Traffic:
        """Return the sum of this and of ``sessions``, which live. O(sessions)."""
        total = copy(self)
        for session in sessions:
            total.fold(session)
        return total

    def as_dict(self) -> WireCounts:
        """Return all numbers as plain values."""
        return {
            "acks_in": self.acks_in,
            "acks_out": self.acks_out,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "control_out": self.control_out,
            "packets_in": self.packets_in,
            "packets_out": self.packets_out,
            "upgrades": self.upgrades,
            "volatile_dropped": self.volatile_dropped,
        }


class Lag:
    """How late the event loop is, in seconds: last, and longest since it was last taken."""

    __slots__ = ("highest", "last", "recent")

    def __init__(self) -> None:
        self.last = 0.0
        self.recent = 0.0
        self.highest = 0.0

    def add(self, seconds: float) -> None:
        """Note one measurement."""
        self.last = seconds
        self.recent = max(self.recent, seconds)
        self.highest = max(self.highest, seconds)

    def take(self) -> float:
        """Return the longest since the last call."""
        recent, self.recent = self.recent, 0.0
        return recent


# Sessions by transport, sockets by namespace.
sessions = Gauge()
sockets = Gauge()
traffic = Traffic()
lag = Lag()
# Sockets that entered a namespace, by it; sockets that left, by reason.
connects = Tally()
disconnects = Tally()
# Requests that were refused, by why.
requests_refused = Tally()
# Breaches of the protocol, by kind, and limits of SOCKETIO that were hit.
violations = Tally()
limits = Tally()
# Clients that were not admitted to a namespace.
refusals = Tally()
# Events without a handler, with arguments that do not fit, or refused by the project.
events_refused = Tally()
# Exceptions in handlers, by what was handled.
handler_errors = Tally()
# What went over the channel layer: sent, received, lost, dropped, failed, full, malformed, …
layer = Tally()

TALLIES: dict[TallyName, Tally] = {
    "connects": connects,
    "disconnects": disconnects,
    "requests_refused": requests_refused,
    "refusals": refusals,
    "events_refused": events_refused,
    "handler_errors": handler_errors,
    "violations": violations,
    "limits": limits,
    "layer": layer,
}
