"""Counting: everything that the server counts is counted here, O(1) and without locks.

Counters are touched on the thread of the loop that serves; a reader in another thread sees each
number as it was a moment ago. What a session counts for itself (packets and bytes) is added to
:data:`traffic` when it ends; :mod:`django_socketio.server.report` adds up those that live.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..engineio import Session

# Keys of one tally; reasons that a project makes up must not grow without end.
MAX_KEYS = 200
OTHER = "other"


class Tally(Counter[str]):
    """Counts by what happened."""

    def add(self, key: str, number: int = 1) -> None:
        """Count; what is new when there are many keys already is counted as "other"."""
        if key not in self and len(self) >= MAX_KEYS:
            key = OTHER
        self[key] += number


class Gauge:
    """How many there are now and were at most, by key and in all. Keys are bounded."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.peak: dict[str, int] = {}
        self.total = 0
        self.highest = 0
        # All that ever came.
        self.opened = 0

    def enter(self, key: str) -> str:
        """One more; returns the key under which it is counted, for :meth:`leave`."""
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
        """One is counted under another key from now on, which is returned."""
        self.opened -= 1
        self.leave(key)
        return self.enter(to)

    def leave(self, key: str) -> None:
        """One less."""
        self.total -= 1
        self.now[key] -= 1
        if not self.now[key]:
            del self.now[key]

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
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
        # Most handlers end within the first bound, and are counted with one addition.
        self.fast = 0
        self.slow = [0] * len(self.BOUNDS)
        self.total = 0.0
        self.longest = 0.0
        self.errors = 0

    def add_slow(self, seconds: float) -> None:
        """Count one that took longer than the first bound."""
        self.slow[bisect_left(self.BOUNDS, seconds) - 1] += 1

    @property
    def count(self) -> int:
        """How many there were."""
        return self.fast + sum(self.slow)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, times in seconds."""
        return {
            "count": self.count,
            "total": self.total,
            "longest": self.longest,
            "errors": self.errors,
            "buckets": [self.fast, *self.slow],
        }


class Traffic:
    """What went over the wire, and what went through it; the sessions that live not included."""

    __slots__ = (
        "acks_in",
        "acks_out",
        "bytes_in",
        "bytes_out",
        "control_out",
        "packets_in",
        "packets_out",
        "upgrades",
    )

    def __init__(self) -> None:
        # Engine.IO packets in, Socket.IO packets out; sizes in characters of text, bytes of binary.
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

    def fold(self, session: Session) -> None:
        """A session has ended: keep what it counted."""
        self.packets_in += session.packets_in
        self.packets_out += session.packets_out
        self.bytes_in += session.bytes_in
        self.bytes_out += session.sent_bytes

    def with_sessions(self, sessions: Iterable[Session]) -> dict[str, int]:
        """All of it as plain values, the living sessions included."""
        total = Traffic()
        for session in sessions:
            total.fold(session)
        return {
            name: getattr(self, name) + getattr(total, name) for name in sorted(Traffic.__slots__)
        }


class Lag:
    """How late the event loop is, in seconds: last, and longest since it was last taken."""

    __slots__ = ("highest", "last", "recent")

    def __init__(self) -> None:
        self.last = 0.0
        self.recent = 0.0
        self.highest = 0.0

    def add(self, seconds: float) -> None:
        """One measurement."""
        self.last = seconds
        self.recent = max(self.recent, seconds)
        self.highest = max(self.highest, seconds)

    def take(self) -> float:
        """The longest since the last call."""
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

TALLIES = {
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
