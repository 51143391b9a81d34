"""What clients make of limits per address: they come again, or know that they need not."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from django_socketio.sockets.clients import TOO_MANY_REFUSALS_OF_ADDRESS
from django_socketio.sockets.places import TOO_FAST
from tests.conftest import MakeServer
from tests.harness.node import TRANSPORTS, Runner

NUMBER = 3


@pytest.mark.node
def test_javascript_clients_come_again(
    node_runner: Runner, own_server: MakeServer, client: str
) -> None:
    server = own_server(socketio={"MAX_HANDSHAKES_PER_ADDRESS": 1})
    runs = [
        node_runner.start("turned_away", server.url, client, transport, number=2)
        for transport in TRANSPORTS
    ]
    seen = [run.result() for run in runs]
    assert [one["sum"] for one in seen] == [[2]] * len(TRANSPORTS)
    errors = sum(one["errors"] for one in seen)
    assert server.state()["counted"]["limits"][TOO_FAST] >= errors > 0


@pytest.mark.node
def test_javascript_clients_that_are_refused_know_why(
    node_runner: Runner, own_server: MakeServer
) -> None:
    """Those of version 3 try again after any loss of their connection, whatever they were told."""
    server = own_server(socketio={"MAX_REFUSALS_PER_ADDRESS": 1})
    runs = [
        node_runner.start("refused_too_often", server.url, transport=transport, number=NUMBER)
        for transport in TRANSPORTS
    ]
    for run in runs:
        seen = run.result()
        assert seen == {"messages": ["Login required"] * NUMBER, "retries": 0, "sum": [2]}
    assert server.state()["counted"]["limits"][TOO_MANY_REFUSALS_OF_ADDRESS] > 0


async def test_python_clients_come_again(own_server: MakeServer, transport: str) -> None:
    server = own_server(socketio={"MAX_HANDSHAKES_PER_ADDRESS": 1})
    clients = [
        socketio.AsyncClient(reconnection_delay=0.1, reconnection_delay_max=0.3)
        for _ in range(NUMBER)
    ]
    transports = None if transport == "default" else [transport]
    try:
        await asyncio.gather(
            *(
                client.connect(server.url, namespaces=["/lab"], transports=transports, retry=True)
                for client in clients
            )
        )
        assert await clients[-1].call("add", (1, 1), namespace="/lab") == 2
        assert server.state()["counted"]["limits"][TOO_FAST] >= 1
    finally:
        for client in clients:
            await client.shutdown()
