"""`io.on_commit`: when the current transaction commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.utils.connection import ConnectionDoesNotExist

from django_socketio import event, io, register
from tests.server.conftest import Connect
from tests.server.consumers import Base

pytestmark = pytest.mark.django_db(transaction=True)


class Undone(Exception):
    """Rolls a transaction back."""


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join("room")


async def in_a_thread(function: Callable[[], Any]) -> Any:
    """Where tests have their database."""
    return await database_sync_to_async(function)()


async def test_it_waits_for_the_commit(connect: Connect) -> None:
    register()(Joining)
    client = await connect()

    def act() -> None:
        with transaction.atomic():
            value = ["as it was"]
            io.on_commit.to("room").emit("late", value)
            value.append("changed")
            io.to("room").emit("at once")
            User.objects.create(username="ada")
            io.to("room").emit("at once", 2)

    await in_a_thread(act)
    assert await client.arrived() == [["at once"], ["at once", 2], ["late", ["as it was"]]]


async def test_the_row_is_there_when_the_event_arrives(connect: Connect) -> None:
    @register()
    class Consumer(Joining):
        @event
        def save(self) -> None:
            with transaction.atomic():
                user = User.objects.create(username="ada")
                io.on_commit.emit("saved", user.pk)

    client = await connect()
    await client.emit("save")
    _, (pk,) = await client.receive_event()
    assert (await User.objects.aget(pk=pk)).username == "ada"


async def test_a_rollback_sends_nothing(connect: Connect) -> None:
    register()(Joining)
    client = await connect()

    def act() -> None:
        with suppress(Undone), transaction.atomic():
            io.on_commit.emit("never")
            raise Undone

    await in_a_thread(act)
    assert await client.arrived() == []


async def test_a_savepoint_that_is_rolled_back(connect: Connect) -> None:
    register()(Joining)
    client = await connect()

    def act() -> None:
        with transaction.atomic():
            io.on_commit.emit("outer")
            with suppress(Undone), transaction.atomic():
                io.on_commit.emit("never")
                raise Undone
            with transaction.atomic():
                io.on_commit.emit("inner")
            io.on_commit.emit("outer again")

    await in_a_thread(act)
    assert await client.arrived() == [["outer"], ["inner"], ["outer again"]]


async def test_without_a_transaction_it_is_at_once(connect: Connect) -> None:
    register()(Joining)
    client = await connect()

    def act() -> None:
        io.on_commit.emit("one")
        User.objects.create(username="ada")
        io.on_commit.emit("two")

    await in_a_thread(act)
    assert await client.arrived() == [["one"], ["two"]]
    # A thread of its own has no connection to the database, and needs none.
    await asyncio.to_thread(lambda: io.on_commit.emit("three") and None)
    assert await client.arrived() == [["three"]]


async def test_in_async_code_there_is_no_transaction(connect: Connect) -> None:
    @register()
    class Consumer(Joining):
        @event
        async def act(self) -> None:
            io.on_commit.to("room").emit("one")
            await io.on_commit.emit("two")
            self.namespace.on_commit.emit("three")

    client = await connect()
    await client.call("act")
    assert await client.kept() == [["one"], ["two"], ["three"]]


@pytest.mark.parametrize(
    "chain",
    [
        lambda: io.on_commit,
        lambda: io.on_commit.of("/chat"),
        lambda: io.of("/chat").on_commit,
        lambda: io.on_commit.volatile.of("/chat").to("room"),
        lambda: io.of("/chat").to("room").on_commit,
        lambda: io.of("/chat").on_commit.to("room").exclude("x").local.compress(True).timeout(1),
    ],
)
async def test_it_chains_like_any_operator(connect: Connect, chain: Callable[[], Any]) -> None:
    register()(Joining)
    register("/chat")(Joining)
    clients = [await connect(), await connect("/chat")]

    def act() -> None:
        with transaction.atomic():
            chain().emit("late")
            io.emit("at once")
            io.of("/chat").emit("at once")

    await in_a_thread(act)
    addressed = clients[chain().name == "/chat"]
    for client in clients:
        expected = [["at once"], ["late"]] if client is addressed else [["at once"]]
        assert await client.arrived() == expected


async def test_from_the_socket(connect: Connect) -> None:
    @register()
    class Consumer(Joining):
        @event
        def act(self) -> None:
            with transaction.atomic():
                self.volatile.on_commit.emit("late")
                self.broadcast.on_commit.emit("late for others")
                self.to("room").on_commit.send("late for others")
                self.emit("at once")
                self.broadcast.emit("at once")

    client, other = await connect(), await connect()
    await client.call("act")
    assert await client.kept() == [["at once"], ["late"]]
    assert await other.arrived() == [
        ["at once"],
        ["late for others"],
        ["message", "late for others"],
    ]


async def test_everything_that_only_sends_waits(connect: Connect) -> None:
    register()(Joining)
    client = await connect()
    rooms: list[Any] = []

    def act() -> None:
        with transaction.atomic():
            io.on_commit.sockets_join("new")
            io.on_commit.to("new").sockets_leave("room")
            io.on_commit.send("late")
            rooms.append(io.fetch_sockets()[0].rooms)
        rooms.append(io.fetch_sockets()[0].rooms)
        with transaction.atomic():
            io.on_commit.disconnect_sockets()
            rooms.append(len(io.fetch_sockets()))
        rooms.append(len(io.fetch_sockets()))

    await in_a_thread(act)
    assert rooms == [{client.sid, "room"}, {client.sid, "new"}, 1, 0]


def test_what_waits_for_an_answer_cannot_wait_for_a_commit() -> None:
    with pytest.raises(TypeError, match="commit"):
        io.on_commit.call("x")
    with pytest.raises(TypeError, match="commit"):
        io.on_commit.fetch_sockets()
    with pytest.raises(TypeError, match="commit"):
        asyncio.run(io.on_commit.acall("x"))
    with pytest.raises(TypeError, match="commit"):
        asyncio.run(io.on_commit.afetch_sockets())


def test_what_cannot_be_sent_is_said_at_once_and_not_at_the_commit() -> None:
    with transaction.atomic():
        with pytest.raises(TypeError):
            io.on_commit.emit("x", object())
        with pytest.raises(ValueError, match="reserved"):
            io.on_commit.emit("connect")
        assert not connection.run_on_commit


# Another database


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A second database, which no test but those here knows."""
    settings = {**connection.settings_dict, "NAME": str(tmp_path / "other.sqlite3")}
    monkeypatch.setitem(connections.settings, "other", settings)
    return "other"


