"""What a client proves itself with stays in its process: other processes, and Redis, see nothing.

Where SHARE_CREDENTIALS is True, ``fetch_sockets`` takes it along.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import django_socketio.transports
from django_socketio import SocketIOConsumer
from django_socketio.addressing.target import Target
from django_socketio.cluster.cluster import Cluster
from django_socketio.conf import Settings, get_settings
from django_socketio.server.hub import Hub
from django_socketio.server.hubs import current_hub
from django_socketio.transports.forwarding import OWNERS_HEADERS
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.layers import Exchange, Layer
from tests.unit.transports.forwarding import Connection, Forwarding, Served, echo

from .inprocess import opened, registered

TOLD = {b"accept-encoding": b"gzip", b"host": b"example.com", b"origin": b"https://example.com"}
SECRET = {
    b"cookie": b"sessionid=secret",
    b"authorization": b"Bearer secret",
    b"proxy-authorization": b"Basic secret",
}
HEADERS = [*SECRET.items(), (b"user-agent", b"a browser")]


class Recorder(Exchange):
    """Keeps what the layers carry, as Redis would see it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes] = []

    def put(self, channel: str, message: Any) -> None:
        super().put(channel, message)
        self.seen.append(self.queues[channel]._queue[-1])  # type: ignore[attr-defined]


class Neighbours:
    """This process, which has the sockets, and another one."""

    def __init__(self, settings: Settings) -> None:
        self.hub = current_hub()
        self.recorder = Recorder()
        self.alone = self.hub.others
        self.cluster = Cluster(
            self.hub.runtime, settings, Layer(self.recorder), self.hub.node, self.hub.members
        )
        self.hub.others = self.hub.local.others = self.cluster
        self.cluster.start(listen=True)
        other = Hub(asyncio.get_running_loop(), settings, Layer(self.recorder)).others
        assert isinstance(other, Cluster)
        self.other = other

    async def stop(self) -> None:
        await self.other.stop()
        await self.cluster.stop()
        self.hub.others = self.hub.local.others = self.alone


@pytest.fixture
async def neighbours(request: pytest.FixtureRequest) -> AsyncIterator[Neighbours]:
    found = Neighbours(replace(get_settings(), **getattr(request, "param", {})))
    await eventually(lambda: len(found.cluster.peers) == 1)
    yield found
    await found.stop()


async def fetched(neighbours: Neighbours) -> Any:
    """A socket's handshake in its own process, and in the other one."""
    with registered(SocketIOConsumer):
        wire = await opened(HEADERS)
        await wire.enter(auth={"token": "secret"})
        (own,) = neighbours.hub.members.describe(Target("/"))
        (there,), silent = await soon(neighbours.other.fetch(Target("/")))
        assert (there.sid, silent) == (own.sid, set())
        await wire.leave()
    return own.handshake, there.handshake


async def test_secrets_on_the_layer_fetch_sockets(neighbours: Neighbours) -> None:
    own, there = await fetched(neighbours)
    assert own.auth == {"token": "secret"}
    assert own.headers["cookie"] == "sessionid=secret"
    assert there.auth is None
    assert there.headers == {"host": "testserver", "user-agent": "a browser"}
    assert (there.query, there.address) == (own.query, own.address)
    assert neighbours.recorder.seen
    assert not any(b"secret" in message for message in neighbours.recorder.seen)


@pytest.mark.parametrize("neighbours", [{"share_credentials": True}], indirect=True)
async def test_secrets_on_the_layer_where_they_are_shared(neighbours: Neighbours) -> None:
    own, there = await fetched(neighbours)
    assert (there.headers, there.auth) == (own.headers, own.auth)


async def test_secrets_on_the_layer_carried_requests() -> None:
    """The owner gets the headers that it reads, and no others."""
    for kind in ("http", "websocket"):
        served = Served()
        pair, client = Forwarding(served), Connection()
        headers = [*TOLD.items(), *HEADERS]
        carrying = pair.forward(client, type=kind, method="GET", path="/", headers=headers)
        await soon(served.ends)
        assert served.scope["headers"] == list(TOLD.items())
        assert b"secret" not in repr(pair.gate.sent).encode()
        carrying.cancel()


async def test_secrets_on_the_layer_a_handshake_that_is_passed_on() -> None:
    """Another process takes the client over: its middleware wants the cookie."""
    seen: list[Any] = []

    async def note(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])
        await echo(scope, receive, send)

    pair, client = Forwarding(note), Connection()
    client.passed_on = True
    await soon(pair.forward(client, type="http", method="GET", path="/", headers=HEADERS))
    assert seen == HEADERS


def test_secrets_on_the_layer_all_headers_that_an_owner_reads_are_carried() -> None:
    """A transport that reads another header would not find it in a carried request."""
    folder = Path(django_socketio.transports.__file__).parent
    found = {
        name.encode()
        for path in folder.glob("*.py")
        if path.name != "files.py"  # answered where they arrive: no session owns them
        for name in re.findall(r'headers?(?:\.get)?[(\[]b"([a-z-]+)"', path.read_text())
    }
    assert b"origin" in found
    assert found <= OWNERS_HEADERS
