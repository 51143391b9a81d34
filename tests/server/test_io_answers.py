"""Questions to rooms and to single sockets: `call` and `acall`."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import AckTimeout, Disconnected
from tests.harness.waiting import eventually
from tests.server.clients import Client, state_of
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join(*(auth or {}).get("rooms", ["room"]))


# How a question may be put: what is called with the operator, in async code and in threads.
async def awaited(target: Any, *args: Any) -> Any:
    return await target.acall(*args)


async def blocking(target: Any, *args: Any) -> Any:
    return await asyncio.to_thread(target.call, *args)


async def awaited_on_another_loop(target: Any, *args: Any) -> Any:
    async def ask() -> Any:
        return await target.acall(*args)

    return await asyncio.to_thread(asyncio.run, ask())


async def through_async_to_sync(target: Any, *args: Any) -> Any:
    return await asyncio.to_thread(async_to_sync(target.acall), *args)


async def in_a_view(target: Any, *args: Any) -> Any:
    return await sync_to_async(target.call)(*args)


ways = pytest.mark.parametrize(
    "ask", [awaited, blocking, awaited_on_another_loop, through_async_to_sync, in_a_view]
)


async def answer(client: Client, expected: list[Any], value: Any) -> None:
    name, args = await client.receive_event()
    assert [name, *args] == expected
    await client.acknowledge(value)


@ways
async def test_a_room_answers_with_a_list(connect: Connect, ask: Any) -> None:
    register()(Joining)
    clients = [await connect() for _ in range(3)]
    outsider = await connect(auth={"rooms": []})
    question = asyncio.create_task(ask(io.to("room").timeout(5), "ready?", 1, b"2"))
    for number, client in enumerate(clients):
        await answer(client, ["ready?", 1, b"2"], number)
    answers = await question
    assert type(answers) is list
    assert sorted(answers) == [0, 1, 2]
    assert await outsider.arrived() == []


@ways
async def test_each_entry_follows_the_rule(connect: Connect, ask: Any) -> None:
    register()(Joining)
    values = [None, (), "one", ("a", "b"), ["list"], b"\x00"]
    clients = [await connect() for _ in values]
    question = asyncio.create_task(ask(io.to("room"), "x"))
    for value, client in zip(values, clients, strict=True):
        await answer(client, ["x"], value)
    answers = await question
    for entry in (None, None, "one", ("a", "b"), ["list"], b"\x00"):
        answers.remove(entry)
    assert answers == []


@ways
@pytest.mark.parametrize(
    "target", [lambda: io.to("nobody's"), lambda: io.of("/nowhere"), lambda: io.exclude("room")]
)
async def test_nobody_answers_at_once(connect: Connect, ask: Any, target: Any) -> None:
    register()(Joining)
    await connect()
    started = time.monotonic()
    assert await ask(target().timeout(60), "ready?") == []
    assert time.monotonic() - started < 30


@ways
async def test_a_sid_is_a_room_too(connect: Connect, ask: Any) -> None:
    register()(Joining)
    client = await connect()
    question = asyncio.create_task(ask(io.to(client.sid), "ready?"))
    await answer(client, ["ready?"], "yes")
    assert await question == ["yes"]


async def test_everybody_once(connect: Connect) -> None:
    register()(Joining)
    client = await connect(auth={"rooms": ["a", "b"]})
    question = asyncio.create_task(io.to("a", "b", client.sid).acall("x"))
    await answer(client, ["x"], 1)
    assert await question == [1]
    assert await client.arrived() == []


async def test_who_is_excluded_is_not_asked(connect: Connect) -> None:
    register()(Joining)
    one, other = await connect(), await connect()
    question = asyncio.create_task(io.exclude(other.sid).acall("x"))
    await answer(one, ["x"], 1)
    assert await question == [1]
    assert await other.arrived() == []


async def test_of_other_namespaces(connect: Connect) -> None:
    register()(Joining)
    register("/chat")(Joining)
    default, chat = await connect(), await connect("/chat")
    question = asyncio.create_task(io.of("/chat").acall("x"))
    await answer(chat, ["x"], "chat's")
    assert await question == ["chat's"]
    assert await default.arrived() == []


# Too late


@pytest.mark.parametrize("ask", [awaited, blocking])
async def test_who_answers_too_late_is_missing(connect: Connect, ask: Any) -> None:
    register()(Joining)
    quick = [await connect() for _ in range(2)]
    for _ in range(3):
        await connect()
    question = asyncio.create_task(ask(io.to("room").timeout(1), "x"))
    for number, client in enumerate(quick):
        await answer(client, ["x"], number)
    with pytest.raises(AckTimeout) as error:
        await question
    assert isinstance(error.value, TimeoutError)
    assert sorted(error.value.answers) == [0, 1]
    assert error.value.missing == 3


@ways
async def test_who_leaves_is_missing(connect: Connect, ask: Any) -> None:
    register()(Joining)
    stays, leaves = await connect(), await connect()
    question = asyncio.create_task(ask(io.to("room").timeout(60), "x"))
    await answer(stays, ["x"], "here")
    await leaves.receive_event()
    await leaves.disconnect()
    with pytest.raises(AckTimeout) as error:
        await question
    assert error.value.answers == ["here"]
    assert error.value.missing == 1


async def test_who_is_refused_while_it_is_asked_is_missing(frames: OpenFrames) -> None:
    gate = asyncio.Event()
    sockets: list[SocketIOConsumer] = []

    @register()
    class Refusing(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            await self.join("room")
            sockets.append(self)
            await gate.wait()
            self.close()

    client = await frames()
    await client.send("40")
    await eventually(lambda: sockets, "connect()")
    question = asyncio.create_task(io.to("room").timeout(60).acall("x"))
    await eventually(lambda: state_of(sockets[0])._questions, "the question")
    gate.set()
    with pytest.raises(AckTimeout) as error:
        await question
    assert (error.value.answers, error.value.missing) == ([], 1)


async def test_the_settings_timeout_holds_without_one(connect: Connect, settings: Any) -> None:
    settings.SOCKETIO = {"ACK_TIMEOUT": 0.05}
    register()(Joining)
    await connect()
    with pytest.raises(AckTimeout):
        await io.acall("x")


async def test_an_answer_that_comes_too_late_is_nobodys(connect: Connect) -> None:
    register()(Joining)
    client = await connect()
    with pytest.raises(AckTimeout):
        await io.timeout(0.01).acall("first")
    await client.receive_event()
    second = asyncio.create_task(io.timeout(5).acall("second"))
    await eventually(lambda: not client.output_queue.empty(), "the second question")
    await client.acknowledge("to the first")
    await answer(client, ["second"], "to the second")
    assert await second == ["to the second"]


async def test_a_cancelled_question_leaves_nothing_behind(connect: Connect) -> None:
    sockets: list[SocketIOConsumer] = []

    @register()
    class Consumer(Joining):
        async def connect(self, auth: Any) -> None:
            sockets.append(self)

    await connect()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(io.acall("x"), 0.01)
    assert not state_of(sockets[0])._questions
    assert state_of(sockets[0]).client.pending_acks == 0


# One socket


async def one(client: Client) -> Any:
    """The client as `fetch_sockets` finds it."""
    (socket,) = await io.to(client.sid).afetch_sockets()
    return socket


@ways
@pytest.mark.parametrize(
    ("value", "result"),
    [(None, None), ((), None), ("a", "a"), (("a", 1), ("a", 1)), ([1], [1]), (b"\x00", b"\x00")],
)
async def test_one_socket_answers_by_the_rule(
    connect: Connect, ask: Any, value: Any, result: Any
) -> None:
    register()(Joining)
    client, other = await connect(), await connect()
    question = asyncio.create_task(ask(await one(client), "ready?", 1))
    await answer(client, ["ready?", 1], value)
    got = await question
    assert got == result
    assert type(got) is type(result)
    assert await other.arrived() == []


@ways
async def test_one_socket_that_leaves(connect: Connect, ask: Any) -> None:
    register()(Joining)
    client = await connect()
    socket = await one(client)
    question = asyncio.create_task(ask(socket, "ready?"))
    await client.receive_event()
    await client.disconnect()
    with pytest.raises(Disconnected) as error:
        await question
    assert isinstance(error.value, ConnectionError)
    with pytest.raises(Disconnected):
        await ask(socket, "still there?")


@ways
async def test_one_socket_that_is_silent(connect: Connect, ask: Any) -> None:
    register()(Joining)
    client = await connect()
    with pytest.raises(AckTimeout) as error:
        await ask((await one(client)).timeout(0.05), "ready?")
    assert (error.value.answers, error.value.missing) == ([], 1)


@ways
async def test_the_socket_itself(connect: Connect, ask: Any) -> None:
    sockets: list[SocketIOConsumer] = []

    @register()
    class Consumer(Joining):
        async def connect(self, auth: Any) -> None:
            sockets.append(self)

    client = await connect()
    question = asyncio.create_task(ask(sockets[0], "ready?"))
    await answer(client, ["ready?"], ("yes", 1))
    assert await question == ("yes", 1)
    with pytest.raises(AckTimeout):
        await ask(sockets[0].timeout(0.01), "ready?")


# Blocking


async def test_blocking_calls_are_not_for_a_loops_thread(connect: Connect) -> None:
    caught: list[str] = []

    @register()
    class Consumer(Joining):
        @event
        async def act(self) -> None:
            for target in (self, self.timeout(1), self.to("room"), self.broadcast, io, io.to("x")):
                with pytest.raises(SynchronousOnlyOperation, match="acall"):
                    target.call("x")
                caught.append("call")

    client = await connect()
    await client.call("act")
    assert len(caught) == 6
    with pytest.raises(SynchronousOnlyOperation, match="acall"):
        io.call("x")
    with pytest.raises(SynchronousOnlyOperation, match="afetch_sockets"):
        io.fetch_sockets()
    with pytest.raises(SynchronousOnlyOperation, match="acall"):
        (await one(client)).call("x")

    async def elsewhere() -> None:
        with pytest.raises(SynchronousOnlyOperation):
            io.call("x")

    await asyncio.to_thread(asyncio.run, elsewhere())
    assert await client.arrived() == []


async def test_a_blocking_call_does_not_hold_up_the_loop(connect: Connect) -> None:
    register()(Joining)
    client, other = await connect(), await connect(auth={"rooms": []})
    waiting = threading.Event()

    def ask() -> Any:
        waiting.set()
        return io.to("room").call("x")

    question = asyncio.create_task(asyncio.to_thread(ask))
    await eventually(waiting.is_set, "the question")
    await other.call("barrier")
    await answer(client, ["x"], 1)
    assert await question == [1]


async def test_many_questions_at_once(connect: Connect) -> None:
    register()(Joining)
    clients = [await connect() for _ in range(5)]
    questions = [asyncio.create_task(io.acall("x", number)) for number in range(20)]
    for client in clients:
        for _ in range(20):
            _, (number,) = await client.receive_event()
            await client.acknowledge(number)
    for number, answers in enumerate(await asyncio.gather(*questions)):
        assert answers == [number] * 5


@pytest.mark.parametrize("name", ["connect", "disconnect"])
async def test_reserved_names_cannot_be_asked(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        await io.acall(name)
