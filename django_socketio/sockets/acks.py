"""Questions to clients: an event that asks for an acknowledgement, and the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import AckTimeout, Disconnected
from ..stats import counters

if TYPE_CHECKING:
    from ..engineio import Frame
    from ..server.consumers import SocketIOConsumer


def as_arguments(result: Any) -> list[Any]:
    """What a handler returned, as an acknowledgement's arguments."""
    if result is None:
        return []
    return list(result) if type(result) is tuple else [result]


def as_result(arguments: list[Any]) -> Any:
    """An acknowledgement's arguments, as what ``call`` returns."""
    if not arguments:
        return None
    return arguments[0] if len(arguments) == 1 else tuple(arguments)


class Outcome(NamedTuple):
    """What became of a question: the answers, how many sockets left, how many are silent."""

    answers: list[Any]
    gone: int
    silent: int

    def one(self) -> Any:
        """The answer of the one socket that was asked; Disconnected or AckTimeout without one."""
        if self.answers:
            return self.answers[0]
        if self.silent:
            raise AckTimeout
        raise Disconnected("the socket has left")

    def all(self) -> list[Any]:
        """Everyone's answers; AckTimeout where some are missing."""
        missing = self.gone + self.silent
        if missing:
            raise AckTimeout(self.answers, missing)
        return self.answers

    def __add__(self, other: Any) -> Outcome:
        return Outcome(
            self.answers + other.answers, self.gone + other.gone, self.silent + other.silent
        )


class Question:
    """One event put to any number of sockets, under one acknowledgement id."""

    __slots__ = ("_answers", "_asked", "_done", "_gone", "ack_id", "on_answer")

    def __init__(self, ack_id: int) -> None:
        self.ack_id = ack_id
        # Called with each answer as it comes, in place of keeping it.
        self.on_answer: Callable[[Any], None] | None = None
        self._answers: list[Any] = []
        self._gone = 0
        self._asked: set[SocketIOConsumer] = set()
        self._done: asyncio.Future[None] | None = None

    def answered(self, socket: SocketIOConsumer, arguments: list[Any]) -> None:
        """A socket's acknowledgement has come."""
        self._asked.discard(socket)
        if self.on_answer is not None:
            self.on_answer(as_result(arguments))
        else:
            self._answers.append(as_result(arguments))
        self._check()

    def left(self, socket: SocketIOConsumer) -> None:
        """A socket left without an answer."""
        self._asked.discard(socket)
        self._gone += 1
        self._check()

    def _check(self) -> None:
        if not self._asked and self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def ask(
        self, sockets: Iterable[SocketIOConsumer], frames: tuple[Frame, ...], timeout: float
    ) -> Outcome:
        """Put the question; wait until nobody is left to answer, at most ``timeout`` seconds."""
        for socket in sockets:
            self._asked.add(socket)
            if not socket._expect(self):
                self.left(socket)
        for socket in list(self._asked):
            socket._write(frames, False)
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
                socket._expect_no_more(self)

    def _give_up(self) -> None:
        if self._done is not None and not self._done.done():
            counters.limits.add("ack timeout", len(self._asked))
            self._done.set_result(None)
