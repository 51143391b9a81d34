"""How connections end, told by both sides, and how they come back."""

from __future__ import annotations

import pytest

from tests.conftest import MakeServer
from tests.harness.node import CLIENTS, Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node

# The server gives up before the client does, who waits for the sum of both.
HEARTBEAT = {"PING_INTERVAL": 0.8, "PING_TIMEOUT": 0.3}


@pytest.mark.parametrize("whole", [False, True], ids=["namespace", "connection"])
def test_the_server_disconnects(
    node_runner: Runner, server: Server, client: str, transport: str, whole: bool
) -> None:
    options = {"client": client, "transport": transport}
    seen = node_runner.run("server_disconnects", server.url, **options, whole=whole)
    assert seen["reason"] == "io server disconnect"
    assert seen["other"] == (["io server disconnect"] if whole else [])
    assert seen["connected"] is not whole
    assert server.disconnect_of(seen["sids"][0])["reason"] == "server namespace disconnect"
    # The other namespace ends with the connection, or when the scenario ends.
    expected = "server namespace disconnect" if whole else "client namespace disconnect"
    assert server.disconnect_of(seen["sids"][1])["reason"] == expected


@pytest.mark.parametrize(
    ("how", "at_server", "at_client"),
    [
        ("namespace", "client namespace disconnect", "io client disconnect"),
        ("engine", "transport close", "forced close"),
        ("garbage", "parse error", "transport close"),
        ("reserved", "parse error", "transport close"),
    ],
)
def test_the_client_disconnects(
    node_runner: Runner,
    server: Server,
    client: str,
    transport: str,
    how: str,
    at_server: str,
    at_client: str,
) -> None:
    options = {"client": client, "transport": transport}
    seen = node_runner.run("client_disconnects", server.url, **options, how=how)
    entry = server.disconnect_of(seen["sid"])
    assert entry["reason"] == at_server
    assert entry["rooms"] == sorted([seen["sid"], "some room"])
    assert seen["reason"] == at_client


@pytest.mark.serial
def test_heartbeat(node_runner: Runner, own_server: MakeServer) -> None:
    server = own_server(socketio=HEARTBEAT)
    runs = [
        (how, transport, node_runner.start(scenario, server.url, client, transport, how=how))
        for scenario, how in (("heartbeat", ""), ("client_disconnects", "silent"))
        for client in CLIENTS
        for transport in ("polling", "websocket")
    ]
    for how, transport, run in runs:
        seen = run.result()
        if how == "silent":
            assert server.disconnect_of(seen["sid"])["reason"] == "ping timeout"
            assert seen["reason"] in ("transport close", "transport error"), transport
        else:
            assert seen == {"gone": [], "sum": [2]}


def test_clients_come_back_when_the_server_restarts(
    node_runner: Runner, own_server: MakeServer
) -> None:
    server = own_server()
    runs = [node_runner.start("reconnects", server.url, client=client) for client in CLIENTS]
    for run in runs:
        run.wait_for("connected")
    server.stop()
    for run in runs:
        run.wait_for("lost")
    server.start()
    for run in runs:
        seen = run.result()
        assert set(seen) == {"polling", "websocket", "default"}
        for one in seen.values():
            assert one["newId"] is True
            assert one["sum"] == [42]
            assert one["reason"] in ("transport close", "transport error")
