"""Whoever fills the way between two processes waits, or loses his own tunnel; nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from django_socketio.addressing.delivery import NORMAL
from django_socketio.addressing.ids import new_node
from django_socketio.addressing.target import Target
from django_socketio.cluster.alone import Alone
from django_socketio.cluster.cluster import Cluster
from django_socketio.conf import get_settings
from django_socketio.packets import EncodedPacket
from django_socketio.runtime.runtime import Runtime
from django_socketio.sockets.local import Local
from django_socketio.sockets.members import LocalMembers
from django_socketio.stats import counters
from django_socketio.transports.forwarding import serve_forwarded
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.layers import Exchange, Layer
from tests.unit.transports.forwarding import Connection, Forwarding, GateHub

BUFFER = get_settings().max_layer_buffer_size
LIMIT = get_settings().max_http_buffer_size
# As many clients at their limit as are more than enough to fill the buffer.
CROWD = BUFFER // LIMIT + 4


def make_process(exchange: Exchange, accept: Any = None) -> Cluster:
    loop, settings, node = asyncio.get_running_loop(), get_settings(), new_node()
    runtime = Runtime(loop, settings)
    members = LocalMembers(Local(runtime, settings, node, Alone(node, runtime)))
    return Cluster(runtime, settings, Layer(exchange), node, members, accept)


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The owner: it sends frames back, and refuses requests without a look at their bodies."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": b"Session ID unknown"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        # "frames,bytes": so much is asked for.
        text = message.get("text") or ""
        number, _, size = text.partition(",")
        frames = ["x" * int(size)] * int(number) if size else [text]
        for frame in frames:
            await send({"type": "websocket.send", "text": frame})


class Site(Forwarding):
    """Two processes on a layer that a test can stop for a moment, and a client in between."""

    def __init__(self) -> None:
        exchange = Exchange()
        self.gate: Any = make_process(exchange)
        self.owner: Any = make_process(
            exchange, partial(serve_forwarded, {"http": serve, "websocket": serve})
        )
        self.owner_name = self.owner.bus.node
        self.hub = GateHub(self.gate)
        self.hub.settings = get_settings()
        self.bystander = Connection()
        self.carrying: list[asyncio.Task[None]] = []

    async def start(self) -> Site:
        self.gate.start(listen=True)
        self.owner.start(listen=True)
        await eventually(lambda: len(self.gate.peers) == len(self.owner.peers) == 1)
        await self.websocket_of(self.bystander)
        return self

    async def stop(self) -> None:
        for task in self.carrying:
            task.cancel()
        await asyncio.gather(*self.carrying, return_exceptions=True)
        await self.gate.stop(0)
        await self.owner.stop(0)

    async def websocket_of(self, client: Connection) -> Connection:
        """Carry a client's WebSocket, which is accepted."""
        self.carrying.append(self.websocket(client))
        await eventually(lambda: client.sent)
        return client

    def hold(self, process: Any) -> asyncio.Event:
        """What a process sends waits, until the event is set."""
        opened: asyncio.Event = process.bus._layer._backend.open
        opened.clear()
        return opened

    async def is_well(self) -> bool:
        """Whether the client in between is still carried, and has missed nothing."""
        self.bystander.sent.clear()
        self.bystander.put("websocket.receive", text="well?")
        await eventually(lambda: self.bystander.sent)
        return self.bystander.values("text") == ["well?"]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    dropped, lost = counters.layer["dropped"], counters.layer["lost"]
    site = await Site().start()
    yield site
    assert await site.is_well()
    await site.stop()
    assert (counters.layer["dropped"], counters.layer["lost"]) == (dropped, lost)


async def a_moment(until: Callable[[], Any]) -> None:
    """Time for what should not happen to happen, once ``until`` is true."""
    await eventually(until)
    await asyncio.sleep(0.05)


def waiting_bytes(process: Any) -> int:
    size: int = process.bus._outbox.size
    return size


