"""Requests that one process forwards to another, with an application at the owner."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from django_socketio.cluster.ends import WINDOW
from django_socketio.conf import get_settings
from django_socketio.engineio import ErrorCode, HandshakeRefused
from django_socketio.transports.forwarding import (
    forward_http,
    forward_websocket,
    serve_forwarded,
)
from django_socketio.transports.request import Request
from tests.harness.waiting import soon
from tests.unit.cluster.tunnels import Pair

# The largest body of a request, in bytes.
LIMIT = 4 * WINDOW

Serve = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class GateHub:
    """The hub of the gate, as far as requests are forwarded by it."""

    def __init__(self, network: Any) -> None:
        self.others = network
        self.local = self  # of which it is the only part that is asked for
        self.leaving = False
        self.settings = replace(get_settings(), max_http_buffer_size=LIMIT)


class Forwarding(Pair):
    """The owner serves with ``serve`` what is forwarded to it."""

    owner_name = "owner"

    def __init__(self, serve: Serve) -> None:
        super().__init__(partial(serve_forwarded, {"http": serve, "websocket": serve}))
        self.hub = GateHub(self.gate)

    def forward(self, client: Connection, **scope: Any) -> asyncio.Task[None]:
        """Start to forward a request of the client."""
        scope = {"headers": [(b"host", b"example.com")], "client": ("192.0.2.1", 5), **scope}
        hub: Any = self.hub
        request = Request(hub, scope.get("method", "GET"), dict(scope["headers"]))
        request.owner = self.owner_name
        request.passed_on = client.passed_on
        function = forward_http if scope["type"] == "http" else forward_websocket
        return asyncio.ensure_future(function(request, scope, client.receive, client.send))

    def http(self, client: Connection, method: str = "GET", **scope: Any) -> asyncio.Task[None]:
        return self.forward(client, type="http", method=method, path="/socket.io/", **scope)

    def websocket(self, client: Connection, **scope: Any) -> asyncio.Task[None]:
        return self.forward(client, type="websocket", path="/socket.io/", **scope)


class Connection:
    """A client's connection: the server's ``receive`` and ``send`` at the gate, by hand."""

    def __init__(self, *body: bytes) -> None:
        self.sent: list[dict[str, Any]] = []
        # While it is cleared, send() waits.
        self.writable = asyncio.Event()
        self.writable.set()
        # After so many messages it is cleared.
        self.most = -1
        self.read = 0
        # Whether its request is a handshake that the gate does not take any more.
        self.passed_on = False
        # Whether it is gone, and whether its server takes few close codes, as daphne.
        self.broken = self.few_codes = False
        self._inbox: deque[dict[str, Any]] = deque()
        self._arrived = asyncio.Event()
        for piece in body:
            self.put("http.request", body=piece, more_body=True)
        if body:
            self.put("http.request", body=b"", more_body=False)

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
        if len(self.sent) == self.most:
            self.writable.clear()
        await self.writable.wait()
        if self.broken:
            raise BrokenPipeError
        if self.few_codes and message.get("code", 1000) != 1000:
            raise Exception(f"invalid close code {message['code']}")
        self.sent.append(message)

    def values(self, key: str) -> list[Any]:
        return [message[key] for message in self.sent if key in message]


class Served:
    """An application at the owner: notes its scope, then does what the test does."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.ends: asyncio.Future[tuple[Any, Any]] = asyncio.get_running_loop().create_future()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self.ends.set_result((receive, send))
        await self.over


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": body})


async def refused(forwarding: Awaitable[None]) -> HandshakeRefused:
    """The refusal with which a request ends that nobody has answered."""
    with pytest.raises(HandshakeRefused) as error:
        await soon(forwarding)
    return error.value


async def is_unknown(forwarding: Awaitable[None]) -> bool:
    """Whether the client hears that nobody has its session."""
    refusal = await refused(forwarding)
    return (refusal.code, refusal.status) == (ErrorCode.UNKNOWN_SID, 400)
