"""Await a coroutine that somebody else may end, or that takes too long, without a task for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .steps import resume

T = TypeVar("T")


class Interrupted(Exception):
    """A coroutine was ended before it had finished."""


class Interruptible:
    """Runs one coroutine at a time, as a part of the task that calls :meth:`run`."""

    __slots__ = ("_error", "_task")

    def __init__(self) -> None:
        # The task that waits, and what it is to raise once it was made to end.
        self._task: asyncio.Task[Any] | None = None
        self._error: type[Exception] | None = None

    async def run(self, coro: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Return what ``coro`` returns, within ``timeout`` seconds.

        Raises what ``coro`` raises, Interrupted after :meth:`interrupt`, asyncio.TimeoutError when
        the time is over.
        """
        result: T
        try:
            waited_for = coro.send(None)
        except StopIteration as finished:
            result = finished.value
            return result
        loop = asyncio.get_running_loop()
        task = self._task = asyncio.current_task(loop)
        timer = None
        if timeout is not None:
            timer = loop.call_later(timeout, self._end, asyncio.TimeoutError)
        try:
            result = await resume(coro, waited_for)
        except asyncio.CancelledError:
            error = self._error
            if error is None or _is_still_cancelled(task):
                raise
            raise error from None
        finally:
            self._task = self._error = None
            if timer is not None:
                timer.cancel()
        return result

    def interrupt(self) -> None:
        """End the coroutine where it waits."""
        self._end(Interrupted)

    def _end(self, error: type[Exception]) -> None:
        if self._task is not None and self._error is None:
            self._error = error
            self._task.cancel()


def _is_still_cancelled(task: Any) -> bool:
    """Take back our own cancellation of a task. Returns whether others have cancelled it, too."""
    uncancel = getattr(task, "uncancel", None)  # Python 3.11
    return uncancel is not None and uncancel() > 0