async def test_tunnel_overflow_by_one_client_past_its_limit(site: Site) -> None:
    """Compressed, such messages take a few kilobytes: the gate checks the size, too."""
    attacker = await site.websocket_of(Connection())
    opened = site.hold(site.gate)
    for _ in range(BUFFER // LIMIT + 1):
        attacker.put("websocket.receive", bytes=b"\0" * (LIMIT + 1))
    await a_moment(lambda: attacker.read)
    assert waiting_bytes(site.gate) < LIMIT
    opened.set()
    await eventually(lambda: attacker.values("code") == [1009])


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
async def test_tunnel_overflow_the_limit_at_the_gate(site: Site, size: int) -> None:
    """Just at it, and just above; what counts are bytes."""
    client = await site.websocket_of(Connection())
    client.put("websocket.receive", text="é" * (size // 2) + "x" * (size % 2))
    await eventually(lambda: len(client.sent) > 1)
    assert [message["type"] for message in client.sent[1:]] == [
        "websocket.send" if size == LIMIT else "websocket.close"
    ]


async def test_tunnel_overflow_by_many_clients_within_their_limits(site: Site) -> None:
    crowd = [await site.websocket_of(Connection()) for _ in range(CROWD)]
    opened = site.hold(site.gate)
    for client in crowd:
        client.put("websocket.receive", text="x" * LIMIT)
        client.put("websocket.receive", text="y" * LIMIT)
    await a_moment(lambda: waiting_bytes(site.gate) > BUFFER // 4)
    assert waiting_bytes(site.gate) <= BUFFER // 2 + 2 * LIMIT
    opened.set()
    # Each gets its turn, and everything back.
    for client in crowd:
        await eventually(lambda client=client: len(client.values("text")) == 2)  # type: ignore[misc]
        assert [text[0] for text in client.values("text")] == ["x", "y"]


async def test_tunnel_overflow_by_many_answers(site: Site) -> None:
    """The same the other way round: what the owner sends may be large, whatever its clients say."""
    crowd = [await site.websocket_of(Connection()) for _ in range(CROWD)]
    opened = site.hold(site.owner)
    for client in crowd:
        client.put("websocket.receive", text=f"3,{LIMIT}")
    await a_moment(lambda: waiting_bytes(site.owner) > BUFFER // 4)
    assert waiting_bytes(site.owner) <= BUFFER // 2 + 2 * LIMIT
    opened.set()
    for client in crowd:
        await eventually(lambda client=client: len(client.values("text")) == 3)  # type: ignore[misc]


async def test_tunnel_overflow_by_bodies_for_sessions_that_do_not_exist(site: Site) -> None:
    """Not a byte of them is read: the owner has not asked for it."""
    opened = site.hold(site.gate)
    crowd = [Connection(b"x" * LIMIT) for _ in range(CROWD)]
    requests = [site.http(client, "POST") for client in crowd]
    await a_moment(lambda: waiting_bytes(site.gate))
    assert waiting_bytes(site.gate) < LIMIT
    opened.set()
    await soon(asyncio.gather(*requests))
    assert [(client.read, client.values("status")) for client in crowd] == [(0, [400])] * CROWD


async def test_tunnel_overflow_by_what_never_fits(site: Site) -> None:
    """A frame that is larger than the whole buffer ends the tunnel of its own client."""
    client = await site.websocket_of(Connection())
    too_large = counters.layer["too large for a tunnel"]
    client.put("websocket.receive", text=f"1,{BUFFER + 1}")
    await eventually(lambda: client.values("code") == [1012])
    assert counters.layer["too large for a tunnel"] == too_large + 1


async def test_tunnel_overflow_by_broadcasts() -> None:
    """They are what is dropped, and what tunnels carry stays, however old it is."""
    site = await Site().start()
    opened = site.hold(site.gate)
    dropped = counters.layer["dropped"]
    for number in range(100):
        site.bystander.put("websocket.receive", text=f"frame {number}")
    await a_moment(lambda: waiting_bytes(site.gate))
    packet = EncodedPacket('2["' + "x" * LIMIT + '"]')
    sid = site.owner_name + "x" * 20
    for _ in range(CROWD):
        site.gate.emit(Target("/", ("room",)), packet, NORMAL)
        # To one socket: these go to the same process as the tunnel.
        site.gate.emit(Target("/", (sid,)), packet, NORMAL)
    assert counters.layer["dropped"] > dropped
    site.bystander.sent.clear()
    opened.set()
    await eventually(lambda: len(site.bystander.sent) == 100)
    assert site.bystander.values("text") == [f"frame {number}" for number in range(100)]
    assert await site.is_well()
    await site.stop()