async def test_using_names_the_database(connect: Connect, other: str) -> None:
    register()(Joining)
    client = await connect()

    def act() -> None:
        try:
            with transaction.atomic(using=other):
                io.on_commit.using(other).to("room").emit("late")
                io.using(other).on_commit.to("room").emit("late", 2)
                io.on_commit.to("room").emit("at once")
            with transaction.atomic():
                io.on_commit.using(other).to("room").emit("not in a transaction")
                io.using(other).to("room").emit("no on_commit")
            with suppress(Undone), transaction.atomic(using=other):
                io.on_commit.using(other).to("room").emit("never")
                raise Undone
        finally:
            connections[other].close()

    await in_a_thread(act)
    assert await client.arrived() == [
        ["at once"],
        ["late"],
        ["late", 2],
        ["not in a transaction"],
        ["no on_commit"],
    ]


async def test_an_operator_of_a_socket_keeps_the_database(connect: Connect, other: str) -> None:
    @register()
    class Consumer(Joining):
        @event
        def act(self) -> None:
            with transaction.atomic(using=other):
                self.timeout(1).on_commit.using(other).emit("to itself")
                self.timeout(1).on_commit.using(other).broadcast.emit("to others")
                self.emit("at once")
            connections[other].close()

    client, member = await connect(), await connect()
    await client.call("act")
    assert await client.arrived() == [["at once"], ["to itself"]]
    assert await member.arrived() == [["to others"]]


def test_an_unknown_database_is_an_error() -> None:
    with pytest.raises(ConnectionDoesNotExist, match="nowhere"):
        io.on_commit.using("nowhere")
