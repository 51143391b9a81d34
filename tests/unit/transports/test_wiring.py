"""A process serves what others forward to it from its start, not from its first client on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio.asgi import SocketIOApplication
from django_socketio.conf import get_settings
from django_socketio.server import hubs
from django_socketio.server.hub import Hub
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.layers import Exchange, Layer

HEAD = {
    "type": "http",
    "method": "GET",
    "path": "/socket.io/",
    "query_string": b"EIO=4&transport=polling&sid=unknown",
    "headers": [],
    "client": ["", 0],
}


async def rest(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def ignore(message: dict[str, Any]) -> None:
    """The server's send(), for an answer that does not matter."""


async def test_the_owner_is_wired_before_its_first_client(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange()
    monkeypatch.setattr(hubs, "shared_layer", lambda: Layer(exchange))
    application = SocketIOApplication(rest, middleware=None)
    # A request for the rest of the project: that is when such a process joins the others.
    await application({"type": "http", "path": "/elsewhere/"}, None, ignore)  # type: ignore[arg-type]
    owner = hubs.current_hub()
    assert owner.others.shared

    gate = Hub(asyncio.get_running_loop(), get_settings(), Layer(exchange)).others
    try:
        await eventually(lambda: gate.successor() == owner.node)
        async with gate.tunnels.open_tunnel(owner.node, HEAD, 100, is_request=True) as end:
            name, status, _, body = await soon(end.read_first_message())
            assert (name, status) == ("http", 400)
            assert b"Session ID unknown" in body
    finally:
        await gate.stop(0)
        await owner.others.stop(0)
