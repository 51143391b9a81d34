"""The hook `ready`: it runs when the client has been told that it is in, before its events."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.signals import socket_connected, socket_disconnected
from django_socketio.stats import counters
from tests.harness.inprocess import Frames, Poller
from tests.harness.waiting import DEADLINE, eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

Errors = Callable[[], list[logging.LogRecord]]


class Gated(SocketIOConsumer):
    """Waits in `ready` until the test opens its gate; notes what runs."""

    seen: list[Any]
    gate: asyncio.Event

    async def ready(self) -> None:
        self.seen.append("ready begins")
        await self.gate.wait()
        self.seen.append("ready ends")

    @event
    async def note(self, value: Any) -> Any:
        self.seen.append(value)
        return value

    @event(concurrent=True)
    async def overlap(self, value: Any) -> Any:
        self.seen.append(value)
        return value

    async def disconnect(self, reason: str) -> None:
        self.seen.append(reason)


async def all_is_read(client: Frames) -> None:
    """Wait until the server has read what the client has sent."""
    register("/barrier")(Base)
    await client.enter("/barrier")


@pytest.fixture
def gated() -> type[Gated]:
    members = {"seen": [], "gate": asyncio.Event()}
    consumer = type("Consumer", (Gated,), members)
    register("/")(consumer)
    return consumer


async def test_it_runs_when_the_client_has_been_told(frames: OpenFrames) -> None:
    told: list[bool] = []

    @register("/")
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.emit("from connect")

        async def ready(self) -> None:
            told.append(self.connected)
            self.emit("from ready")

    client = await frames()
    await client.send("40")
    assert (await client.receive()).startswith('40{"sid":')
    assert [await client.receive(), await client.receive()] == [
        '42["from connect"]',
        '42["from ready"]',
    ]
    assert told == [True]


@pytest.mark.parametrize("plain", [False, True])
async def test_everything_reaches_the_client_in_it(connect: Connect, plain: bool) -> None:
    found: list[Any] = []

    class Joining(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("room")

    class Async(Joining):
        async def ready(self) -> None:
            io.emit("all")
            io.to(self.sid).emit("sid")
            io.to("room").emit("room")
            found.extend(socket.sid for socket in await io.afetch_sockets())
            found.append(await self.acall("question", 1))
            found.append(await io.to(self.sid).acall("question", 2))

    class Plain(Joining):
        def ready(self) -> None:
            io.emit("all")
            io.to(self.sid).emit("sid")
            io.to("room").emit("room")
            found.extend(socket.sid for socket in io.fetch_sockets())
            found.append(self.call("question", 1))
            found.append(io.to(self.sid).call("question", 2))

    register("/")(Plain if plain else Async)
    client = await connect()
    assert [(await client.receive_event())[0] for _ in range(3)] == ["all", "sid", "room"]
    assert await client.receive_event() == ("question", [1])
    await client.acknowledge("one")
    assert await client.receive_event() == ("question", [2])
    await client.acknowledge("two")
    await eventually(lambda: len(found) == 3, "the answers")
    assert found == [client.sid, "one", ["two"]]


async def test_a_plain_one_runs_in_a_worker_thread(connect: Connect) -> None:
    threads: list[str] = []

    @register("/")
    class Consumer(SocketIOConsumer):
        def ready(self) -> None:
            threads.append(threading.current_thread().name)

        @event
        async def after(self) -> None: ...

    await (await connect()).call("after")
    assert threads != [threading.main_thread().name]


async def test_no_event_is_handled_before_it_has_returned(
    frames: OpenFrames, gated: type[Gated]
) -> None:
    client = await frames()
    await client.enter()
    await client.send('421["note","a"]', '422["overlap","b"]', '423["note","c"]')
    await all_is_read(client)
    assert gated.seen == ["ready begins"]
    gated.gate.set()
    assert sorted([await client.receive() for _ in range(3)]) == [
        '431["a"]',
        '432["b"]',
        '433["c"]',
    ]
    assert gated.seen[:2] == ["ready begins", "ready ends"]
    assert [value for value in gated.seen if value in ("a", "c")] == ["a", "c"]


async def test_an_overlapping_event_does_not_wait_for_those_before_it(frames: OpenFrames) -> None:
    gate, later = asyncio.Event(), asyncio.Event()

    @register("/")
    class Consumer(SocketIOConsumer):
        async def ready(self) -> None:
            await gate.wait()

        @event
        async def slow(self) -> None:
            await later.wait()

        @event(concurrent=True)
        async def quick(self) -> None:
            later.set()

    client = await frames()
    await client.enter()
    await client.send('421["slow"]', '422["quick"]')
    await all_is_read(client)
    gate.set()
    assert {await client.receive(), await client.receive()} == {"431[]", "432[]"}


async def test_it_holds_events_over_polling(poller: Poller, gated: type[Gated]) -> None:
    await poller.open()
    await poller.send("40")
    (packet,) = await poller.receive()
    assert packet.startswith('40{"sid":')
    await poller.send('421["note","a"]', '422["overlap","b"]')
    assert gated.seen == ["ready begins"]
    gated.gate.set()
    answers: list[str] = []
    while len(answers) < 2:
        answers += await poller.receive()
    assert sorted(answers) == ['431["a"]', '432["b"]']


async def test_the_events_of_other_namespaces_go_on(frames: OpenFrames, gated: type[Gated]) -> None:
    register("/free")(type("Free", (Gated,), {"ready": SocketIOConsumer.ready, "seen": []}))
    client = await frames()
    await client.enter("/")
    await client.enter("/free")
    await client.send('421["note",1]', '42/free,1["note",2]')
    assert await client.receive() == "43/free,1[2]"
    gated.gate.set()
    assert await client.receive() == "431[1]"


async def test_reading_pauses_when_too_many_events_wait(
    frames: OpenFrames, gated: type[Gated], settings: Any
) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS": 5}
    client = await frames()
    await client.enter()
    await client.send(*(f'42{number}["note",{number}]' for number in range(20)))
    await eventually(lambda: len(client._inbox) == 14, "the server to pause")
    gated.gate.set()
    assert [await client.receive() for _ in range(20)] == [f"43{n}[{n}]" for n in range(20)]


@pytest.mark.parametrize("plain", [False, True])
async def test_an_exception_in_it_is_logged_and_the_client_stays(
    connect: Connect, errors: Errors, plain: bool
) -> None:
    class Echo(SocketIOConsumer):
        @event
        async def echo(self, value: Any) -> Any:
            return value

    class Async(Echo):
        async def ready(self) -> None:
            raise ValueError("on purpose")

    class Plain(Echo):
        def ready(self) -> None:
            raise ValueError("on purpose")

    register("/")(Plain if plain else Async)
    counted = counters.handler_errors["ready"]
    client = await connect()
    assert await client.call("echo", 1) == 1
    assert [record.getMessage() for record in errors()] == ["ready() of namespace / failed"]
    assert errors()[0].exc_info is not None
    assert counters.handler_errors["ready"] == counted + 1


@pytest.mark.parametrize("leave", ["drop", "41"])
async def test_a_client_that_leaves_while_it_runs(
    frames: OpenFrames, gated: type[Gated], leave: str
) -> None:
    client = await frames()
    await client.enter()
    await client.send('42["note","before"]')
    await eventually(lambda: gated.seen == ["ready begins"])
    if leave == "drop":
        client.put("disconnect", code=1000)
    else:
        await client.send("41")
        await all_is_read(client)
    assert gated.seen == ["ready begins"]
    gated.gate.set()
    reason = "transport close" if leave == "drop" else "client namespace disconnect"
    await eventually(lambda: len(gated.seen) == 4, "disconnect()")
    assert gated.seen == ["ready begins", "ready ends", "before", reason]


async def test_a_client_that_is_sent_away_in_it(frames: OpenFrames) -> None:
    seen: list[str] = []

    @register("/")
    class Consumer(SocketIOConsumer):
        async def ready(self) -> None:
            self.close()
            seen.append("ready")

        async def disconnect(self, reason: str) -> None:
            seen.append(reason)

    client = await frames()
    await client.enter()
    assert await client.receive() == "41"
    await eventually(lambda: len(seen) == 2, "disconnect()")
    assert seen == ["ready", "server namespace disconnect"]


async def test_one_that_waits_for_a_client_that_has_left(connect: Connect) -> None:
    seen: list[str] = []

    @register("/")
    class Consumer(SocketIOConsumer):
        async def ready(self) -> None:
            await self.acall("question")

        async def disconnect(self, reason: str) -> None:
            seen.append(reason)

    client = await connect()
    assert await client.receive_event() == ("question", [])
    await client.disconnect()
    assert seen == ["transport close"]  # and no error is logged


async def test_the_signals_come_around_it(connect: Connect) -> None:
    seen: list[str] = []

    @register("/")
    class Consumer(SocketIOConsumer):
        async def ready(self) -> None:
            seen.append("ready")

        async def disconnect(self, reason: str) -> None:
            seen.append("disconnect")

    def connected(**kwargs: Any) -> None:
        seen.append("socket_connected")

    def disconnected(**kwargs: Any) -> None:
        seen.append("socket_disconnected")

    socket_connected.connect(connected, sender=Consumer)
    socket_disconnected.connect(disconnected, sender=Consumer)
    try:
        client = await connect()
        await eventually(lambda: "ready" in seen, "ready()")
        await client.disconnect()
        await eventually(lambda: len(seen) == 4, "the signals", DEADLINE)
    finally:
        socket_connected.disconnect(connected, sender=Consumer)
        socket_disconnected.disconnect(disconnected, sender=Consumer)
    assert seen == ["socket_connected", "ready", "disconnect", "socket_disconnected"]


@pytest.mark.parametrize("arguments", ["self, auth", "self, *, key", ""])
def test_it_takes_no_argument(arguments: str) -> None:
    members: dict[str, Any] = {}
    exec(f"async def ready({arguments}): ...", members)
    with pytest.raises(TypeError):
        type("Consumer", (SocketIOConsumer,), {"ready": members["ready"]})


async def test_a_server_that_ends_its_task(frames: OpenFrames, gated: type[Gated]) -> None:
    client = await frames()
    await client.enter()
    await client.send('421["note","a"]', '422["overlap","b"]')
    await all_is_read(client)
    client.task.cancel()
    await eventually(lambda: "transport close" in gated.seen, "disconnect()")
    assert gated.seen[0] == "ready begins"
    assert "ready ends" not in gated.seen
