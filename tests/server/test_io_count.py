"""How many sockets are addressed, and of which users."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation

from django_socketio import event, io, register
from tests.server.conftest import Connect
from tests.server.consumers import Base
from tests.server.users import make_user


class Counted(Base):
    async def connect(self, auth: Any) -> None:
        self.join(*(auth or {}).get("rooms", ()))

    @event
    async def others(self) -> list[Any]:
        return [
            await self.broadcast.acount(),
            await self.to("a").acount(),
            sorted(await self.to("a", "b").ausers()),
            await self.volatile.acount(),
            await self.namespace.acount(),
        ]

    @event
    def others_from_a_thread(self) -> list[Any]:
        return [self.broadcast.count(), sorted(self.to("a", "b").users())]


async def awaited(target: Any) -> tuple[int, set[str]]:
    return await target.acount(), await target.ausers()


async def blocking(target: Any) -> tuple[int, set[str]]:
    return await asyncio.to_thread(lambda: (target.count(), target.users()))


async def awaited_on_another_loop(target: Any) -> tuple[int, set[str]]:
    return await asyncio.to_thread(asyncio.run, awaited(target))


@pytest.mark.parametrize("count", [awaited, blocking, awaited_on_another_loop])
async def test_every_operator(connect: Connect, count: Any) -> None:
    register()(Counted)
    register("/chat")(Counted)
    ada, eve = make_user(1), make_user(2)
    first = await connect(auth={"rooms": ["a", "b"]}, user=ada)
    await connect(auth={"rooms": ["b"]}, user=eve)
    await connect(auth={"rooms": ["a"]})
    await connect("/chat", auth={"rooms": ["a"]}, user=ada)
    assert await count(io) == (3, {"1", "2"})
    assert await count(io.of("/chat")) == (1, {"1"})
    assert await count(io.of("/nowhere")) == (0, set())
    assert await count(io.of(Counted)) == (4, {"1", "2"})
    assert await count(io.everywhere) == (4, {"1", "2"})
    assert await count(io.everywhere.to(ada)) == (2, {"1"})
    assert await count(io.local) == (3, {"1", "2"})
    assert await count(io.to("a")) == (2, {"1"})
    assert await count(io.to("a", "b")) == (3, {"1", "2"})
    assert await count(io.to("a", "b").exclude(eve)) == (2, {"1"})
    assert await count(io.exclude("a")) == (1, {"2"})
    assert await count(io.to(first.sid)) == (1, {"1"})
    assert await count(io.to(eve)) == (1, {"2"})
    assert await count(io.to()) == (0, set())
    assert await count(io.to("nobody")) == (0, set())


async def test_a_consumers_operators(connect: Connect) -> None:
    register()(Counted)
    one = await connect(auth={"rooms": ["a"]}, user=make_user(1))
    await connect(auth={"rooms": ["a", "b"]}, user=make_user(2))
    await connect(user=make_user(2))
    assert await one.call("others") == [2, 1, ["2"], 1, 3]
    assert await one.call("others_from_a_thread") == [2, ["2"]]


async def test_it_says_what_to_await_on_a_loop() -> None:
    with pytest.raises(SynchronousOnlyOperation, match="await acount"):
        io.count()
    with pytest.raises(SynchronousOnlyOperation, match="await ausers"):
        io.users()


async def test_what_waits_for_a_commit_cannot_count() -> None:
    with pytest.raises(TypeError, match=r"acount\(\) waits for an answer"):
        await io.on_commit.acount()
    with pytest.raises(TypeError, match=r"ausers\(\) waits for an answer"):
        await io.on_commit.ausers()
