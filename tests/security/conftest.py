"""Servers for hostile clients: one of each kind for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.servers import HOSTILE, SERVERS, Server, Servers
from tests.harness.wire import Peer, open_peer


@pytest.fixture
def worker_threads(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """For tests in this process: a worker thread looks after its connections, query or no query."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    """The project with its default settings, on daphne, then on uvicorn."""
    server = servers.get(request.param, app=HOSTILE)
    yield server
    server.check_log()


@pytest.fixture
def uvicorn(servers: Servers) -> Iterator[Server]:
    """Where the server (daphne) reads a whole request before it hands it on, or does not differ."""
    server = servers.get("uvicorn", app=HOSTILE)
    yield server
    server.check_log()


@pytest.fixture
def bystander(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A client that was there before, and is still served after the test."""
    name = "server" if "server" in request.fixturenames else "uvicorn"
    with open_peer(request.getfixturevalue(name)) as peer:
        yield peer
        assert peer.echoes()
