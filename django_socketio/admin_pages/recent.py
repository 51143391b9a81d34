"""The last minutes of all processes, as the charts of the page "Live" show them.

A process that has ended can no longer be asked. What it has told stays here, so that the past is
not rewritten under the eyes of whoever watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from ..stats.minutes import KEPT, STEP

# How long an entry may take until every process has made the next one: a clock that ticks a little
# late leaves out a place now and then, and the next entry then stands for both.
SETTLED = 2 * STEP


@dataclass
class Point:
    """All processes at one time: their sockets, and the events since the point before."""

    sockets: int = 0
    events_in: float = 0.0
    events_out: float = 0.0


class Recent:
    """What each process has told of its last minutes: [time, sockets, events in, events out]."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[int, Sequence[int]]] = {}
        self._lock = Lock()

    def add(self, node: str, entries: Iterable[Sequence[int]]) -> None:
        """Keep what a process has told."""
        with self._lock:
            self._entries.setdefault(node, {}).update((entry[0], entry) for entry in entries)

    def points(self, now: float) -> dict[int, Point]:
        """Return the points by time, those that do not change any more.

        ``now`` and the times are in seconds since 1970. Forgets what is too old to be shown.
        """
        end = int(now) // STEP * STEP - SETTLED
        start = end - (KEPT - 1) * STEP
        sums: dict[int, Point] = {}
        with self._lock:
            for node, entries in list(self._entries.items()):
                kept = {at: entry for at, entry in sorted(entries.items()) if at >= start}
                if not kept:
                    del self._entries[node]
                    continue
                self._entries[node] = kept
                _add_up(sums, kept.values())
        return {at: sums[at] for at in sorted(sums) if at <= end}


def _add_up(sums: dict[int, Point], entries: Iterable[Sequence[int]]) -> None:
    """Add the entries of a process. One that comes after an empty place stands for that as well."""
    before = None
    for at, sockets, events_in, events_out in entries:
        places = [at]
        if before is not None and STEP < at - before <= SETTLED:
            places = [at - STEP, at]
        before = at
        for place in places:
            point = sums.setdefault(place, Point())
            point.sockets += sockets
            point.events_in += events_in / len(places)
            point.events_out += events_out / len(places)


recent = Recent()
