"""What calls such as ``emit`` return: awaitables that may be ignored.

To await one is to wait until the message is handed over.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Generator, Sequence
from typing import Any, Protocol

# An iterator that has ended. One serves all, since it stays ended: no object is made per await.
_ENDED: Any = iter(())


class Done:
    """An awaitable for something that is finished already."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        ended: Generator[Any, Any, None] = _ENDED
        return ended


DONE = Done()


class Buffered(Protocol):
    """What has a write buffer."""

    def wait_until_drained(self) -> Awaitable[None]:
        """Wait until the buffer is below its low-water mark."""


class Drained:
    """An awaitable: each of ``buffered`` has its write buffer below the low-water mark."""

    __slots__ = ("_buffered",)

    def __init__(self, buffered: Sequence[Buffered]) -> None:
        self._buffered = buffered

    def __await__(self) -> Generator[Any, Any, None]:
        for one in self._buffered:
            yield from one.wait_until_drained().__await__()


class Several:
    """An awaitable for several awaitables."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[Awaitable[Any]]) -> None:
        self._parts = parts

    def __await__(self) -> Generator[Any, Any, None]:
        for part in self._parts:
            yield from part.__await__()


class Posted:
    """An awaitable for a call that was handed over to the thread of a loop.

    ``future`` holds what the function returns: a value, or a further awaitable.
    """

    __slots__ = ("_future", "_loop")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, future: concurrent.futures.Future[Any]
    ) -> None:
        self._loop = loop
        self._future = future

    def result(self) -> Any:
        """Wait, in a thread without a loop, and return what the function returned."""
        return self._future.result()

    def wait(self, timeout: float) -> None:
        """Wait, in a thread without a loop, until the message is handed over.

        Raises TimeoutError if the call, or what it returned, takes more than ``timeout`` seconds.
        """
        handed_over = self._future.result(timeout)
        if isinstance(handed_over, Awaitable) and handed_over is not DONE:
            waiting = asyncio.run_coroutine_threadsafe(_wait(handed_over), self._loop)
            try:
                waiting.result(timeout)
            except concurrent.futures.TimeoutError:
                waiting.cancel()
                raise TimeoutError from None

    def __await__(self) -> Generator[Any, Any, None]:
        handed_over = yield from asyncio.wrap_future(self._future).__await__()
        if isinstance(handed_over, Awaitable) and handed_over is not DONE:
            rest = asyncio.run_coroutine_threadsafe(_wait(handed_over), self._loop)
            yield from asyncio.wrap_future(rest).__await__()


async def _wait(awaitable: Awaitable[Any]) -> None:
    await awaitable
