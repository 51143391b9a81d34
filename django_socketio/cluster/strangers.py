"""Notices sessions of other processes where none are expected. The time is an argument."""

from __future__ import annotations

from collections import deque

from ..addressing.ids import owner_of

# After a start clients of the process before come back, for so many seconds: they prove nothing.
GRACE = 30.0
# So many requests within so many seconds are taken for the work of another process.
ENOUGH, WITHIN = 3, 60.0


class Strangers:
    """See the module's docstring. ``now`` is any monotonic clock's time, in seconds."""

    def __init__(self, node: str, now: float) -> None:
        self._node = node
        self._expected_until = now + GRACE
        self._seen: deque[float] | None = deque(maxlen=ENOUGH)

    def betray_others(self, sid: str, now: float) -> bool:
        """Note a request for an unknown session.

        Returns True once: when there have been so many for sessions of other processes that these
        must be running now.
        """
        if self._seen is None or now < self._expected_until:
            return False
        if owner_of(sid) in (None, self._node):
            return False
        self._seen.append(now)
        if len(self._seen) < ENOUGH or now - self._seen[0] > WITHIN:
            return False
        self._seen = None
        return True
