"""Questions to clients: an event that asks for an acknowledgement, and the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable
from typing import Any, Protocol

from ..addressing.outcomes import Answered, Outcome, as_result
from ..engineio import Frame
from ..stats import counters


class Answerer(Hashable, Protocol):
    """A socket, as far as questions need it."""

    sid: str

    def expect(self, question: Question) -> bool:
        """Expect an answer to ``question``. Returns False when none can come."""

    def expect_no_more(self, question: Question) -> None:
        """Forget ``question``: nobody waits for its answer any more."""

    def write(self, frames: tuple[Frame, ...], volatile: bool) -> bool:
        """Write the event that asks. Returns False when the client's buffer is too full."""


class Question:
    """One event put to any number of sockets, under one acknowledgement id."""

    __slots__ = ("_answered", "_answers", "_asked", "_done", "_gone", "ack_id")

    def __init__(self, ack_id: int, answered: Answered | None = None) -> None:
        self.ack_id = ack_id
        # Called with each sid and answer as it comes, in place of keeping the answer.
        self._answered = answered
        self._answers: list[Any] = []
        self._gone = 0
        self._asked: set[Answerer] = set()
        self._done: asyncio.Future[None] | None = None

    def answer(self, socket: Answerer, arguments: list[Any]) -> None:
        """Take a socket's acknowledgement."""
        self._asked.discard(socket)
        if self._answered is not None:
            self._answered(socket.sid, as_result(arguments))
        else:
            self._answers.append(as_result(arguments))
        self._check()

    def socket_left(self, socket: Answerer) -> None:
        """Count a socket that will not answer: it has left, or cannot be asked."""
        self._asked.discard(socket)
        self._gone += 1
        self._check()

    def _check(self) -> None:
        if not self._asked and self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def ask(
        self, sockets: Iterable[Answerer], frames: tuple[Frame, ...], timeout: float
    ) -> Outcome:
        """Send the event and wait for the answers of ``sockets``, ``timeout`` seconds at most.

        Returns what became of the question; never raises because an answer is missing.
        """
        for socket in sockets:
            self._asked.add(socket)
            if not socket.expect(self):
                self.socket_left(socket)
        for socket in list(self._asked):
            socket.write(frames, False)
        if self._asked:
            await self._wait(timeout)
        return Outcome(self._answers, self._gone, len(self._asked))

    async def _wait(self, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        timer = loop.call_later(timeout, self._give_up)
        try:
            await self._done
        finally:
            timer.cancel()
            for socket in self._asked:
                socket.expect_no_more(self)

    def _give_up(self) -> None:
        if self._done is not None and not self._done.done():
            counters.limits.add("ack timeout", len(self._asked))
            self._done.set_result(None)
