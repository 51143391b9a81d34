"""A question to other processes: who was asked, what they answered, who is missing."""

from __future__ import annotations

import asyncio
from typing import Any


class Inquiry:
    """Collects what processes answer, until the last living one has.

    ``found`` are the answers, ``gone`` and ``silent`` count sockets without one, ``waiting`` holds
    the processes that have not finished.
    """

    def __init__(self, nodes: set[str], loop: asyncio.AbstractEventLoop) -> None:
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
        """A process puts the question to so many of its sockets."""
        self._asked[node] = number

    def answered(self, node: str, answer: Any) -> None:
        """One answer of a process has come."""
        self.found.append(answer)
        self._asked[node] = self._asked.get(node, 0) - 1

    def finished(self, node: str, gone: int = 0, silent: int = 0) -> None:
        """A process has nothing more to say."""
        if node in self.waiting:
            self.waiting.discard(node)
            # An answer that was lost on the way is missing, too.
            lost = self._asked.pop(node, 0) - gone - silent
            self.gone += gone
            self.silent += silent + max(lost, 0)
            if not self.waiting and not self._done.done():
                self._done.set_result(None)

    def died(self, node: str) -> None:
        """A process is gone; those of its sockets that had not answered never will."""
        self.finished(node, gone=max(self._asked.get(node, 0), 0))

    async def wait(self, timeout: float) -> None:
        """Wait until all have finished, or the time is over: who has not by then is silent."""
        timer = self._loop.call_later(timeout, self._give_up)
        try:
            await self._done
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        # Who has not even said how many sockets it asks may have some.
        self.silent += sum(max(self._asked.get(node, 1), 0) for node in self.waiting)
        if not self._done.done():
            self._done.set_result(None)
