"""`self.acknowledge(...)`: an event is answered before its handler has finished."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, register
from django_socketio.exceptions import EventRefused, LocalProtocolError
from django_socketio.stats import counters
from tests.harness.waiting import eventually
from tests.server.conftest import Connect, OpenFrames


class Answering(SocketIOConsumer):
    @event
    async def early(self, *args: Any) -> str:
        await self.acknowledge(*args)
        self.emit("later")
        return "dropped"

    @event
    def early_plainly(self, *args: Any) -> str:
        self.acknowledge(*args)
        self.emit("later")
        return "dropped"

    @event("*")
    async def rest(self, name: str, *args: Any) -> None:
        self.acknowledge(name, *args)

    @event
    async def twice(self) -> None:
        self.acknowledge(1)
        with pytest.raises(LocalProtocolError, match="answered already"):
            self.acknowledge(2)
        self.emit("refused")


@pytest.fixture(autouse=True)
def _registered() -> None:
    register("/")(Answering)


@pytest.mark.parametrize("name", ["early", "early_plainly"])
@pytest.mark.parametrize("arguments", ["[]", '["one"]', '["one",{"two":2}]', "[[1]]", "[null]"])
async def test_it_is_sent_at_once(frames: OpenFrames, name: str, arguments: str) -> None:
    client = await frames()
    await client.enter()
    counted = counters.traffic.acks_out
    separator = "" if arguments == "[]" else ","
    await client.send(f'427["{name}"{separator}{arguments[1:]}', '428["after"]')
    assert [await client.receive() for _ in range(3)] == [
        f"437{arguments}",
        '42["later"]',
        '438["after"]',
    ]
    assert counters.traffic.acks_out == counted + 2


async def test_bytes_become_attachments(frames: OpenFrames) -> None:
    client = await frames()
    await client.enter()
    await client.send('451-7["early",{"_placeholder":true,"num":0}]', b"\x01")
    assert await client.receive() == '461-7[{"_placeholder":true,"num":0}]'
    assert await client.receive() == b"\x01"
    assert await client.receive() == '42["later"]'


@pytest.mark.parametrize("name", ["early", "early_plainly"])
async def test_nothing_is_sent_where_nobody_asked(frames: OpenFrames, name: str) -> None:
    client = await frames()
    await client.enter()
    await client.send(f'42["{name}",1]')
    assert await client.receive() == '42["later"]'


@pytest.mark.parametrize("id", ["", "7"])
async def test_a_second_answer_is_an_error(frames: OpenFrames, id: str) -> None:
    client = await frames()
    await client.enter()
    await client.send(f'42{id}["twice"]')
    if id:
        assert await client.receive() == "437[1]"
    assert await client.receive() == '42["refused"]'


async def test_outside_an_event_it_is_an_error(connect: Connect) -> None:
    consumers: list[Any] = []

    @register("/hooks")
    class Hooks(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            consumers.append(self)
            self.fails()

        async def ready(self) -> None:
            self.fails()

        async def disconnect(self, reason: str) -> None:
            self.fails()

        def fails(self) -> None:
            with pytest.raises(LocalProtocolError, match="no handler runs"):
                self.acknowledge()

        @event
        async def echo(self) -> None: ...

    client = await connect("/hooks")
    await client.call("echo")
    consumers[0].fails()
    await client.disconnect()


async def test_what_cannot_be_sent_can_be_answered_otherwise(connect: Connect) -> None:
    @register("/mistaken")
    class Mistaken(SocketIOConsumer):
        @event
        async def ask(self) -> None:
            with pytest.raises(TypeError):
                self.acknowledge(object())
            self.acknowledge("right")

    assert await (await connect("/mistaken")).call("ask") == "right"


async def test_each_overlapping_handler_answers_its_own(frames: OpenFrames) -> None:
    gates = {name: asyncio.Event() for name in ("a", "b", "plain", "one")}

    @register("/many")
    class Many(SocketIOConsumer):
        @event(concurrent=True)
        async def overlap(self, name: str) -> None:
            await gates[name].wait()
            await asyncio.create_task(self.answer(name))

        @event(concurrent=True)
        def overlap_plainly(self, name: str) -> None:
            asyncio.run(asyncio.sleep(0))
            self.acknowledge(name)

        @event
        async def one(self) -> None:
            await gates["one"].wait()
            self.acknowledge("one")

        async def answer(self, name: str) -> None:
            self.acknowledge(name)

    client = await frames()
    await client.enter("/many")
    await client.send(
        '42/many,1["overlap","a"]',
        '42/many,2["overlap","b"]',
        '42/many,3["one"]',
        '42/many,4["overlap_plainly","plain"]',
    )
    assert await client.receive() == '43/many,4["plain"]'
    for id, name in ((2, "b"), (3, "one"), (1, "a")):
        gates[name].set()
        assert await client.receive() == f'43/many,{id}["{name}"]'


async def test_a_task_left_behind_comes_too_late(connect: Connect) -> None:
    errors: list[Exception] = []
    tasks: list[asyncio.Task[None]] = []

    @register("/late")
    class Late(SocketIOConsumer):
        @event(concurrent=True)
        async def leave_one(self) -> str:
            tasks.append(asyncio.create_task(self.later()))
            return "returned"

        async def later(self) -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            try:
                self.acknowledge("late")
            except LocalProtocolError as error:
                errors.append(error)

    client = await connect("/late")
    assert await client.call("leave_one") == "returned"
    await eventually(lambda: len(errors) == 1, "the error")


async def test_an_error_after_it(connect: Connect, errors: Any) -> None:
    @register("/failing")
    class Failing(SocketIOConsumer):
        @event
        async def fail(self) -> None:
            await self.acknowledge("done")
            raise ValueError("on purpose")

        @event
        async def refuse(self) -> None:
            await self.acknowledge("done")
            raise EventRefused

    client = await connect("/failing")
    assert await client.call("fail") == "done"
    assert await client.call("refuse") == "done"
    assert len(errors()) == 1


async def test_a_client_that_has_left(connect: Connect) -> None:
    left = asyncio.Event()
    done: list[bool] = []

    @register("/leaving")
    class Leaving(SocketIOConsumer):
        @event
        async def ask(self) -> None:
            self.emit("asked")
            await left.wait()
            await self.acknowledge("nobody")
            done.append(self.connected)

    client = await connect("/leaving")
    await client._send(client._encoder.event("/leaving", "ask", [], 0))
    assert await client.receive_event() == ("asked", [])
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    left.set()
    await eventually(lambda: bool(done), "the handler")


async def test_middleware_may_answer(connect: Connect) -> None:
    @register("/seam")
    class Seam(SocketIOConsumer):
        async def receive_event(self, name: str, args: list[Any]) -> Any:
            self.acknowledge("seen")
            return await super().receive_event(name, args)

        @event
        async def ask(self) -> str:
            return "dropped"

    client = await connect("/seam")
    assert [await client.call("ask") for _ in range(2)] == ["seen", "seen"]
