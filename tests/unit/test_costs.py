"""What things cost, counted: tasks, timers, encodings, copies, memory; and slow readers."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

import django_socketio
from django_socketio import SocketIOConsumer, event, io
from django_socketio.asgi import SocketIOApplication
from django_socketio.engineio import Frame, Session
from django_socketio.packets import Decoder
from django_socketio.runtime.steps import resume, start
from django_socketio.server.hubs import current_hub
from django_socketio.server.registry import registry
from django_socketio.sockets.client import Client
from django_socketio.sockets.socket import Socket
from django_socketio.stats import counters
from django_socketio.transports import PollingConsumer, WebSocketConsumer, websocket
from tests.harness.inprocess import Exchange, Frames
from tests.harness.protocol import POLLING
from tests.unit.peers import (
    CountingCodec,
    connect,
    counted_tasks,
    counted_timers,
    eventually,
    leave,
    make_application,
)

MEMBERS = 1000
BUFFER = 200_000
# Bytes that a session on a WebSocket, with a socket in one namespace and a room, may keep.
MOST_PER_SESSION = 4_000 if sys.version_info >= (3, 11) else 5_500  # objects were larger


class Everyone(SocketIOConsumer):
    """Puts everybody into one room; notes why they leave."""

    reasons: Counter[str]
    gate: asyncio.Event

    async def connect(self, auth: Any) -> None:
        self.join("room")

    async def disconnect(self, reason: str) -> None:
        self.reasons[reason] += 1

    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        self.emit("echo", *args)
        return args

    @event
    async def forward(self, *args: Any) -> None:
        self.to("room").emit("forward", *args)

    @event
    async def wait(self) -> str:
        await self.gate.wait()
        return "waited"


@pytest.fixture
def reasons() -> Counter[str]:
    return Counter()


@pytest.fixture
def consumer(reasons: Counter[str]) -> Iterator[type[Everyone]]:
    consumer = type("Consumer", (Everyone,), {"reasons": reasons, "gate": asyncio.Event()})
    registry.register("/")(consumer)
    yield consumer
    registry.unregister("/")


@pytest.fixture
def application(consumer: type[Everyone]) -> Iterator[SocketIOApplication]:
    options = {
        "JSON": "tests.unit.peers.CountingCodec",
        "MAX_WRITE_BUFFER_SIZE": BUFFER,
        "MAX_PENDING_SESSIONS": 100_000,
        "MAX_PENDING_SESSIONS_PER_ADDRESS": 100_000,
        "MAX_HANDSHAKES_PER_ADDRESS": 100_000,
    }
    with override_settings(SOCKETIO=options):
        yield make_application()


# Sending to many


async def test_an_emit_to_a_room_makes_no_task_and_encodes_once(
    application: SocketIOApplication,
) -> None:
    peers = await connect(application, MEMBERS)
    CountingCodec.reset()
    with counted_tasks() as tasks, counted_timers() as timers:
        io.to("room").emit("news", {"a": [1, "é"]})
        # Written already: nothing was left for later.
        assert all(peer.texts == ['42["news",{"a":[1,"é"]}]'] for peer in peers)
        await asyncio.sleep(0)
    assert (tasks, timers, CountingCodec.encoded) == ([], [], 1)
    # Not even the message is made anew for each.
    assert len({id(peer.messages[0]) for peer in peers}) == 1
    await leave(peers)


async def test_an_emit_with_bytes_is_encoded_once_too(application: SocketIOApplication) -> None:
    peers = await connect(application, 100)
    CountingCodec.reset()
    with counted_tasks() as tasks:
        io.to("room").emit("news", b"\x01\x02", {"more": b"\x03"})
    assert (tasks, CountingCodec.encoded) == ([], 1)
    for peer in peers:
        text, *attachments = peer.messages
        assert text["text"].startswith('452-["news",')
        assert [message["bytes"] for message in attachments] == [b"\x01\x02", b"\x03"]
    assert len({id(peer.messages[1]) for peer in peers}) == 1
    await leave(peers)


async def test_an_emit_from_a_handler_costs_no_more(application: SocketIOApplication) -> None:
    peers = await connect(application, 100)
    CountingCodec.reset()
    with counted_tasks() as tasks:
        await peers[0].send('42["forward",1]')
        await peers[-1].heard(1)
        await asyncio.sleep(0)
    assert tasks == []
    assert (CountingCodec.encoded, CountingCodec.decoded) == (1, 1)
    assert peers[0].messages == []
    assert all(peer.texts == ['42["forward",1]'] for peer in peers[1:])
    await leave(peers)


async def test_awaiting_an_emit_that_everyone_took_makes_no_task(
    application: SocketIOApplication,
) -> None:
    peers = await connect(application, 100)
    with counted_tasks() as tasks:
        await io.to("room").emit("news")
        await io.emit("news")
    assert tasks == []
    assert all(len(peer.messages) == 2 for peer in peers)
    await leave(peers)


async def test_a_broken_connection_does_not_end_the_round(
    application: SocketIOApplication, caplog: pytest.LogCaptureFixture
) -> None:
    peers = await connect(application, 10)
    peers[3].broken = True
    for number in range(3):
        io.to("room").emit("news", number)
    expected = [f'42["news",{number}]' for number in range(3)]
    assert [peer.texts for peer in peers] == [[] if peer.broken else expected for peer in peers]
    assert caplog.records == []
    await leave(peers)


# Handlers


@pytest.mark.parametrize("ack", ["", "7"])
async def test_an_event_whose_handler_does_not_wait_makes_no_task(
    application: SocketIOApplication, ack: str
) -> None:
    (peer,) = await connect(application)
    CountingCodec.reset()
    answers = 2 if ack else 1
    with counted_tasks() as tasks, counted_timers() as timers:
        for number in range(500):
            await peer.send(f'42{ack}["echo",{number}]')
        await peer.heard(500 * answers)
    assert (tasks, timers) == ([], [])
    assert CountingCodec.encoded == 500 * answers
    assert CountingCodec.decoded == 500
    echoes = [text for text in peer.texts if text.startswith("42")]
    assert echoes == [f'42["echo",{number}]' for number in range(500)]
    acks = [text for text in peer.texts if text.startswith("43")]
    assert acks == ([f"437[{number}]" for number in range(500)] if ack else [])
    await leave([peer])


async def test_binary_events_make_no_task(application: SocketIOApplication) -> None:
    (peer,) = await connect(application)
    with counted_tasks() as tasks:
        for number in range(100):
            await peer.send('451-["echo",{"_placeholder":true,"num":0}]', bytes([number]))
        await peer.heard(200)
    assert tasks == []
    assert [message["bytes"] for message in peer.messages[1::2]] == [bytes([n]) for n in range(100)]
    await leave([peer])


async def test_a_handler_that_waits_costs_a_task_and_no_event_behind_it_does(
    application: SocketIOApplication, consumer: type[Everyone]
) -> None:
    (peer,) = await connect(application)
    with counted_tasks() as tasks:
        await peer.send('421["wait"]')
        for number in range(100):
            await peer.send(f'42["echo",{number}]')
        client = next(iter(current_hub().clients.values()))
        await eventually(lambda: client.backlog is not None and client.backlog.events == 100)
        assert peer.messages == []
        consumer.gate.set()
        await peer.heard(101)
    assert len(tasks) == 1
    assert peer.texts == ['431["waited"]', *(f'42["echo",{number}]' for number in range(100))]
    await leave([peer])


async def test_pongs_nobody_asked_for_cost_nothing(application: SocketIOApplication) -> None:
    (peer,) = await connect(application)
    hub = current_hub()
    before = len(hub.clients.wheel), len(hub.runtime.tasks)
    with counted_tasks() as tasks, counted_timers() as timers:
        await peer.send(*["3"] * 10_000)
        await peer.send('42["echo"]')
        await peer.heard(1)
    assert (tasks, timers) == ([], [])
    assert (len(hub.clients.wheel), len(hub.runtime.tasks)) == before
    assert peer.texts == ['42["echo"]']
    await leave([peer])


# Long-polling


async def test_a_poll_costs_no_task_and_a_post_one_if_it_has_events(
    application: SocketIOApplication,
) -> None:
    sid = json.loads((await request(application, "GET", ""))[1:])["sid"]
    assert await request(application, "POST", sid, b"40") == b"ok"
    assert (await request(application, "GET", sid)).startswith(b"40")
    await eventually(lambda: not current_hub().runtime.tasks)
    CountingCodec.reset()
    with counted_tasks() as tasks, counted_timers() as timers:
        # Ten events in one body are handled by one task, and their answers fetched without any.
        body = b"\x1e".join(b'42["echo",%d]' % number for number in range(10))
        assert await request(application, "POST", sid, body) == b"ok"
        assert tasks == ["Socket._work"]
        await eventually(lambda: not current_hub().runtime.tasks)
        assert (await request(application, "GET", sid)).count(b"echo") == 10
        assert len(tasks) == 1
        # A poll that waits gets one more for who looks whether its client is still there; not soon.
        poll = request(application, "GET", sid)
        waited_for = start(poll)
        io.emit("news")
        assert await resume(poll, waited_for) == b'42["news"]'
    assert tasks == ["Socket._work"]
    assert len(timers) == 1
    assert (CountingCodec.decoded, CountingCodec.encoded) == (10, 11)
    assert await request(application, "POST", sid, b"1") == b"ok"


# Slow readers


async def test_a_member_that_does_not_read_holds_up_nobody(
    application: SocketIOApplication,
    reasons: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT", 0.05)
    slow_clients = counters.limits["slow client"]
    peers = await connect(application, MEMBERS)
    slow, *fast = peers
    clients = list(current_hub().clients.values())
    session = clients[0].session
    slow.stuck = True
    text = "x" * 10_000
    highest = 0
    with counted_tasks() as tasks:
        for number in range(30):
            handed_over = io.to("room").emit("news", number, text)
            # Everybody else has it before emit() has even returned.
            assert all(len(peer.messages) == number + 1 for peer in fast)
            highest = max(highest, session.buffered)
            if number < 8:
                assert session.state == "open"
            elif number == 8:  # above its low-water mark now: only who awaits it waits for it
                assert len(slow.messages) == 0
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.ensure_future(handed_over), 0.01)
            await asyncio.sleep(0)  # the others answer pings
    assert BUFFER / 2 < highest <= BUFFER
    assert (session.state, session.close_reason) == ("closed", "transport error")
    assert session.buffered == 0
    assert not session.buffer
    assert counters.limits["slow client"] == slow_clients + 1
    await eventually(lambda: bool(reasons))
    assert reasons == {"transport error": 1}
    # The write that waits, the close, disconnect(); and the two of this test.
    assert len(tasks) <= 6
    # Nobody else was closed, and all have everything.
    assert [client.session.state for client in clients[1:]] == ["open"] * len(fast)
    expected = [f'42["news",{number},"{text}"]' for number in range(30)]
    assert all(peer.texts == expected for peer in fast)
    # The server's own task does not wait for such a client for ever either.
    await eventually(slow.task.done)
    await eventually(lambda: not current_hub().runtime.tasks)
    await leave(fast)


async def test_a_member_that_reads_again_gets_everything_in_order(
    application: SocketIOApplication, reasons: Counter[str]
) -> None:
    (peer,) = await connect(application)
    released = asyncio.get_running_loop().create_future()
    send = peer._send

    async def hesitate(message: dict[str, Any]) -> None:
        if not released.done():
            await released
        await send(message)

    (client,) = current_hub().clients.values()
    client.transport.base_send = hesitate  # type: ignore[attr-defined]
    with counted_tasks() as tasks:
        for number in range(100):
            io.emit("news", number)
        assert peer.messages == []
        released.set_result(None)
        await peer.heard(100)
    assert len(tasks) == 1
    assert peer.texts == [f'42["news",{number}]' for number in range(100)]
    await eventually(lambda: client.session.direct)
    io.emit("news", 100)
    assert len(peer.messages) == 101
    assert reasons == {}
    await leave([peer])


async def test_volatile_packets_are_not_kept_for_a_member_that_does_not_read(
    application: SocketIOApplication,
) -> None:
    slow, fast = await connect(application, 2)
    slow.stuck = True
    io.emit("news")
    client = next(iter(current_hub().clients.values()))
    for _ in range(100):
        io.volatile.emit("position", "x" * 10_000)
        await asyncio.sleep(0)
    assert client.session.buffered == 0
    assert len(fast.messages) == 101
    await leave([slow, fast])


# Sessions that do nothing


async def test_idle_sessions_share_a_few_timers(application: SocketIOApplication) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    with counted_timers() as timers:
        peers = await connect(application, 5000)
    # One for each second that it took, however many sessions began in it.
    most = loop.time() - start + 3
    assert len(current_hub().clients.wheel) <= most
    assert len(timers) <= most
    assert len(current_hub().runtime.tasks) == 0
    await leave(peers)


# Memory


@pytest.fixture
def no_log(caplog: pytest.LogCaptureFixture) -> None:
    """pytest keeps what is logged, which is memory too."""
    caplog.set_level(logging.CRITICAL, logger="django_socketio")


@pytest.mark.serial
async def test_an_idle_session_keeps_little(application: SocketIOApplication) -> None:
    """What the server's own part of a connection takes is not counted, as far as possible."""
    await leave(await connect(application, 100))
    gc.collect()
    tracemalloc.start(1)
    try:
        peers = await connect(application, 1000)
        gc.collect()
        package = tracemalloc.Filter(True, f"{Path(django_socketio.__file__).parent}/*")
        snapshot = tracemalloc.take_snapshot().filter_traces([package])
    finally:
        tracemalloc.stop()
    kept = sum(trace.size for trace in snapshot.statistics("filename"))
    assert kept / len(peers) < MOST_PER_SESSION
    await leave(peers)


