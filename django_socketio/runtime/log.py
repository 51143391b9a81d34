"""The log of what may come in bursts: :class:`~..logs.Bursts` with a loop's clock and a timer."""

from __future__ import annotations

import asyncio
import logging
import math

from ..logs import ONE, SOME, Bursts, Rate


class BurstLog:
    """Logs a few lines of each kind, then how many were left out. On the loop's own thread only.

    For ``text``, ``args``, ``kind`` and ``error`` see :meth:`.Bursts.log`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._bursts = Bursts()
        # Runs at the end of a period in which lines were left out.
        self._timer: asyncio.TimerHandle | None = None

    def info(self, text: str, *args: object, kind: str = "") -> None:
        """Log what an operator may want to look up, at most ten lines a second."""
        self._log(logging.INFO, SOME, text, *args, kind=kind)

    def warning(self, text: str, *args: object, kind: str = "") -> None:
        """Log one line for a burst."""
        self._log(logging.WARNING, ONE, text, *args, kind=kind)

    def error(self, text: str, *args: object, kind: str = "") -> None:
        """Log one line for a burst."""
        self._log(logging.ERROR, ONE, text, *args, kind=kind)

    def failure(self, error: BaseException, text: str, *args: object, kind: str = "") -> None:
        """Log an exception with its traceback, at most ten a second."""
        self._log(logging.ERROR, SOME, text, *args, kind=kind, error=error)

    def close(self) -> None:
        """Say what was left out: the process ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._bursts.end_periods(math.inf)

    def _log(
        self,
        level: int,
        rate: Rate,
        text: str,
        *args: object,
        kind: str = "",
        error: BaseException | None = None,
    ) -> None:
        self._bursts.log(self._loop.time(), level, rate, text, *args, kind=kind, error=error)
        if self._bursts.omitting and self._timer is None:
            self._end_periods()

    def _end_periods(self) -> None:
        self._timer = None
        end = self._bursts.end_periods(self._loop.time())
        if end is not None:
            self._timer = self._loop.call_at(end, self._end_periods)
