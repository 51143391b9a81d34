"""Waiting for a condition, with a deadline: the only way in which tests wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")

# Seconds. Nothing takes so long unless the test fails.
DEADLINE = 15.0


def until(condition: Callable[[], Result | None], what: str, deadline: float = DEADLINE) -> Result:
    """The first true answer of `condition`; AssertionError where it stays false too long."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        time.sleep(0.01)


async def eventually(
    condition: Callable[[], Result | None],
    what: str = "the condition",
    deadline: float = DEADLINE,
    every: float = 0.005,
) -> Result:
    """The same while the event loop runs. With `every=0` it sets no timer."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        await asyncio.sleep(every)


async def soon(awaitable: Awaitable[Result], deadline: float = DEADLINE) -> Result:
    """What an awaitable returns; TimeoutError where that takes too long."""
    return await asyncio.wait_for(asyncio.ensure_future(awaitable), deadline)
