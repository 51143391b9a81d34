"""Waiting for another process that may be dead, or only slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

# The longest single wait, and the most that one wait counts for, in seconds.
TICK = 0.1


class Patience:
    """A number of seconds to wait for another process. It is true while some are left.

    Only time in which this process could run counts, since on a machine that is too busy for it the
    other process is held up as well.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def __bool__(self) -> bool:
        return self._left > 0

    async def wait(self, awaitable: Awaitable[Any]) -> None:
        """Wait for something, :data:`TICK` seconds at most. The caller checks whether it came."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(awaitable, TICK)
        self._left -= min(loop.time() - began, TICK)
