"""Sockets as seen and moved from outside."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable
from pprint import pformat
from typing import Any

import pytest

from django_socketio import event, io, register
from django_socketio.addressing.descriptions import SocketDescription
from django_socketio.addressing.target import Target
from django_socketio.exceptions import Disconnected
from django_socketio.server.hubs import current_hub
from django_socketio.server.operators import RemoteSocket
from tests.harness.inprocess import Poller
from tests.harness.waiting import eventually
from tests.server.clients import Client
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base
from tests.server.users import make_user


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join(*(auth or {}).get("rooms", ()))
        self.data["auth"] = auth

    @event
    async def rooms_now(self) -> list[str]:
        return sorted(self.rooms - {self.sid})


async def awaited(target: Any) -> Any:
    return await target.afetch_sockets()


async def blocking(target: Any) -> Any:
    return await asyncio.to_thread(target.fetch_sockets)


async def awaited_on_another_loop(target: Any) -> Any:
    return await asyncio.to_thread(asyncio.run, awaited(target))


ways = pytest.mark.parametrize("fetch", [awaited, blocking, awaited_on_another_loop])


@ways
async def test_who_is_there(connect: Connect, fetch: Any) -> None:
    register()(Joining)
    register("/chat")(Joining)
    a, ab, none = [await connect(auth={"rooms": list(rooms)}) for rooms in ("a", "ab", "")]
    ada = make_user(1)
    chat = await connect("/chat", user=ada)

    async def sids(target: Any) -> set[Any]:
        sockets = await fetch(target)
        found = {socket.sid for socket in sockets}
        assert len(found) == len(sockets)
        return found

    assert await sids(io) == {a.sid, ab.sid, none.sid}
    assert await sids(io.to("a")) == {a.sid, ab.sid}
    assert await sids(io.to("a", "b")) == {a.sid, ab.sid}
    assert await sids(io.to("a").exclude("b")) == {a.sid}
    assert await sids(io.exclude("a")) == {none.sid}
    assert await sids(io.to(none.sid)) == {none.sid}
    assert await sids(io.local.to("b")) == {ab.sid}
    assert await sids(io.to("nobody's")) == set()
    assert await sids(io.of("/nowhere")) == set()
    assert await sids(io.of("/chat")) == {chat.sid}
    assert await sids(io.of("/chat").to(ada)) == {chat.sid}


@ways
async def test_what_is_known_of_a_socket(connect: Connect, fetch: Any) -> None:
    register("/chat")(Joining)
    client = await connect(
        "/chat",
        {"rooms": ["a", "b"]},
        make_user(7),
        headers=[(b"X-Token", b"t"), (b"host", b"example.com")],
    )
    (socket,) = await fetch(io.of("/chat"))
    assert socket.sid == client.sid
    assert socket.rooms == {client.sid, "a", "b"}
    assert type(socket.rooms) is frozenset
    assert socket.data == {"auth": {"rooms": ["a", "b"]}}
    assert socket.user_id == 7
    assert socket.transport == "websocket"
    handshake = socket.handshake
    assert handshake.headers == {"x-token": "t", "host": "example.com"}
    assert handshake.query == {"EIO": "4", "transport": "websocket"}
    assert handshake.address == "127.0.0.1"
    assert isinstance(handshake.time, datetime.datetime)
    assert handshake.secure is False
    assert handshake.auth == {"rooms": ["a", "b"]}


@pytest.mark.parametrize("show", [repr, str, pformat])
async def test_no_secret_of_a_socket_is_shown(connect: Connect, show: Callable[[Any], str]) -> None:
    register("/chat")(Joining)
    headers = [(b"cookie", b"sessionid=secret"), (b"authorization", b"Bearer secret")]
    client = await connect("/chat", {"token": "secret"}, make_user(7), headers=headers)
    assert client.sid
    (socket,) = await io.of("/chat").afetch_sockets()
    (description,) = current_hub().members.describe(Target("/chat"))
    described = json.loads(json.dumps(description.as_dict(credentials=True), default=str))
    copy = RemoteSocket(SocketDescription.from_dict(described), io.of("/chat"))
    for shown in (show(socket), show(copy)):
        assert "secret" not in shown
        assert all(part in shown for part in (client.sid, "/chat", "7", "websocket"))


async def test_an_anonymous_socket_that_polls(poller: Poller) -> None:
    register()(Joining)
    await poller.open()
    await poller.send("40")
    await poller.receive()
    (socket,) = await io.afetch_sockets()
    assert socket.user_id is None
    assert socket.transport == "polling"


async def test_it_is_as_it_was_when_it_was_fetched(connect: Connect) -> None:
    register()(Joining)
    await connect(auth={"rooms": ["a"]})
    (before,) = await io.afetch_sockets()
    io.sockets_join("b")
    (after,) = await io.afetch_sockets()
    assert before.rooms == {before.sid, "a"}
    assert after.rooms == {before.sid, "a", "b"}


async def test_who_is_still_connecting_is_in_its_rooms_only(frames: OpenFrames) -> None:
    gate, joined = asyncio.Event(), asyncio.Event()

    @register()
    class Slow(Base):
        async def connect(self, auth: Any) -> None:
            await self.join("room")
            joined.set()
            await gate.wait()

    client = await frames()
    await client.send("40")
    await joined.wait()
    assert await io.afetch_sockets() == []
    assert len(await io.to("room").afetch_sockets()) == 1
    gate.set()
    await client.receive()
    assert len(await io.afetch_sockets()) == 1


# What a RemoteSocket can do


async def fetched(client: Client) -> Any:
    (socket,) = await io.to(client.sid).afetch_sockets()
    return socket


async def from_the_loop(method: Any, *args: Any) -> None:
    method(*args)


async def from_a_thread(method: Any, *args: Any) -> None:
    await asyncio.to_thread(lambda: method(*args) and None)


places = pytest.mark.parametrize("run", [from_the_loop, from_a_thread])


@places
async def test_emit(connect: Connect, run: Any) -> None:
    register()(Joining)
    client, other = await connect(), await connect()
    socket = await fetched(client)
    await run(socket.emit, "x", 1, b"2")
    assert await client.arrived() == [["x", 1, b"2"]]
    assert await other.arrived() == []


@places
async def test_join_and_leave(connect: Connect, run: Any) -> None:
    register()(Joining)
    client, other = await connect(auth={"rooms": ["a"]}), await connect()
    socket = await fetched(client)
    await run(socket.join, "b", "c")
    await run(socket.leave, "a", "b", "never joined")
    assert await client.call("rooms_now") == ["c"]
    assert await other.call("rooms_now") == []


@places
async def test_close(frames: OpenFrames, run: Any) -> None:
    register("/")(Joining)
    register("/other")(Joining)
    client = await frames()
    await client.enter("/other")
    sid = await client.enter("/")
    (socket,) = await io.to(sid).afetch_sockets()
    await run(socket.close)
    assert await client.receive() == "41"
    await client.send('42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"


@places
async def test_close_with_the_transport(frames: OpenFrames, run: Any) -> None:
    register("/")(Joining)
    register("/other")(Joining)
    client = await frames()
    await client.enter("/other")
    sid = await client.enter("/")
    (socket,) = await io.to(sid).afetch_sockets()
    await run(socket.close, True)
    assert sorted(await client.rest()) == ["41", "41/other,"]


async def test_a_socket_that_has_left_hears_nothing(connect: Connect) -> None:
    register()(Joining)
    client = await connect()
    socket = await fetched(client)
    await client.disconnect()
    await socket.emit("x")
    await socket.join("a")
    await socket.leave("a")
    await socket.close(transport=True)
    with pytest.raises(Disconnected):
        await socket.acall("x")
    assert await io.to("a").afetch_sockets() == []


# Many at once


@places
async def test_sockets_join_and_leave(connect: Connect, run: Any) -> None:
    register()(Joining)
    a, ab, none = [await connect(auth={"rooms": list(rooms)}) for rooms in ("a", "ab", "")]

    async def rooms() -> list[str]:
        return ["".join(await client.call("rooms_now")) for client in (a, ab, none)]

    await run(io.sockets_join, "x")
    assert await rooms() == ["ax", "abx", "x"]
    await run(io.to("b").sockets_join, "y", "z")
    assert await rooms() == ["ax", "abxyz", "x"]
    await run(io.to("a").exclude("b").sockets_leave, "a", "x", "never joined")
    assert await rooms() == ["", "abxyz", "x"]
    await run(io.to("y", none.sid).sockets_leave, "x", "z")
    assert await rooms() == ["", "aby", ""]
    io.to("y").emit("still")
    assert await ab.arrived() == [["still"]]
    assert await a.arrived() == await none.arrived() == []


async def test_a_users_sockets_join(connect: Connect) -> None:
    register()(Joining)
    ada = make_user(1)
    hers, others = await connect(user=ada), await connect(user=make_user(2))
    io.to(ada).sockets_join("vip")
    assert await hers.call("rooms_now") == ["vip"]
    assert await others.call("rooms_now") == []


@places
async def test_disconnect_sockets(connect: Connect, frames: OpenFrames, run: Any) -> None:
    reasons: list[str] = []

    @register()
    class Consumer(Joining):
        async def disconnect(self, reason: str) -> None:
            reasons.append(reason)

    register("/other")(Base)
    stays = await connect()
    client = await frames()
    await client.enter("/", {"rooms": ["a"]})
    await client.enter("/other")
    await run(io.to("a").disconnect_sockets)
    assert await client.receive() == "41"
    await client.send('42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"
    assert reasons == ["server namespace disconnect"]
    assert await stays.call("barrier") is True


@places
async def test_disconnect_sockets_and_their_connections(
    connect: Connect, frames: OpenFrames, run: Any
) -> None:
    reasons: list[str] = []

    @register()
    class Consumer(Joining):
        async def disconnect(self, reason: str) -> None:
            reasons.append(reason)

    register("/other")(Consumer)
    stays = await connect()
    client = await frames()
    await client.enter("/", {"rooms": ["a"]})
    await client.enter("/other")
    await run(io.to("a").disconnect_sockets, True)
    assert await client.rest() == ["41", "41/other,"]
    await eventually(lambda: len(reasons) == 2, "disconnect()")
    assert reasons == ["server namespace disconnect"] * 2
    assert await stays.call("barrier") is True


async def test_disconnect_everybody(connect: Connect) -> None:
    register()(Joining)
    clients = [await connect() for _ in range(3)]
    io.disconnect_sockets(close=True)
    for client in clients:
        with pytest.raises(Disconnected):
            await client.receive_event()
    assert await io.afetch_sockets() == []


async def test_what_is_emitted_before_a_disconnect_arrives(connect: Connect) -> None:
    register()(Joining)
    client = await connect()
    io.emit("bye")
    io.disconnect_sockets(close=True)
    io.emit("never")
    assert await client.receive_event() == ("bye", [])
    with pytest.raises(Disconnected):
        await client.receive_event()


async def test_sockets_join_wants_names(connect: Connect) -> None:
    for wrong in (5, None, ["a"]):
        with pytest.raises(TypeError):
            io.sockets_join(wrong)
        with pytest.raises(TypeError):
            io.sockets_leave(wrong)


async def test_processes_that_did_not_answer_are_counted(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()(Joining)
    client = await connect()

    async def fetch(target: Any) -> Any:
        return [], {"one", "another"}

    assert (await io.afetch_sockets()).missing == 0
    monkeypatch.setattr(current_hub().others, "fetch", fetch)
    found = await io.afetch_sockets()
    assert ([socket.sid for socket in found], found.missing) == ([client.sid], 2)
    assert (await io.local.afetch_sockets()).missing == 0
