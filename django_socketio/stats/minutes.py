"""What went through a process in its last minutes. No I/O: counters and times in, entries out."""

from __future__ import annotations

import time
from collections import deque
from typing import cast

from .shapes import Counters, Sample, lost_messages

# Seconds between two entries of the last minutes, and how many are kept: ten minutes.
STEP = 5
KEPT = 120


def current_minute() -> int:
    """Return the minutes since 1970, by which samples are kept."""
    return int(time.time()) // 60


class LastMinutes:
    """An entry for every :data:`STEP` seconds of the last minutes."""

    def __init__(self) -> None:
        # [seconds since 1970, sockets, events in, events out since the last entry]
        self._entries: deque[list[int]] = deque(maxlen=KEPT)
        self._events_in = 0
        self._events_out = 0

    def add(self, at: float, counted: Counters) -> None:
        """Make an entry. ``at`` is in seconds since 1970."""
        traffic = counted["traffic"]
        self._entries.append(
            [
                int(at) // STEP * STEP,
                counted["sockets"]["total"],
                traffic["events_in"] - self._events_in,
                # Events that leave are counted by difference, which may shrink for a moment.
                max(0, traffic["events_out"] - self._events_out),
            ]
        )
        self._events_in, self._events_out = traffic["events_in"], traffic["events_out"]

    def since(self, at: int) -> list[list[int]]:
        """Return the entries after a time in seconds since 1970."""
        return [entry for entry in self._entries if entry[0] > at]


class CurrentMinute:
    """The minute that is being measured; ``counted`` is what was counted when it began."""

    def __init__(self, minute: int, counted: Counters) -> None:
        self.minute = minute
        self._before = _sums(counted)
        self._sockets = counted["sockets"]["total"]
        self._sessions = counted["sessions"]["total"]

    def note(self, counted: Counters) -> None:
        """Note how many sockets and sessions there are: a sample has the most of its minute."""
        self._sockets = max(self._sockets, counted["sockets"]["total"])
        self._sessions = max(self._sessions, counted["sessions"]["total"])

    def sample(self, counted: Counters, lag: float) -> Sample:
        """Return what went through since it began; ``lag`` is the longest of it in seconds."""
        self.note(counted)
        grown = {name: max(0, now - self._before[name]) for name, now in _sums(counted).items()}
        most = {"sockets": self._sockets, "sessions": self._sessions}
        return cast(Sample, {"minute": self.minute, **most, "lag": lag, **grown})


def _sums(counted: Counters) -> dict[str, int]:
    traffic = counted["traffic"]
    return {
        "packets_in": traffic["packets_in"],
        "packets_out": traffic["packets_out"],
        "bytes_in": traffic["bytes_in"],
        "bytes_out": traffic["bytes_out"],
        "events_in": traffic["events_in"],
        "events_out": traffic["events_out"],
        "connects": sum(counted["connects"].values()),
        "errors": sum(counted["handler_errors"].values()),
        "lost": lost_messages(counted["layer"]),
    }
