"""What waits for a client that does not read is bounded; past it the client is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, io
from django_socketio.server.hubs import current_hub
from django_socketio.sockets.client import Client
from django_socketio.stats import counters
from django_socketio.transports import websocket

from .inprocess import Wire, client_of, exchange, handshake, joined, of_session, registered

LIMIT = 100_000
PIECE = "x" * 1000


@pytest.fixture(autouse=True)
def consumer(settings: Any) -> Iterator[None]:
    settings.SOCKETIO = {"MAX_WRITE_BUFFER_SIZE": LIMIT}
    with registered(SocketIOConsumer):
        yield


async def emit_until_closed(client: Client) -> int:
    """Emit to everyone; how many bytes the slow client was sent before it was given up."""
    before = counters.limits["slow client"]
    sent = 0
    while client.session.state == "open":
        io.emit("piece", PIECE)
        sent += len(PIECE)
        assert client.session.buffered + client.session.unheard <= LIMIT + 2 * len(PIECE)
        assert sent < 10 * LIMIT
        await asyncio.sleep(0)
    assert client.session.close_reason == "transport error"
    assert client.session.buffered == 0
    assert counters.limits["slow client"] == before + 1
    assert client.session.sid not in current_hub().clients
    return sent


async def other_client() -> tuple[Wire, asyncio.Task[int]]:
    """A client that reads and answers pings."""
    wire = await joined()

    async def read() -> int:
        pieces = 0
        while True:
            frame = await wire.receive()
            if frame == "2":
                await wire.send("3")
            elif "last" in frame:
                return pieces
            else:
                pieces += 1

    return wire, asyncio.ensure_future(read())


async def test_slow_readers_whose_server_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT", 0.1)
    wire = await joined()
    other, reading = await other_client()
    wire.stuck = True
    sent = await emit_until_closed(wire.client)
    io.emit("last")
    assert await reading == sent // len(PIECE)
    # Even the close frame has to wait; when that has taken long enough, the server's task ends, and
    # with it the connection.
    await wire.ended()
    await other.leave()
    assert not current_hub().runtime.tasks


async def test_slow_readers_whose_server_does_not_wait() -> None:
    """The server (daphne) takes everything at once, and only silence tells."""
    wire = await joined()
    other, reading = await other_client()
    sent = await emit_until_closed(wire.client)
    io.emit("last")
    assert await reading == sent // len(PIECE)
    await other.leave()


async def test_slow_readers_who_poll_no_more() -> None:
    sid = await handshake()
    await exchange(of_session(sid), "POST", pieces=[b"40"])
    other, reading = await other_client()
    client = client_of(sid)
    assert client is not None
    sent = await emit_until_closed(client)
    io.emit("last")
    assert await reading == sent // len(PIECE)
    await other.leave()
