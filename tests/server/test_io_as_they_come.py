"""`answers`: the acknowledgements of many sockets as they come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import AckTimeout
from tests.harness.waiting import eventually, soon
from tests.server.clients import state_of
from tests.server.conftest import Connect
from tests.server.consumers import Base

consumers: dict[str | None, SocketIOConsumer] = {}


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join(*(auth or {}).get("rooms", ["room"]))
        consumers[self.sid] = self


async def collect(target: Any, *args: Any) -> list[Any]:
    return [item async for item in target.answers(*args)]


async def on_another_loop(target: Any, *args: Any) -> list[Any]:
    return await asyncio.to_thread(asyncio.run, collect(target, *args))


async def test_each_comes_when_it_is_there(connect: Connect) -> None:
    register()(Joining)
    one, two = await connect(), await connect()
    outsider = await connect(auth={"rooms": []})
    answers = io.to("room").timeout(5).answers("q", 1, b"2")
    first = asyncio.create_task(anext_of(answers))
    for client in (one, two):
        assert await client.receive_event() == ("q", [1, b"2"])
    await two.acknowledge(("a", "b"))
    assert await soon(first) == (two.sid, ("a", "b"))
    await one.acknowledge()
    assert await soon(anext_of(answers)) == (one.sid, None)
    with pytest.raises(StopAsyncIteration):
        await soon(anext_of(answers))
    assert await outsider.arrived() == []


async def anext_of(iterator: Any) -> Any:
    return await iterator.__anext__()


@pytest.mark.parametrize("way", [collect, on_another_loop])
async def test_it_ends_with_those_that_are_missing(connect: Connect, way: Any) -> None:
    register()(Joining)
    one, two, three = [await connect() for _ in range(3)]
    seen: list[Any] = []

    async def ask(target: Any) -> None:
        async for item in target.answers("q"):
            seen.append(item)  # noqa: PERF401 - what comes before the error counts

    asking = asyncio.create_task(
        ask(io.timeout(0.5))
        if way is collect
        else asyncio.to_thread(asyncio.run, ask(io.timeout(0.5)))
    )
    for client in (one, two, three):
        await client.receive_event()
    await one.acknowledge(1)
    await two.disconnect()
    with pytest.raises(AckTimeout) as caught:
        await soon(asking)
    assert (caught.value.missing, caught.value.answers) == (2, [])
    assert seen == [(one.sid, 1)]


@pytest.mark.parametrize("way", [collect, on_another_loop])
async def test_nobody_answers_at_once(way: Any) -> None:
    assert await soon(way(io.to("nowhere"), "q")) == []
    assert await soon(way(io.to(), "q")) == []


async def test_who_iterates_no_further_ends_the_question(connect: Connect) -> None:
    register()(Joining)
    one, two = await connect(), await connect()
    answers: Any = io.answers("q")
    first = asyncio.create_task(anext_of(answers))
    for client in (one, two):
        await client.receive_event()
    await one.acknowledge(1)
    assert await soon(first) == (one.sid, 1)
    assert state_of(consumers[two.sid]).client.pending_acks == 1
    await answers.aclose()
    await eventually(lambda: state_of(consumers[two.sid]).client.pending_acks == 0, "the end")


async def test_the_socket_itself_and_others(connect: Connect) -> None:
    seen: list[Any] = []

    @register()
    class Consumer(Joining):
        @event
        async def ask(self) -> None:
            seen.append([sid async for sid, _ in self.timeout(5).answers("q")])
            seen.append([sid async for sid, _ in self.to("room").answers("q")])
            seen.append([sid async for sid, _ in self.namespace.answers("q")])

    one, two = await connect(), await connect()
    await one.emit("ask")
    for client in (one, two, one, two):
        assert await client.receive_event() == ("q", [])
        await client.acknowledge(1)
    await eventually(lambda: len(seen) == 3, "the answers")
    assert seen[:2] == [[one.sid], [two.sid]]
    assert set(seen[2]) == {one.sid, two.sid}


async def test_mistakes_are_errors_at_once() -> None:
    with pytest.raises(TypeError, match="commit"):
        io.on_commit.answers("q")
    with pytest.raises(TypeError):
        io.answers("q", object())
    with pytest.raises(ValueError, match="reserved"):
        io.answers("connect")
