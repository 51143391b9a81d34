"""Headers that a proxy would set are not believed."""

from __future__ import annotations

from typing import Any

import pytest

from django_socketio import SocketIOConsumer
from tests.harness.servers import Server
from tests.harness.wire import ask, open_peer

from .inprocess import Wire, exchange, handshake, joined, registered

HEADERS = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "203.0.113.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "443",
    "Forwarded": "for=203.0.113.1;host=evil.example;proto=https",
    "X_Forwarded_Host": "evil.example",
    "Daphne-Root-Path": "",
}
RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


async def test_cve_2026_44546_forwarded_headers_do_not_change_the_handshake() -> None:
    with registered(SocketIOConsumer):
        wire = await joined(RAW)
        (socket,) = wire.client.sockets.values()
        assert socket.handshake.address == "127.0.0.1"
        assert socket.handshake.secure is False
        await wire.leave()


@pytest.mark.parametrize("believed", [False, True])
async def test_cve_2026_44546_forwarded_headers_do_not_make_an_origin_ours(
    settings: Any, believed: bool
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.USE_X_FORWARDED_HOST = believed
    evil = (b"origin", b"http://evil.example")
    if not believed:
        answer = await exchange(headers=[evil, *RAW])
        assert answer.status == 403
        refused = await Wire(headers=[evil, *RAW]).refused()
        assert refused["type"] == "websocket.close"
    # What the client has really asked for stays ours in any case.
    assert await handshake([(b"origin", b"http://testserver"), *RAW])


def test_cve_2026_44546_forwarded_headers_over_the_wire(server: Server) -> None:
    headers = {**HEADERS, "Origin": "http://evil.example"}
    # daphne refuses a name with an underscore itself.
    assert ask(server, headers=headers).status in (400, 403)
    del headers["X_Forwarded_Host"]
    assert ask(server, headers=headers).status == 403
    if server.name == "daphne":
        # uvicorn has its own --proxy-headers, which believes the loopback address.
        believable = {name: value for name, value in HEADERS.items() if "_" not in name}
        with open_peer(server, headers=believable) as peer:
            (shaken,) = peer.call("shaken")
        assert shaken["address"] == "127.0.0.1"
        assert shaken["secure"] is False
