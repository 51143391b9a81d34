"""The limits of packets, where they are MessagePack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgpack
import pytest

from tests.harness.servers import HOSTILE, SERVERS, Server, Servers
from tests.harness.wire import Peer

from .conftest import LIMITS


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    server = servers.get(request.param, app=HOSTILE, socketio={**LIMITS, "PARSER": "msgpack"})
    yield server
    server.check_log()


def pack(kind: int, data: Any = None, **more: Any) -> bytes:
    packet = {"type": kind, "nsp": "/", **more}
    if data is not None:
        packet["data"] = data
    packed: bytes = msgpack.packb(packet)
    return packed


def take(peer: Peer) -> Any:
    message = peer.next()
    assert isinstance(message, bytes)
    return msgpack.unpackb(message)


def open_peer(server: Server, data: Any = None) -> Peer:
    peer = Peer(server)
    peer.handshake()
    peer.send(pack(0, data))
    answer = take(peer)
    assert answer["type"] == 0
    peer.sid = answer["data"]["sid"]
    return peer


def call(peer: Peer, *args: Any) -> Any:
    peer.send(pack(2, ["echo", *args], id=3))
    answer = take(peer)
    assert (answer["type"], answer["nsp"], answer["id"]) == (3, "/", 3)
    return answer["data"]


@pytest.fixture(autouse=True)
def bystander(server: Server) -> Iterator[None]:
    """A client that was there before, and is still served after the test."""
    with open_peer(server) as peer:
        yield
        assert call(peer, "still") == ["still"]


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


CASES: list[tuple[str, list[Any], list[Any]]] = [
    # The event's own array counts for two, its name for one.
    (
        "too many JSON values",
        [0] * (LIMITS["MAX_JSON_VALUES"] - 3),
        [0] * (LIMITS["MAX_JSON_VALUES"] - 2),
    ),
    (
        "JSON nested too deeply",
        [nested(LIMITS["MAX_NESTING_DEPTH"] - 1)],
        [nested(LIMITS["MAX_NESTING_DEPTH"])],
    ),
    (
        "too many attachments",
        [b"x"] * LIMITS["MAX_ATTACHMENTS"],
        [b"x"] * (LIMITS["MAX_ATTACHMENTS"] + 1),
    ),
]


@pytest.mark.parametrize(("text", "at", "above"), CASES, ids=[case[0] for case in CASES])
def test_data(server: Server, text: str, at: list[Any], above: list[Any]) -> None:
    with open_peer(server) as peer:
        assert call(peer, *at) == at
    peer = open_peer(server)
    with server.counting("limits", text):
        peer.send(pack(2, ["echo", *above]))
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_auth(server: Server) -> None:
    size = LIMITS["MAX_AUTH_SIZE"] - len(pack(0, {"token": "x" * 400})) + 400
    open_peer(server, {"token": "x" * size}).leave()
    with Peer(server) as peer, server.counting("limits", "auth too large"):
        peer.handshake()
        peer.send(pack(0, {"token": "x" * (size + 1)}))
        answer = take(peer)
        assert answer == {"type": 4, "nsp": "/", "data": {"message": "auth too large"}}


@pytest.mark.parametrize(
    "message",
    ["40", '42["echo"]', b"\xc1", b"\x81", pack(2, ["echo", float("nan")]), pack(2, ["connect"])],
    ids=["CONNECT", "EVENT", "no MessagePack", "too short", "NaN", "reserved name"],
)
def test_what_is_no_packet(server: Server, message: str | bytes) -> None:
    peer = open_peer(server)
    peer.send(message)
    assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_a_large_event_is_counted_while_it_waits(server: Server) -> None:
    """In memory, not in bytes on the wire."""
    empty: list[Any] = [[]] * (LIMITS["MAX_JSON_VALUES"] // 3 - 1)
    with open_peer(server) as peer:
        for _ in range(3):
            assert call(peer, *empty) == empty
