"""Answers of many sockets, one by one as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from ..addressing.outcomes import Answered, Outcome
from ..exceptions import AckTimeout


async def as_they_come(
    ask: Callable[[Answered], Coroutine[Any, Any, Outcome]],
) -> AsyncIterator[tuple[str, Any]]:
    """Yield each sid and answer that ``ask`` tells of, from whatever thread.

    Raises AckTimeout at the end if answers are missing. Who iterates no further ends the question.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()

    def put(item: tuple[str, Any] | None) -> None:
        with suppress(RuntimeError):  # the loop may have ended, and nobody iterates
            loop.call_soon_threadsafe(queue.put_nowait, item)

    asking = loop.create_task(ask(lambda sid, answer: put((sid, answer))))
    # Put as the answers are, so that it comes behind them.
    asking.add_done_callback(lambda _: put(None))
    try:
        while (item := await queue.get()) is not None:
            yield item
    finally:
        asking.cancel()
    outcome = asking.result()
    missing = outcome.gone + outcome.silent
    if missing:
        raise AckTimeout(missing=missing)
