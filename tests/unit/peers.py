"""Clients of an application in this process, and counters of what it does for them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_socketio.asgi import SocketIOApplication
from django_socketio.packets import OrjsonCodec
from tests.harness import waiting
from tests.harness.inprocess import Frames, nothing_else

# It sets no timer that a test would count.
eventually = functools.partial(waiting.eventually, every=0)


def make_application() -> SocketIOApplication:
    """Socket.IO alone, without sessions and users."""
    return SocketIOApplication(nothing_else, middleware=None)


async def connect(application: SocketIOApplication, number: int = 1) -> list[Frames]:
    """Clients that are in the default namespace, with nothing in ``messages``."""
    peers = [Frames(application, pongs=True) for _ in range(number)]
    for peer in peers:
        peer.put("connect")
        await peer.send("40")
    for peer in peers:
        await peer.heard(3)  # accept, OPEN, CONNECT
        assert peer.texts[1].startswith('40{"sid":"')
        peer.messages.clear()
    return peers


async def leave(peers: list[Frames]) -> None:
    for peer in peers:
        peer.put("disconnect", code=1005)
    for peer in peers:
        await peer.task


@contextmanager
def counted_tasks() -> Iterator[list[str]]:
    """The names of the coroutines of all tasks that are made meanwhile."""
    loop = asyncio.get_running_loop()
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        made.append(getattr(coro, "__qualname__", repr(coro)))
        return asyncio.Task(coro, loop=loop, **kwargs)

    loop.set_task_factory(factory)
    try:
        yield made
    finally:
        loop.set_task_factory(None)


@contextmanager
def counted_timers() -> Iterator[list[float]]:
    """The times of all timers that the loop is asked for meanwhile."""
    loop: Any = asyncio.get_running_loop()
    made: list[float] = []
    call_at = loop.call_at

    def count(when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        made.append(when)
        timer: asyncio.TimerHandle = call_at(when, *args, **kwargs)
        return timer

    loop.call_at = count
    try:
        yield made
    finally:
        del loop.call_at


class CountingCodec(OrjsonCodec):
    """Counts what it encodes and decodes; ``SOCKETIO["JSON"]`` may name it."""

    encoded = 0
    decoded = 0

    def dumps(self, value: Any, default: Any) -> str:
        CountingCodec.encoded += 1
        return super().dumps(value, default)

    def loads(self, text: bytes | bytearray | memoryview | str) -> Any:
        CountingCodec.decoded += 1
        return super().loads(text)

    @classmethod
    def reset(cls) -> None:
        cls.encoded = cls.decoded = 0