KINDS = (Client, Socket, Session, Decoder, Frame, WebSocketConsumer, PollingConsumer, Frames)


def objects() -> Counter[str]:
    """How many objects of ours there are."""
    gc.collect()
    found: Counter[str] = Counter()
    for each in gc.get_objects():
        if isinstance(each, (*KINDS, SocketIOConsumer)):
            found[type(each).__name__] += 1
    return found


async def come_and_go(application: SocketIOApplication) -> None:
    """A thousand clients; some leave in mid-air."""
    peers = await connect(application, 1000)
    for number, peer in enumerate(peers):
        await peer.send('421["echo",{"some":"data"}]')
        if number % 3 == 0:
            await peer.send('451-["echo",{"_placeholder":true,"num":0}]')
        if number % 5 == 0:
            await peer.send("nonsense")
    io.emit("news", "x" * 1000)
    await leave(peers)
    await eventually(lambda: not current_hub().runtime.tasks)


@pytest.mark.usefixtures("no_log")
async def test_nothing_is_left_of_clients_that_have_left(
    application: SocketIOApplication, reasons: Counter[str]
) -> None:
    before = objects()
    await come_and_go(application)
    hub = current_hub()
    assert objects() == before
    assert (hub.clients, hub.local.namespaces, hub.runtime.tasks, hub.clients.pending) == (
        {},
        {},
        {},
        0,
    )
    assert reasons == {"transport close": 800, "parse error": 200}


