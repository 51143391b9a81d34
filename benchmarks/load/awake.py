"""A load that never sleeps: waking it up would be charged to the server that writes to it."""

from __future__ import annotations

import asyncio
from time import perf_counter
from types import TracebackType
from typing import final

# A turn of the event loop that took less has done nothing, in seconds.
EMPTY_TURN = 10e-6


@final
class Awake:
    """Keeps the running event loop awake. ``busy`` is how long it had something to do, in seconds.

    The slower a server answers, the more often the load would have gone to sleep before the next
    answer, so the costs would not even be the same for all servers.
    """

    def __init__(self) -> None:
        self.busy = 0.0
        self._on = True

    def __enter__(self) -> Awake:
        self._loop = asyncio.get_running_loop()
        self._last = perf_counter()
        self._turn()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._on = False

    def _turn(self) -> None:
        now = perf_counter()
        took, self._last = now - self._last, now
        if took > EMPTY_TURN:
            self.busy += took
        if self._on:
            self._loop.call_soon(self._turn)
