"""What else the project serves works beside Socket.IO: Channels' own WebSockets, Django, Redis."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_plainly

from tests.conftest import MakeServer
from tests.harness.node import Runner
from tests.harness.servers import Server


def plain(server: Server) -> ClientConnection:
    return connect_plainly(f"ws://127.0.0.1:{server.port}/plain/", proxy=None)


@pytest.mark.node
def test_a_plain_channels_route(node_runner: Runner, server: Server) -> None:
    with plain(server) as first:
        first.send("text")
        assert first.recv(10) == "text"
        run = node_runner.start(
            "session_user", server.url, namespace="/members", cookie=server.log_in("ada")
        )
        run.wait_for("connected")
        with plain(server) as second:
            second.send(b"\x00\x01")
            assert second.recv(10) == b"\x00\x01"
        run.go("go on")
        assert run.result() == "ada"
        first.send("still here")
        assert first.recv(10) == "still here"


def test_other_paths_are_not_ours(server: Server) -> None:
    with pytest.raises(HTTPError) as error:
        server.request("/nothing/")
    assert error.value.code == 404
    with (
        pytest.raises(InvalidStatus),
        connect_plainly(
            f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=nonsense", proxy=None
        ),
    ):
        pass


@pytest.mark.node
@pytest.mark.redis
def test_with_a_redis_channel_layer(
    node_runner: Runner, own_server: MakeServer, redis_url: str, transport: str
) -> None:
    server = own_server(redis=redis_url)
    seen = node_runner.run("rooms", server.url, transport=transport)
    assert seen["all"] == {"a": ["everybody"], "b": ["everybody"], "c": []}
    assert seen["answers"] == ["a", "b"]
    with plain(server) as first, plain(server) as second:
        first.send("all: of us")
        assert first.recv(10) == second.recv(10) == "all: of us"
