"""One question to other processes: what they answered, and which of them are still to answer."""

from __future__ import annotations

import asyncio
from typing import Any

from ..addressing.outcomes import Answered


class Inquiry:
    """Collects answers until every process has finished, or is gone.

    ``found`` are the answers. ``gone`` counts sockets that left without an answer, ``silent`` those
    that did not answer in time. ``waiting`` are the processes that have not finished. ``named``
    gets each sid and answer, where it is wanted whose an answer is.
    """

    def __init__(
        self, nodes: set[str], loop: asyncio.AbstractEventLoop, named: Answered | None = None
    ) -> None:
        self.named = named
        self.found: list[Any] = []
        self.gone = 0
        self.silent = 0
        self.waiting = set(nodes)
        self._asked: dict[str, int] = {}
        self._loop = loop
        self._done: asyncio.Future[None] = loop.create_future()
        if not nodes:
            self._done.set_result(None)

    def asked(self, node: str, number: int) -> None:
        """Note how many of its sockets a process asks."""
        self._asked[node] = number

    def answered(self, node: str, answer: Any) -> None:
        """Take one answer of a process."""
        self.found.append(answer)
        self.count(node)

    def count(self, node: str) -> None:
        """Note that one socket of a process has answered."""
        self._asked[node] = self._asked.get(node, 0) - 1

    def finished(self, node: str, gone: int = 0, silent: int = 0) -> None:
        """Note that a process has sent its last answer, and how many of its sockets gave none."""
        if node in self.waiting:
            self.waiting.discard(node)
            # An answer that was lost on the way is missing, too.
            lost = self._asked.pop(node, 0) - gone - silent
            self.gone += gone
            self.silent += silent + max(lost, 0)
            if not self.waiting and not self._done.done():
                self._done.set_result(None)

    def died(self, node: str) -> None:
        """Note that a process is gone: its sockets that have not answered are gone, too."""
        self.finished(node, gone=max(self._asked.get(node, 0), 0))

    async def wait(self, timeout: float) -> None:
        """Wait until all have finished, at most ``timeout`` seconds; then the rest is silent."""
        timer = self._loop.call_later(timeout, self._give_up)
        try:
            await self._done
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        # A process that has not said how many sockets it asks counts as one.
        self.silent += sum(max(self._asked.get(node, 1), 0) for node in self.waiting)
        if not self._done.done():
            self._done.set_result(None)
