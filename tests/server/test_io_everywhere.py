"""`io.everywhere`, `io.of(Class)` and `to()` without a room: who is addressed."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import AckTimeout
from django_socketio.server.hubs import current_hub
from tests.harness.waiting import eventually, soon
from tests.server.clients import Client
from tests.server.conftest import Connect
from tests.server.consumers import Base
from tests.server.users import make_user


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join(*(auth or {}).get("rooms", ["room"]))


class Doc(Joining):
    """A dynamic namespace."""

    @event
    async def tell_all(self, text: str) -> None:
        io.of(Doc).emit("told", text)


@pytest.fixture
async def clients(connect: Connect) -> dict[str, Client]:
    register("/")(Joining)
    register("/chat")(type("Chat", (Joining,), {}))
    register("/doc-<int:pk>")(Doc)
    names = ("/", "/chat", "/doc-1", "/doc-2")
    return {name: await connect(name) for name in names}


async def arrived(clients: dict[str, Client]) -> dict[str, Any]:
    """What has arrived, by namespace, where anything has."""
    found = {name: await client.arrived() for name, client in clients.items()}
    return {name: events for name, events in found.items() if events}


WHERE = {
    "everywhere": (lambda: io.everywhere, {"/", "/chat", "/doc-1", "/doc-2"}),
    "everywhere from elsewhere": (lambda: io.of("/x").to("y").everywhere, None),
    "a class": (lambda: io.of(Doc), {"/doc-1", "/doc-2"}),
    "a child": (lambda: io.of("/doc-1"), {"/doc-1"}),
    "a class's room": (lambda: io.of(Doc).to("room"), {"/doc-1", "/doc-2"}),
    "a room everywhere": (lambda: io.everywhere.to("room"), None),
    "nobody": (lambda: io.to(), set()),
    "nobody of many": (lambda: io.everywhere.to(*[]), set()),
    "nobody and somebody": (lambda: io.to().to("room"), {"/"}),
    "somebody and nobody": (lambda: io.of("/chat").to("room").to(), {"/chat"}),
    "nobody of a class": (lambda: io.of(Doc).to(), set()),
}
where = pytest.mark.parametrize("label", WHERE)


def addressed(label: str) -> tuple[Any, set[str]]:
    make, names = WHERE[label]
    return make(), {"/", "/chat", "/doc-1", "/doc-2"} if names is None else names


@where
async def test_emit(clients: dict[str, Client], label: str) -> None:
    target, names = addressed(label)
    await target.emit("news", 1, b"2", {"deep": [b"3"]})
    await target.volatile.compress(False).send("text")
    expected = [["news", 1, b"2", {"deep": [b"3"]}], ["message", "text"]]
    assert await arrived(clients) == dict.fromkeys(names, expected)


@where
async def test_fetch_sockets(clients: dict[str, Client], label: str) -> None:
    target, names = addressed(label)
    found = await target.afetch_sockets()
    assert {socket.namespace.name for socket in found} == names
    assert {socket.sid for socket in found} == {clients[name].sid for name in names}
    assert found.missing == 0


@where
async def test_call_and_answers(clients: dict[str, Client], label: str) -> None:
    target, names = addressed(label)

    async def collect() -> Any:
        return [item async for item in target.timeout(5).answers("q", b"1")]

    asked = [asyncio.create_task(target.timeout(5).acall("q", b"1"))]
    for name in names:
        assert await clients[name].receive_event() == ("q", [b"1"])
        await clients[name].acknowledge(name)
    asked.append(asyncio.create_task(collect()))
    for name in names:
        assert await clients[name].receive_event() == ("q", [b"1"])
        await clients[name].acknowledge(name)
    answers, named = await asyncio.gather(*asked)
    assert set(answers) == names
    assert set(named) == {(clients[name].sid, name) for name in names}


@where
async def test_rooms(clients: dict[str, Client], label: str) -> None:
    target, names = addressed(label)
    target.sockets_join("new")
    found = await io.everywhere.to("new").afetch_sockets()
    assert {socket.namespace.name for socket in found} == names
    target.sockets_leave("new")
    assert await io.everywhere.to("new").afetch_sockets() == []


@where
async def test_disconnect_sockets(clients: dict[str, Client], label: str) -> None:
    target, names = addressed(label)
    target.disconnect_sockets(close=True)
    found = await io.everywhere.afetch_sockets()
    assert {socket.namespace.name for socket in found} == {*clients} - names


async def test_missing_answers_are_counted(clients: dict[str, Client]) -> None:
    question = asyncio.create_task(io.everywhere.timeout(0.3).acall("q"))
    for client in clients.values():
        assert await client.receive_event() == ("q", [])
    await clients["/chat"].acknowledge("chat")
    await clients["/doc-1"].disconnect()
    with pytest.raises(AckTimeout) as caught:
        await soon(question)
    assert (caught.value.answers, caught.value.missing) == (["chat"], 3)


async def test_a_user(connect: Connect) -> None:
    register("/")(Joining)
    register("/chat")(Joining)
    ada, bob = make_user(1), make_user(2)
    clients = {
        "/": await connect("/", user=ada),
        "/chat": await connect("/chat", user=ada),
        "bob": await connect("/chat", user=bob),
    }
    io.everywhere.to(ada).emit("news", 1)
    assert await arrived(clients) == {"/": [["news", 1]], "/chat": [["news", 1]]}


async def test_exclusions_hold_in_each_namespace(clients: dict[str, Client]) -> None:
    io.everywhere.exclude(clients["/chat"].sid).emit("news")
    io.of(Doc).exclude("room").emit("nobody")
    assert set(await arrived(clients)) == {"/", "/doc-1", "/doc-2"}


async def test_a_consumer_says_it_to_all_children(clients: dict[str, Client]) -> None:
    await clients["/doc-1"].call("tell_all", "hello")
    told = [["told", "hello"]]
    assert await arrived(clients) == {"/doc-1": told, "/doc-2": told}


async def test_a_class_of_several_namespaces(connect: Connect) -> None:
    class Several(Joining):
        pass

    register("/a")(Several)
    register("/b")(Several)
    register(re.compile("/c.*"))(Several)
    register("/other")(Joining)
    names = ("/a", "/b", "/c1", "/other")
    clients = {name: await connect(name) for name in names}
    io.of(Several).emit("news")
    assert set(await arrived(clients)) == {"/a", "/b", "/c1"}


async def test_a_class_of_one_namespace_stands_for_its_name(connect: Connect) -> None:
    @register("/one")
    class One(Base):
        pass

    assert io.of(One).name == "/one"
    assert io.of(SocketIOConsumer).name == "/"
    assert io.everywhere.of(One).name == "/one"


def test_what_stands_for_no_namespace() -> None:
    with pytest.raises(LookupError, match="register"):
        io.of(Base)
    with pytest.raises(TypeError):
        io.of(7)  # type: ignore[arg-type]


async def test_servers_are_told_of_one_namespace() -> None:
    register("/doc-<int:pk>")(Doc)
    for target in (io.everywhere, io.of(Doc)):
        with pytest.raises(TypeError, match="one namespace"):
            target.server_side_emit("x")
        with pytest.raises(TypeError, match="one namespace"):
            await target.aserver_side_call("x")


async def test_mistakes_are_errors_for_nobody_too() -> None:
    with pytest.raises(TypeError):
        io.to().emit("x", object())
    assert await io.to().acall("x") == []


async def test_nothing_is_kept_of_children_that_are_gone(connect: Connect) -> None:
    register("/doc-<int:pk>")(Doc)
    local = current_hub().local
    one, two = await connect("/doc-1"), await connect("/doc-2")
    assert [set(names) for names in vars(local)["_families"].values()] == [{"/doc-1", "/doc-2"}]
    await one.disconnect()
    assert [set(names) for names in vars(local)["_families"].values()] == [{"/doc-2"}]
    await two.disconnect()
    await eventually(lambda: not vars(local)["_families"], "the end")
    assert local.namespaces == {}


# On the socket


async def test_local_leaves_the_socket_out(connect: Connect) -> None:
    @register("/")
    class Consumer(Joining):
        @event
        async def say(self) -> None:
            self.local.emit("local")
            self.local.to("room").emit("local", "room")
            self.volatile.local.emit("volatile")
            self.timeout(1).everywhere.emit("everywhere")
            self.to().emit("nobody")
            self.timeout(1).to().emit("nobody")

    one, two = await connect(), await connect()
    await one.call("say")
    assert await one.arrived() == [["everywhere"]]
    assert await two.arrived() == [["local"], ["local", "room"], ["volatile"], ["everywhere"]]


async def test_several_rooms_are_joined_and_left(connect: Connect) -> None:
    @register("/")
    class Consumer(Base):
        @event
        async def move(self) -> list[list[str]]:
            self.join("a", "b", "c")
            before = sorted(self.rooms - {self.sid})
            self.leave("a", "c")
            return [before, sorted(self.rooms - {self.sid})]

    assert await (await connect()).call("move") == [["a", "b", "c"], ["b"]]
