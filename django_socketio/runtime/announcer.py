"""Sending signals in order, of what happens where nobody can wait for the receivers."""

from __future__ import annotations

from collections import deque
from typing import Any

from django.dispatch import Signal

from ..stats import counters
from .announcements import announce
from .runtime import Runtime


class Announcer:
    """Sends signals one after the other, in the order in which they are put.

    Signals are dropped, counted and logged while ``MOST`` of them wait, since clients may cause
    them faster than receivers run.
    """

    MOST = 10_000

    __slots__ = ("_runtime", "_sending", "_waiting")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: deque[tuple[Signal, dict[str, Any], bool]] = deque()
        self._sending = False

    def put(self, signal: Signal, kwargs: dict[str, Any], sensitive: bool = False) -> None:
        """Send a signal with ``kwargs`` soon; from any thread.

        For ``sensitive`` see :meth:`.Runtime.in_thread`.
        """
        if self._runtime.here():
            self._put(signal, kwargs, sensitive)
        else:
            self._runtime.post(self._put, signal, kwargs, sensitive)

    def _put(self, signal: Signal, kwargs: dict[str, Any], sensitive: bool) -> None:
        if len(self._waiting) >= self.MOST:
            counters.limits.add("signals dropped")
            self._runtime.log.warning(
                "signals were dropped: %d wait, for their receivers are slow", self.MOST
            )
            return
        self._waiting.append((signal, kwargs, sensitive))
        if not self._sending:
            self._sending = True
            self._runtime.spawn(self._send(), self)  # with an owner: the end waits for it

    async def _send(self) -> None:
        try:
            while self._waiting:
                signal, kwargs, sensitive = self._waiting.popleft()
                await announce(self._runtime, signal, None, kwargs, sensitive=sensitive, hook=True)
        finally:
            self._sending = False
