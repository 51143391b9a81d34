"""An application with nothing around it, clients for it, and a registry that forgets each test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from django_socketio.asgi import SocketIOApplication
from django_socketio.server.registry import registry
from tests.harness.inprocess import Frames, Poller, nothing_else
from tests.server.clients import Client, is_running

Connect = Callable[..., Awaitable[Client]]
OpenFrames = Callable[..., Awaitable[Frames]]


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    """What a test registers is gone after it."""
    fixed, patterns = dict(registry._fixed), dict(registry._patterns)
    yield
    registry._fixed, registry._patterns = fixed, patterns


@pytest.fixture(autouse=True)
def _database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The session's middleware looks after open connections on its way, query or no query."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def _no_errors(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing is logged as an error in a test that does not ask for `errors`."""
    yield
    if "errors" not in request.fixturenames:
        logged = [
            record
            for record in caplog.get_records("call")
            if record.levelno >= logging.ERROR and record.name in ("django_socketio", "asyncio")
        ]
        assert not logged, [record.getMessage() for record in logged]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[..., list[logging.LogRecord]]:
    """The records of our logger, from a level on."""

    def records(level: int = logging.WARNING) -> list[logging.LogRecord]:
        return [
            record
            for record in caplog.records
            if record.name.partition(".")[0] == "django_socketio" and record.levelno >= level
        ]

    return records


@pytest.fixture
def errors(logged: Callable[..., list[logging.LogRecord]]) -> Callable[..., Any]:
    """The errors that were logged; a test that takes this expects some."""
    return lambda: logged(logging.ERROR)


@pytest.fixture
def application() -> SocketIOApplication:
    return SocketIOApplication(nothing_else)


@pytest_asyncio.fixture
async def connect(application: SocketIOApplication) -> AsyncIterator[Connect]:
    """Connects clients to a namespace; they are let go after the test."""
    clients: list[Client] = []

    async def make(namespace: str = "/", auth: Any = None, user: Any = None, **kw: Any) -> Client:
        client = Client(kw.pop("application", application), namespace, auth, user, **kw)
        clients.append(client)
        connected, details = await client.connect()
        assert connected, details
        return client

    yield make
    for client in clients:
        if is_running(client):
            await client.disconnect()


@pytest_asyncio.fixture
async def refused(application: SocketIOApplication) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Tries to connect, and returns what came with CONNECT_ERROR."""
    clients: list[Client] = []

    async def attempt(
        namespace: str = "/", auth: Any = None, user: Any = None, **kw: Any
    ) -> dict[str, Any]:
        client = Client(kw.pop("application", application), namespace, auth, user, **kw)
        clients.append(client)
        connected, details = await client.connect()
        assert not connected
        return details

    yield attempt
    for client in clients:
        await client.disconnect()


@pytest_asyncio.fixture
async def frames(application: SocketIOApplication) -> AsyncIterator[OpenFrames]:
    """Opens WebSockets that speak in frames; they are let go after the test."""
    clients: list[Frames] = []

    async def make(**kw: Any) -> Frames:
        client = Frames(kw.pop("application", application), **kw)
        clients.append(client)
        await client.open()
        return client

    yield make
    for client in clients:
        if not client.task.done():
            await client.drop()


@pytest.fixture
def poller(application: SocketIOApplication) -> Poller:
    return Poller(application)
