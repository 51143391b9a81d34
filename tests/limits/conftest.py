"""Servers with limits so small that a test can go past each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.servers import HOSTILE, SERVERS, Server, Servers
from tests.harness.wire import Peer, open_peer

LIMITS: dict[str, Any] = {
    "MAX_HTTP_BUFFER_SIZE": 20_000,
    "MAX_PACKETS_PER_PAYLOAD": 50,
    "MAX_ATTACHMENTS": 5,
    "MAX_ATTACHMENTS_SIZE": 30_000,
    "MAX_NESTING_DEPTH": 10,
    "MAX_JSON_VALUES": 1000,
    "MAX_AUTH_SIZE": 640,
    "MAX_EVENT_NAME_LENGTH": 30,
    "MAX_NAMESPACE_LENGTH": 50,
    "MAX_ROOM_NAME_LENGTH": 40,
    "MAX_NAMESPACES": 5,
    "MAX_ROOMS": 20,
    "MAX_PENDING_ACKS": 10,
    "MAX_PENDING_EVENTS": 30,
    "MAX_PENDING_EVENTS_SIZE": 50_000,
    "MAX_PENDING_EVENTS_TOTAL_SIZE": 1_000_000,
    "MAX_WRITE_BUFFER_SIZE": 1_000_000,
    "MAX_THREADS_PER_CLIENT": 2,
    "MAX_WAITING_THREADS": 3,
    "ACK_TIMEOUT": 0.3,
}
TIMES: dict[str, Any] = {
    "PING_INTERVAL": 1,
    "PING_TIMEOUT": 1.5,
    "CONNECT_TIMEOUT": 1.5,
    "UPGRADE_TIMEOUT": 0.5,
    "ATTACHMENTS_TIMEOUT": 0.5,
    "BODY_TIMEOUT": 1,
    "MAX_PENDING_SESSIONS": 10,
}
ADDRESSES: dict[str, Any] = {
    "MAX_PENDING_SESSIONS": 8,
    "MAX_PENDING_SESSIONS_PER_ADDRESS": 5,
    "MAX_HANDSHAKES_PER_ADDRESS": 20,
    "MAX_REFUSALS": 4,
    "MAX_REFUSALS_PER_ADDRESS": 6,
    "CONNECT_TIMEOUT": 5,
}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    """A server with small limits, daphne, then uvicorn."""
    server = servers.get(request.param, app=HOSTILE, socketio=LIMITS)
    yield server
    server.check_log()


@pytest.fixture
def daphne(servers: Servers) -> Iterator[Server]:
    """The same on daphne alone."""
    server = servers.get("daphne", app=HOSTILE, socketio=LIMITS)
    yield server
    server.check_log()


@pytest.fixture
def uvicorn(servers: Servers) -> Iterator[Server]:
    """The same on uvicorn alone, where daphne has no part in what is tested."""
    server = servers.get("uvicorn", app=HOSTILE, socketio=LIMITS)
    yield server
    server.check_log()


@pytest.fixture(params=SERVERS)
def impatient(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    """A server that waits for nobody for long."""
    server = servers.get(request.param, app=HOSTILE, socketio=TIMES)
    # The sessions that other tests have begun are over.
    server.until(lambda state: state["held"]["pending"] == 0, "the unfinished handshakes to end")
    yield server
    server.check_log()


@pytest.fixture(params=SERVERS)
def crowded(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    """A server with small limits for an address."""
    server = servers.get(request.param, app=HOSTILE, socketio=ADDRESSES)
    server.until(lambda state: state["held"]["pending"] == 0, "the unfinished handshakes to end")
    yield server
    server.check_log()


@pytest.fixture
def bystander(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A client that was there before, and is still served after the test."""
    (name,) = {"server", "daphne", "uvicorn", "impatient", "crowded"} & set(request.fixturenames)
    with open_peer(request.getfixturevalue(name)) as peer:
        yield peer
        assert peer.echoes()
