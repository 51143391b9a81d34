"""One socket's events are handled one at a time, in their order, unless they may overlap."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, register
from django_socketio.exceptions import Disconnected
from django_socketio.server.hubs import current_hub
from tests.harness.waiting import DEADLINE, eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base


async def test_events_are_handled_in_the_order_of_their_arrival(connect: Connect) -> None:
    seen: list[int] = []
    running = 0

    @register()
    class Consumer(Base):
        async def note(self, number: int, pause: bool) -> None:
            nonlocal running
            running += 1
            assert running == 1, "two at a time"
            if pause:
                await asyncio.sleep(0.001)
            seen.append(number)
            running -= 1

        @event
        async def fast(self, number: int) -> None:
            await self.note(number, pause=False)

        @event
        async def slow(self, number: int) -> None:
            await self.note(number, pause=True)

        @event
        def plain(self, number: int) -> None:
            nonlocal running
            running += 1
            assert running == 1, "two at a time"
            seen.append(number)
            running -= 1

        @event("*")
        async def anything(self, name: str, number: int) -> None:
            await self.note(number, pause=number % 2 == 0)

    client = await connect()
    for number in range(100):
        await client.emit(("slow", "fast", "plain", "else", "fast")[number % 5], number)
    await client.call("barrier")
    assert seen == list(range(100))


async def test_acknowledgements_come_in_the_order_of_the_events(
    connect: Connect, frames: OpenFrames
) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def slow(self, number: int) -> int:
            await asyncio.sleep(0.001)
            return number

        @event
        def plain(self, number: int) -> int:
            return number

    client = await frames()
    await client.enter("/")
    for number in range(20):
        name = "slow" if number % 2 else "plain"
        await client.send(f'42{number}["{name}",{number}]')
    assert [await client.receive() for _ in range(20)] == [f"43{n}[{n}]" for n in range(20)]


async def test_a_failed_handler_lets_the_next_event_through(
    connect: Connect, errors: Callable[[], list[logging.LogRecord]]
) -> None:
    @register()
    class Consumer(Base):
        @event
        async def fails(self) -> None:
            await asyncio.sleep(0)
            raise RuntimeError("on purpose")

        @event
        def fails_plainly(self) -> None:
            raise RuntimeError("on purpose")

    client = await connect()
    for name in ("fails", "fails_plainly", "fails"):
        await client.emit(name)
    assert await client.call("barrier") is True
    assert len(errors()) == 3


async def test_a_slow_handler_holds_up_its_own_socket_only(connect: Connect) -> None:
    gate = asyncio.Event()
    started = []

    @register()
    class Consumer(Base):
        @event
        async def slow(self) -> str:
            started.append(self.sid)
            await gate.wait()
            return "done"

        @event
        async def quick(self) -> str:
            return "quick"

    one, other = await connect(), await connect()
    slow = asyncio.create_task(one.call("slow"))
    await eventually(lambda: started, "the slow handler")
    assert await other.call("quick") == "quick"
    assert not slow.done()
    gate.set()
    assert await slow == "done"


async def test_sockets_of_one_connection_do_not_wait_for_each_other(frames: OpenFrames) -> None:
    gate = asyncio.Event()

    @register("/slow")
    class Slow(Base):
        @event
        async def slow(self) -> None:
            await gate.wait()

    register("/quick")(Base)
    client = await frames()
    await client.enter("/slow")
    await client.enter("/quick")
    await client.send('42/slow,1["slow"]', '42/quick,2["barrier"]')
    assert await client.receive() == "43/quick,2[true]"
    gate.set()
    assert await client.receive() == "43/slow,1[]"


async def test_a_new_namespace_does_not_wait_for_a_slow_connect(frames: OpenFrames) -> None:
    gate = asyncio.Event()

    @register("/slow")
    class Slow(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            await gate.wait()

    register("/quick")(Base)
    client = await frames()
    await client.send("40/slow,")
    await client.enter("/quick")
    gate.set()
    assert (await client.receive()).startswith('40/slow,{"sid":')


@pytest.mark.parametrize("name", ["overlapping", "overlapping_plainly", "no handler of its own"])
async def test_concurrent_handlers_overlap(connect: Connect, name: str) -> None:
    gate, plain_gate = asyncio.Event(), threading.Event()
    started = []

    @register()
    class Consumer(Base):
        async def wait(self) -> None:
            started.append(self.sid)
            await gate.wait()

        @event(concurrent=True)
        async def overlapping(self) -> str:
            await self.wait()
            return "done"

        @event(concurrent=True)
        def overlapping_plainly(self) -> str:
            started.append(self.sid)
            plain_gate.wait(DEADLINE)
            return "done"

        @event("*", concurrent=True)
        async def anything(self, name: str) -> str:
            await self.wait()
            return "done"

    client = await connect()
    # Tests run plain handlers on one thread.
    number = 1 if name == "overlapping_plainly" else 3
    for _ in range(number):
        await client.emit(name)
    await client.call("barrier")
    await eventually(lambda: len(started) == number, "all of them at once")
    gate.set()
    plain_gate.set()
    assert await client.call(name) == "done"


async def test_a_concurrent_handler_does_not_wait_for_a_slow_one(connect: Connect) -> None:
    gate = asyncio.Event()
    order = []

    @register()
    class Consumer(Base):
        @event
        async def slow(self) -> None:
            await gate.wait()
            order.append("slow")

        @event(concurrent=True)
        async def overlap(self) -> None:
            order.append("overlap")
            gate.set()

        @event
        async def after(self) -> None:
            order.append("after")

    client = await connect()
    for name in ("slow", "after", "overlap"):
        await client.emit(name)
    await client.call("barrier")
    assert order == ["overlap", "slow", "after"]


async def test_a_concurrent_handlers_failure_harms_nothing(
    connect: Connect, errors: Callable[[], list[logging.LogRecord]]
) -> None:
    @register()
    class Consumer(Base):
        @event(concurrent=True)
        async def fails(self) -> None:
            raise RuntimeError("on purpose")

    client = await connect()
    await client.emit("fails")
    assert await client.call("barrier") is True
    await eventually(errors, "the error")
    assert await client.call("barrier") is True


async def test_overriding_keeps_concurrency_unless_decorated_again(connect: Connect) -> None:
    gate = asyncio.Event()

    class Parent(Base):
        @event(concurrent=True)
        async def kept(self) -> None: ...

        @event(concurrent=True)
        async def changed(self) -> None: ...

    @register()
    class Child(Parent):
        async def kept(self) -> None:
            await gate.wait()

        @event
        async def changed(self) -> None:
            await gate.wait()

        @event(concurrent=True)
        async def open(self) -> None:
            gate.set()

    client = await connect()
    await client.emit("kept")
    assert await client.call("barrier") is True
    await client.emit("changed")
    barrier = asyncio.create_task(client.call("barrier"))
    await eventually(lambda: client._ids == 2, "the second barrier to be sent")
    assert not barrier.done()
    await client.emit("open")
    assert await barrier is True


# Questions asked inside handlers


async def test_a_handler_gets_its_answer_while_other_events_wait(connect: Connect) -> None:
    order: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        async def before(self) -> None:
            await asyncio.sleep(0.001)
            order.append("before")

        @event
        async def ask(self) -> None:
            order.append(await self.acall("question"))

        @event
        def ask_plainly(self) -> None:
            order.append(self.call("question"))

        @event
        async def after(self) -> None:
            order.append("after")

    client = await connect()
    for name in ("before", "ask", "after", "ask_plainly", "after"):
        await client.emit(name)
    assert await client.receive_event() == ("question", [])
    await client.emit("after")
    await client.acknowledge("answer")
    assert await client.receive_event() == ("question", [])
    await client.acknowledge(("two", "values"))
    await client.call("barrier")
    assert order == ["before", "answer", "after", ("two", "values"), "after", "after"]


async def test_connect_of_another_namespace_gets_through_too(frames: OpenFrames) -> None:
    answers = []

    @register("/asks")
    class Asks(Base):
        @event
        async def ask(self) -> None:
            answers.append(await self.acall("question"))

    register("/other")(Base)
    client = await frames()
    await client.enter("/asks")
    await client.send('42/asks,["ask"]')
    assert await client.receive() == '42/asks,0["question"]'
    await client.enter("/other")
    await client.send('43/asks,0["answer"]', '42/asks,9["barrier"]')
    assert await client.receive() == "43/asks,9[true]"
    assert answers == ["answer"]


async def test_a_question_ends_when_its_client_leaves(connect: Connect) -> None:
    outcome: list[BaseException] = []

    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def ask(self) -> None:
            try:
                await self.acall("question")
            except Disconnected as error:
                outcome.append(error)

    client = await connect()
    await client.emit("ask")
    await client.receive_event()
    await client.disconnect()
    assert isinstance(outcome[0], ConnectionError)


async def test_events_queued_before_the_client_left_are_handled_before_disconnect(
    connect: Connect,
) -> None:
    order: list[Any] = []
    gate = asyncio.Event()

    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def note(self, number: int) -> None:
            await gate.wait()
            order.append((number, self.connected))

        async def disconnect(self, reason: str) -> None:
            order.append(reason)

    client = await connect()
    await client.emit("note", 1)
    await client.emit("note", 2)
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    asyncio.get_running_loop().call_later(0.01, gate.set)
    await client.wait(DEADLINE)
    await eventually(lambda: len(order) == 3, "disconnect()")
    assert order == [(1, False), (2, False), "transport close"]


async def test_a_server_that_cuts_a_handler_off(connect: Connect) -> None:
    """As daphne does some seconds after the client has gone: what waits still has its turn."""
    order: list[str] = []

    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def endless(self) -> None:
            order.append("endless")
            await asyncio.Event().wait()

        @event
        async def after(self) -> None:
            order.append("after")

        async def disconnect(self, reason: str) -> None:
            order.append(reason)

    client = await connect()
    await client.emit("endless")
    await client.emit("after")
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    await eventually(lambda: not current_hub().clients, "the server to notice")
    assert order == ["endless"]
    client.future.cancel()
    await eventually(lambda: len(order) == 3, "disconnect()")
    assert order == ["endless", "after", "transport close"]
