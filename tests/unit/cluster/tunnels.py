"""Two processes' tunnels, joined by a network that a test can watch, cut and slow down."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from django_socketio.cluster import Kind
from django_socketio.cluster.tunnels import Gate, Tunnels

Serve = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class FakeHub:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.leaving = False
        self.tasks: list[asyncio.Task[Any]] = []

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> None:
        self.tasks.append(self.loop.create_task(coro))


class FakePeers(set[str]):
    """Those that are known."""

    sign = -math.inf

    def last_sign(self, node: str) -> float:
        return self.sign


class FakeNetwork:
    """One process's network: what it sends goes to the other one, unless ``drops`` says so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hub = FakeHub()
        self.peers = FakePeers()
        self.sent: list[list[Any]] = []
        self.drops: Callable[[list[Any]], bool] = lambda operation: False
        self.other: FakeNetwork
        self.tunnels = Tunnels(self)  # type: ignore[arg-type]

    async def meet(self, node: str) -> bool:
        return node in self.peers

    def to_node(self, node: str, operation: list[Any], size: int = 0) -> Any:
        if node not in self.peers:
            return None
        self.sent.append(operation)
        if not self.drops(operation):
            self.hub.loop.call_soon(self.other.receive, self.name, operation)
        return operation

    def receive(self, sender: str, operation: list[Any]) -> None:
        kind, *items = operation
        getattr(self.tunnels, f"on_{Kind(kind).name.lower()}")(sender, *items)

    def kinds(self) -> list[Kind]:
        return [Kind(operation[0]) for operation in self.sent]


class Pair:
    """``gate`` is the process that a client has reached, ``owner`` that of its session."""

    def __init__(self, serve: Serve) -> None:
        self.gate, self.owner = FakeNetwork("gate"), FakeNetwork("owner")
        self.gate.other, self.owner.other = self.owner, self.gate
        self.gate.peers.add("owner")
        self.owner.peers.add("gate")
        self.owner.tunnels.serve = serve

    async def open(self, body: bytes | None, **scope: Any) -> Gate:
        default = {"headers": [(b"host", b"example.com")], "client": ("192.0.2.1", 5)}
        return await self.gate.tunnels.open({**default, **scope}, "owner", body)

    async def http(self, method: str, body: bytes = b"") -> Gate:
        return await self.open(body, type="http", method=method, path="/socket.io/")

    async def websocket(self, **scope: Any) -> Gate:
        return await self.open(None, type="websocket", path="/socket.io/", **scope)

    @property
    def idle(self) -> bool:
        """Whether nothing is left of any tunnel, at either end."""
        return not (self.gate.tunnels.nodes() or self.owner.tunnels.nodes())


class Connection:
    """The server's ``receive`` and ``send`` at either end, by hand."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        # While it is cleared, send() waits.
        self.writable = asyncio.Event()
        self.writable.set()
        self.read = 0
        self._inbox: deque[dict[str, Any]] = deque()
        self._arrived = asyncio.Event()

    def put(self, type: str, **values: Any) -> None:
        self._inbox.append({"type": type, **values})
        self._arrived.set()

    async def receive(self) -> dict[str, Any]:
        while not self._inbox:
            self._arrived.clear()
            await self._arrived.wait()
        self.read += 1
        return self._inbox.popleft()

    async def send(self, message: dict[str, Any]) -> None:
        await self.writable.wait()
        self.sent.append(message)

    def values(self, key: str) -> list[Any]:
        return [message[key] for message in self.sent if key in message]
