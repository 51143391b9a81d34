"""The server in the test's own process, where a test sees every call that it makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django_socketio import SocketIOConsumer
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.server.registry import registry
from django_socketio.sockets.client import Client
from tests.harness.inprocess import Exchange, Frames, nothing_else
from tests.harness.protocol import POLLING, WEBSOCKET

Headers = Sequence[tuple[bytes, bytes]]
HOST = (b"host", b"testserver")

application = SocketIOApplication(nothing_else, middleware=None)


@contextmanager
def registered(consumer: type[SocketIOConsumer], namespace: Any = "/") -> Iterator[None]:
    """``consumer`` serves the namespace within the block."""
    registry.register(namespace)(consumer)
    try:
        yield
    finally:
        registry.unregister(namespace)


async def exchange(
    query: str | bytes = POLLING,
    method: str = "GET",
    headers: Headers = (),
    pieces: Sequence[bytes] = (b"",),
    **options: Any,
) -> Exchange:
    """A request that has been answered."""
    return await Exchange(application, query, method, [HOST, *headers], pieces, **options).run()


async def handshake(headers: Headers = (), **scope: Any) -> str:
    """Begin a polling session; its id."""
    answer = await exchange(headers=headers, **scope)
    assert answer.status == 200, answer.body
    sid: str = json.loads(answer.body[1:])["sid"]
    return sid


def of_session(sid: str) -> str:
    """The query of a polling session's requests."""
    return f"{POLLING}&sid={sid}"


def client_of(sid: str) -> Client | None:
    """The server's side of a session."""
    return current_hub().clients.get(sid)


class Wire(Frames):
    """A WebSocket to that server, which can only close where it does not accept."""

    def __init__(self, query: str | bytes = WEBSOCKET, headers: Headers = (), **scope: Any) -> None:
        super().__init__(application, query, [HOST, *headers], **{"extensions": {}, **scope})

    async def leave(self) -> None:
        """Go, and wait until the server has noticed."""
        await self.drop(1001)
        while tasks := set(current_hub().runtime.tasks):
            await asyncio.wait(tasks)

    @property
    def client(self) -> Client:
        client = client_of(self.id)
        assert client is not None
        return client


async def opened(headers: Headers = (), **scope: Any) -> Wire:
    """A WebSocket whose session has begun."""
    wire = Wire(headers=headers, **scope)
    await wire.open()
    return wire


async def joined(headers: Headers = (), **scope: Any) -> Wire:
    """The same in the default namespace."""
    wire = await opened(headers, **scope)
    await wire.enter()
    return wire
