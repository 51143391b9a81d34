"""The other end of an ASGI application, by hand: no server, no network, nothing that waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django_socketio.asgi import SocketIOApplication
from django_socketio.packets import OrjsonCodec


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("not a request of Socket.IO's")


def make_application() -> SocketIOApplication:
    """Socket.IO alone, without sessions and users."""
    return SocketIOApplication(nothing, middleware=None)


class Peer:
    """A client on a WebSocket. Its end never waits, unless it is ``stuck`` and reads no more.

    It answers pings, and keeps everything else in ``messages`` as the server handed it over.
    """

    def __init__(self, application: SocketIOApplication) -> None:
        self.messages: list[dict[str, Any]] = []
        self.stuck = False
        self.broken = False
        self._inbox: deque[dict[str, Any]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.put({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path": "/socket.io/",
            "query_string": b"EIO=4&transport=websocket",
            "headers": [],
            "scheme": "ws",
            "client": ("192.0.2.1", 5),
        }
        self.task = asyncio.ensure_future(application(scope, self._receive, self._send))

    # What the application calls

    async def _receive(self) -> dict[str, Any]:
        while not self._inbox:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._inbox.popleft()

    async def _send(self, message: dict[str, Any]) -> None:
        if self.stuck:
            await asyncio.get_running_loop().create_future()
        if self.broken:
            raise BrokenPipeError
        if message.get("text") == "2":
            self.say("3")
        else:
            self.messages.append(message)

    # What a test calls

    def put(self, message: dict[str, Any]) -> None:
        self._inbox.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def say(self, *packets: str | bytes) -> None:
        """Send packets; the application reads them when it is its turn."""
        for packet in packets:
            kind = "text" if isinstance(packet, str) else "bytes"
            self.put({"type": "websocket.receive", kind: packet})

    def leave(self) -> None:
        self.put({"type": "websocket.disconnect", "code": 1005})

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages if message.get("text") is not None]

    async def heard(self, count: int) -> None:
        """Wait until it has had so many messages."""
        await until(lambda: len(self.messages) >= count)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    deadline = asyncio.get_running_loop().time() + 20
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0)


async def connect(application: SocketIOApplication, number: int = 1) -> list[Peer]:
    """Clients that are in the default namespace, with nothing in ``messages``."""
    peers = [Peer(application) for _ in range(number)]
    for peer in peers:
        peer.say("40")
    for peer in peers:
        await peer.heard(3)  # accept, OPEN, CONNECT
        assert peer.texts[1].startswith('40{"sid":"')
        peer.messages.clear()
    return peers


async def leave(peers: list[Peer]) -> None:
    for peer in peers:
        peer.leave()
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

    def loads(self, text: str) -> Any:
        CountingCodec.decoded += 1
        return super().loads(text)

    @classmethod
    def reset(cls) -> None:
        cls.encoded = cls.decoded = 0
