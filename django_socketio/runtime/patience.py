"""Waiting for another process that may be dead, or only slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

# How long one wait is at most, and counts at most.
TICK = 0.1


class Patience:
    """So many seconds for another process, true while there are some left.

    Only the time counts in which this process could run: on a machine that is too busy for that,
    the others are held up as well.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def __bool__(self) -> bool:
        return self._left > 0

    async def wait(self, awaitable: Awaitable[Any]) -> None:
        """Wait a moment for something; whether it has happened is for the caller to see."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(awaitable, TICK)
        self._left -= min(loop.time() - began, TICK)
