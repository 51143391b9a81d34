"""Our WebSocket end in the test's own process and loop, below uvicorn's HTTP protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect

from django_socketio.servers.uvicorn import WebSocketProtocol
from tests.harness.protocol import PATH, WEBSOCKET
from tests.harness.waiting import eventually


class Serving(NamedTuple):
    """A port, and what uvicorn knows of connections and tasks."""

    port: int
    state: ServerState

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ClientConnection]:
        """A client of Socket.IO that has connected to the namespace ``/``."""
        url = f"ws://127.0.0.1:{self.port}{PATH}?{WEBSOCKET}"
        async with connect(url, compression=None, ping_interval=None, close_timeout=1) as client:
            await client.recv()
            await client.send("40")
            assert str(await client.recv()).startswith("40{")
            yield client


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[Serving]:
    """Serve an ASGI application; at the end there is no connection and no task left."""
    config = Config(application, ws=WebSocketProtocol, ws_ping_interval=None, log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpToolsProtocol(config, state, {}), "127.0.0.1", 0)
    try:
        yield Serving(server.sockets[0].getsockname()[1], state)
        await eventually(lambda: not state.connections and not state.tasks, "all to end")
    finally:
        server.close()
