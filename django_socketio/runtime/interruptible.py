"""Await a coroutine that somebody else may end, or that takes too long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .steps import resume

T = TypeVar("T")


class Interrupted(Exception):
    """A coroutine was ended before it had finished."""


class Interruptible:
    """Runs one coroutine at a time. One that finishes without waiting gets no task."""

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def run(self, coro: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Return what ``coro`` returns, within ``timeout`` seconds.

        Raises what ``coro`` raises, Interrupted after :meth:`interrupt`, asyncio.TimeoutError when
        the time is over.
        """
        try:
            waited_for = coro.send(None)
        except StopIteration as finished:
            result: T = finished.value
            return result
        task: asyncio.Task[T] = asyncio.get_running_loop().create_task(_rest(coro, waited_for))
        # A task that is cancelled before its first step would not end it.
        task.add_done_callback(lambda _: coro.close())
        self._task = task
        try:
            await asyncio.wait({task}, timeout=timeout)
            if not task.done():
                raise asyncio.TimeoutError
            if task.cancelled():
                raise Interrupted
            return task.result()
        finally:
            self._task = None
            task.cancel()

    def interrupt(self) -> None:
        """End the coroutine where it waits."""
        if self._task is not None:
            self._task.cancel()


async def _rest(coro: Coroutine[Any, Any, T], waited_for: Any) -> T:
    result: T = await resume(coro, waited_for)
    return result
