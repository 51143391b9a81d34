"""Plain handlers as a server runs them: in worker threads, next to each other."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import channels.db
import pytest
from django.contrib.auth.models import User
from django.db import connection

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.server.hubs import current_hub
from django_socketio.signals import event_received
from tests.harness.inprocess import Frames, Poller
from tests.harness.waiting import DEADLINE, eventually
from tests.server.clients import Client
from tests.server.conftest import OpenFrames
from tests.server.consumers import Base


async def test_they_run_in_threads_of_our_own(frames: OpenFrames) -> None:
    seen: dict[str, str] = {}

    def note(name: str) -> None:
        seen[name] = threading.current_thread().name

    @register()
    class Consumer(SocketIOConsumer):
        def authenticate(self, auth: Any) -> Any:
            note("authenticate")

        def connect(self, auth: Any) -> None:
            note("connect")

        @event
        def act(self) -> None:
            note("handler")

        def disconnect(self, reason: str) -> None:
            note("disconnect")

    client = await frames()
    await client.enter("/")
    await client.send('421["act"]')
    assert await client.receive() == "431[]"
    await client.drop()
    await eventually(lambda: len(seen) == 4, "disconnect()")
    assert all(name.startswith("django_socketio") for name in seen.values())


async def test_different_sockets_run_side_by_side(frames: OpenFrames) -> None:
    together = threading.Barrier(3, timeout=DEADLINE)

    @register()
    class Consumer(SocketIOConsumer):
        @event
        def meet(self) -> str:
            together.wait()
            return "met"

    clients = [await frames() for _ in range(3)]
    for client in clients:
        await client.enter("/")
        await client.send('421["meet"]')
    assert [await client.receive() for client in clients] == ['431["met"]'] * 3


async def test_concurrent_handlers_of_one_socket_run_side_by_side(frames: OpenFrames) -> None:
    together = threading.Barrier(3, timeout=DEADLINE)

    @register()
    class Consumer(SocketIOConsumer):
        @event(concurrent=True)
        def meet(self) -> str:
            together.wait()
            return "met"

    client = await frames()
    await client.enter("/")
    await client.send(*(f'42{number}["meet"]' for number in range(3)))
    packets = {await client.receive() for _ in range(3)}
    assert packets == {f'43{number}["met"]' for number in range(3)}


async def test_events_of_one_socket_keep_their_order(frames: OpenFrames) -> None:
    seen: list[int] = []
    running = threading.Lock()

    @register()
    class Consumer(Base):
        @event
        def plain(self, number: int) -> None:
            assert running.acquire(blocking=False), "two at a time"
            seen.append(number)
            running.release()

        @event
        async def not_plain(self, number: int) -> None:
            assert running.acquire(blocking=False), "two at a time"
            seen.append(number)
            running.release()

    client = await frames()
    await client.enter("/")
    for number in range(60):
        await client.send(f'42["{"plain" if number % 3 else "not_plain"}",{number}]')
    await client.send('421["barrier"]')
    assert await client.receive() == "431[true]"
    assert seen == list(range(60))


@pytest.mark.django_db(transaction=True)
async def test_the_orm_and_its_connections(
    frames: OpenFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_after: list[str] = []
    original = channels.db.close_old_connections

    def close_old_connections() -> None:
        looked_after.append(threading.current_thread().name)
        original()

    monkeypatch.setattr(channels.db, "close_old_connections", close_old_connections)

    @register()
    class Consumer(SocketIOConsumer):
        @event
        def count(self) -> list[Any]:
            looked_after.append("handler")
            return [User.objects.count(), connection.in_atomic_block]

    await User.objects.acreate(username="ada")
    client = await frames()
    await client.enter("/")
    looked_after.clear()
    await client.send('421["count"]')
    assert await client.receive() == "431[[1,false]]"
    # Before and after, in the handler's own thread.
    before, handler, after = looked_after
    assert handler == "handler"
    assert before == after
    assert before.startswith("django_socketio")


async def test_a_handler_may_ask_in_any_way(frames: OpenFrames) -> None:
    from asgiref.sync import async_to_sync

    answers: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        def ask(self) -> None:
            answers.append(self.call("one"))
            answers.append(async_to_sync(self.acall)("two"))
            answers.append(io.to(self.sid).call("three"))
            answers.append(io.fetch_sockets()[0].call("four"))

    client = await frames()
    await client.enter("/")
    await client.send('42["ask"]')
    for name in ("one", "two", "three", "four"):
        packet = await client.receive()
        head, _, _ = packet.partition("[")
        assert packet == f'{head}["{name}"]'
        await client.send(f'43{head[2:]}["{name}!"]')
    await client.send('429["barrier"]')
    assert await client.receive() == "439[true]"
    assert answers == ["one!", "two!", ["three!"], "four!"]


# Over polling there is no task that reads: each request is one.


@pytest.mark.parametrize("name", ["ask", "ask_plainly"])
async def test_questions_over_polling(poller: Poller, name: str) -> None:
    answers: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        async def ask(self) -> None:
            answers.append(await self.acall("question"))

        @event
        def ask_plainly(self) -> None:
            answers.append(self.call("question"))

    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send(f'42["{name}"]', '429["barrier"]')
    (packet,) = await poller.receive()
    await poller.send(f'43{packet[2:].partition("[")[0]}["answer"]')
    assert await poller.receive() == ["439[true]"]
    assert answers == ["answer"]


async def test_an_answer_after_the_upgrade(poller: Poller) -> None:
    answers: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        async def ask(self) -> None:
            answers.append(await self.acall("question"))

    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('42["ask"]')
    (packet,) = await poller.receive()
    websocket = await poller.upgrade()
    await websocket.send(f'43{packet[2:].partition("[")[0]}["answer"]', '429["barrier"]')
    assert await websocket.receive() == "439[true]"
    assert answers == ["answer"]
    await websocket.drop()


async def test_order_over_polling(poller: Poller) -> None:
    seen: list[int] = []

    @register()
    class Consumer(Base):
        @event
        async def slow(self, number: int) -> None:
            await asyncio.sleep(0.001)
            seen.append(number)

        @event
        async def fast(self, number: int) -> None:
            seen.append(number)

        @event
        def plain(self, number: int) -> None:
            seen.append(number)

    await poller.open()
    await poller.send("40")
    await poller.receive()
    for number in range(0, 30, 3):
        await poller.send(
            f'42["slow",{number}]', f'42["fast",{number + 1}]', f'42["plain",{number + 2}]'
        )
    await poller.send('429["barrier"]')
    assert await poller.receive() == ["439[true]"]
    assert seen == list(range(30))


# Two event loops in one process


async def test_io_reaches_the_sockets_of_every_loop(application: Any) -> None:
    @register()
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            self.join("room")

    here = Frames(application)
    await here.open()
    await here.enter("/")
    started, finish = threading.Event(), threading.Event()
    events: list[Any] = []

    async def elsewhere() -> None:
        client = Client(application)
        assert await client.connect()
        started.set()
        events.append(await client.receive_event())
        events.append(await client.receive_event())
        await client.acknowledge("there")
        events.append(await client.receive_event())
        await client.acknowledge("again")
        await eventually(finish.is_set, "the end")
        await client.disconnect()

    other = asyncio.create_task(asyncio.to_thread(asyncio.run, elsewhere()))
    try:
        await eventually(started.is_set, "the other loop")
        assert len(await io.to("room").afetch_sockets()) == 2
        io.to("room").emit("news", 1)
        assert await here.receive() == '42["news",1]'
        question = asyncio.create_task(io.to("room").acall("question"))
        packet = await here.receive()
        await here.send(f'43{packet[2:].partition("[")[0]}["here"]')
        assert sorted(await question) == ["here", "there"]
        (distant,) = [
            socket
            for socket in await io.afetch_sockets()
            if socket.sid not in current_hub().local.namespaces["/"].sockets
        ]
        assert await distant.acall("once more") == "again"
    finally:
        finish.set()
        await other
    assert events == [("news", [1]), ("question", []), ("once more", [])]
    assert len(await io.afetch_sockets()) == 1
    await here.drop()


# Receivers of signals


async def test_a_slow_receiver_holds_up_its_own_socket_only(frames: OpenFrames) -> None:
    gate = threading.Event()
    waiting: list[str] = []

    @register()
    class Consumer(Base):
        @event
        async def act(self) -> None: ...

    def receiver(socket: Any, event: str, **kwargs: Any) -> None:
        if event == "act":
            waiting.append(threading.current_thread().name)
            gate.wait(DEADLINE)

    event_received.connect(receiver)
    try:
        slow, other = await frames(), await frames()
        await slow.enter("/")
        await other.enter("/")
        await slow.send('421["act"]')
        await eventually(lambda: waiting, "the receiver")
        await other.send('422["barrier"]')
        assert await other.receive() == "432[true]"
        assert waiting[0].startswith("django_socketio")
        gate.set()
        assert await slow.receive() == "431[]"
    finally:
        gate.set()
        event_received.disconnect(receiver)


@pytest.mark.django_db(transaction=True)
async def test_receivers_of_both_kinds(frames: OpenFrames) -> None:
    seen: list[Any] = []

    def plain(**kwargs: Any) -> None:
        seen.append(("plain", threading.current_thread().name, User.objects.count()))

    async def not_plain(**kwargs: Any) -> None:
        seen.append(("async", threading.current_thread().name, await User.objects.acount()))

    register()(Base)
    event_received.connect(plain)
    event_received.connect(not_plain)
    try:
        client = await frames()
        await client.enter("/")
        await client.send('421["barrier"]')
        assert await client.receive() == "431[true]"
    finally:
        event_received.disconnect(plain)
        event_received.disconnect(not_plain)
    (kind, thread, count), (other_kind, other_thread, other_count) = sorted(seen, reverse=True)
    assert (kind, other_kind, count, other_count) == ("plain", "async", 0, 0)
    assert thread.startswith("django_socketio")
    assert other_thread == threading.current_thread().name