@pytest.mark.usefixtures("no_log")
async def test_the_garbage_collector_has_nothing_to_do(application: SocketIOApplication) -> None:
    """What a client leaves behind is freed at once, for nothing of it refers to itself."""
    await leave(await connect(application))
    gc.collect()
    gc.disable()
    try:
        peers = await connect(application, 10)
        for peer in peers:
            await peer.send(
                '421["echo",{"some":"data"}]', '451-["echo",{"_placeholder":true,"num":0}]'
            )
            await peer.send(b"data")
        await leave(peers)
        await eventually(lambda: not current_hub().runtime.tasks)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = [each for each in gc.garbage if isinstance(each, (*KINDS, SocketIOConsumer))]
        assert found == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.serial
@pytest.mark.usefixtures("no_log")
async def test_memory_returns_to_where_it_was(application: SocketIOApplication) -> None:
    await come_and_go(application)
    gc.collect()
    tracemalloc.start()
    try:
        await come_and_go(application)
        gc.collect()
        left, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest > 5_000_000
    # Empty slots of the wheel stay until their time comes; a client is some 5000 bytes.
    assert left < 500_000


@pytest.mark.usefixtures("no_log")
async def test_nothing_is_left_of_clients_that_polled(application: SocketIOApplication) -> None:
    before = objects()
    sids = []
    for _ in range(200):
        answer = await request(application, "GET", "")
        sids.append(json.loads(answer[1:])["sid"])
    for number, sid in enumerate(sids):
        assert await request(application, "POST", sid, b"40") == b"ok"
        assert (await request(application, "GET", sid)).startswith(b'40{"sid":"')
        # Some say goodbye, others break the protocol.
        assert await request(application, "POST", sid, b"1" if number % 2 else b"what?") == b"ok"
    await eventually(lambda: not current_hub().runtime.tasks)
    hub = current_hub()
    assert (hub.clients, hub.local.namespaces, hub.clients.pending) == ({}, {}, 0)
    assert objects() == before


async def request(
    application: SocketIOApplication, method: str, sid: str, body: bytes = b""
) -> bytes:
    """An HTTP request, and the body of its answer."""
    query = POLLING + (f"&sid={sid}" if sid else "")
    exchange = Exchange(application, query, method, pieces=[body])
    await exchange.call()
    assert exchange.status == 200
    return exchange.body
