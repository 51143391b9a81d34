"""What a consumer's instance can do."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import AckTimeout, LimitExceeded
from tests.harness.inprocess import Poller
from tests.harness.waiting import eventually
from tests.server.clients import Client, state_of
from tests.server.conftest import Connect
from tests.server.consumers import Base
from tests.server.users import make_user

Act = Callable[[SocketIOConsumer], Any]


class Acting(Base):
    """Does what a test tells it to, in an async and in a plain handler."""

    act: Act

    async def connect(self, auth: Any) -> None:
        if auth:
            self.join(*auth["rooms"])

    @event
    async def do(self) -> Any:
        return type(self).act(self)

    @event
    def do_plainly(self) -> Any:
        return type(self).act(self)


def acting(act: Act, namespace: str = "/") -> type[Acting]:
    return register(namespace)(type("Consumer", (Acting,), {"act": staticmethod(act)}))


both_kinds = pytest.mark.parametrize("do", ["do", "do_plainly"])


@both_kinds
async def test_emit(connect: Connect, do: str) -> None:
    def act(self: SocketIOConsumer) -> None:
        self.emit("nothing")
        self.emit("several", 1, "two", [3], {"four": None})
        self.emit("binary", b"1", {"deep": [bytearray(b"2")]})

    acting(act)
    client, other = await connect(), await connect()
    await client.call(do)
    assert await client.kept() == [
        ["nothing"],
        ["several", 1, "two", [3], {"four": None}],
        ["binary", b"1", {"deep": [b"2"]}],
    ]
    assert await other.arrived() == []


@both_kinds
async def test_send_is_the_event_message(connect: Connect, do: str) -> None:
    acting(lambda self: self.send("Hello!", 1) and None)
    client = await connect()
    await client.call(do)
    assert await client.kept() == [["message", "Hello!", 1]]


@both_kinds
async def test_what_was_emitted_is_not_changed_later(connect: Connect, do: str) -> None:
    def act(self: SocketIOConsumer) -> None:
        value = [1]
        self.emit("value", value)
        value.append(2)

    acting(act)
    client = await connect()
    await client.call(do)
    assert await client.kept() == [["value", [1]]]


@both_kinds
@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "disconnecting"])
async def test_reserved_names_cannot_be_emitted(connect: Connect, do: str, name: str) -> None:
    def act(self: SocketIOConsumer) -> str:
        for emit in (self.emit, self.broadcast.emit, self.to("x").emit, io.emit):
            with pytest.raises(ValueError, match=name):
                emit(name)
        return "tried"

    acting(act)
    assert await (await connect()).call(do) == "tried"


@both_kinds
async def test_what_cannot_be_sent_is_said_at_once(connect: Connect, do: str) -> None:
    def act(self: SocketIOConsumer) -> str:
        for emit in (self.emit, self.broadcast.emit, io.emit):
            with pytest.raises(TypeError):
                emit("x", object())
            with pytest.raises(TypeError):
                emit(5)  # type: ignore[arg-type]
        return "tried"

    acting(act)
    assert await (await connect()).call(do) == "tried"


# Rooms


@both_kinds
async def test_join_and_leave(connect: Connect, do: str) -> None:
    def act(self: SocketIOConsumer) -> list[str]:
        self.join("a", "b", "c")
        self.join()
        self.join("a")
        self.leave("b", "never joined")
        self.leave()
        return sorted(self.rooms - {self.sid})

    acting(act)
    client, other = await connect(), await connect()
    assert await client.call(do) == ["a", "c"]
    for room in ("a", "b", "c"):
        io.to(room).emit(room)
    assert await client.arrived() == [["a"], ["c"]]
    assert await other.arrived() == []


async def test_one_leave_undoes_any_number_of_joins(connect: Connect) -> None:
    def act(self: SocketIOConsumer) -> None:
        self.join("a")
        self.join("a", "a")
        self.leave("a")

    acting(act)
    client = await connect()
    await client.call("do")
    io.to("a").emit("never")
    assert await client.arrived() == []


async def test_nobody_leaves_its_own_room(connect: Connect) -> None:
    def act(self: SocketIOConsumer) -> list[str]:
        self.join(self.sid)
        self.leave(self.sid)
        return sorted(self.rooms)

    acting(act)
    client = await connect()
    assert await client.call("do") == [client.sid]
    io.to(client.sid).emit("still here")
    assert await client.arrived() == [["still here"]]


async def test_rooms_are_text_or_users(connect: Connect) -> None:
    def act(self: SocketIOConsumer) -> str:
        for room in (5, None, ["a"], b"a", object()):
            with pytest.raises(TypeError, match="room"):
                self.join(room)
            with pytest.raises(TypeError, match="room"):
                self.to(room)
        return "tried"

    acting(act)
    assert await (await connect()).call("do") == "tried"


async def test_a_socket_may_join_a_users_room(connect: Connect) -> None:
    ada = make_user(1)

    def act(self: SocketIOConsumer) -> list[str]:
        self.join(ada)
        return sorted(self.rooms)

    acting(act)
    watcher = await connect()
    assert await watcher.call("do") == [watcher.sid]
    io.to(ada).emit("for ada and who watches")
    assert await watcher.arrived() == [["for ada and who watches"]]


async def test_leaving_a_room_of_ones_user_that_one_joined(connect: Connect) -> None:
    ada = make_user(1)

    def act(self: SocketIOConsumer) -> None:
        self.join(ada)
        self.leave(ada)

    acting(act)
    client = await connect(user=ada)
    await client.call("do")
    io.to(ada).emit("still ada")
    assert await client.arrived() == [["still ada"]]


async def test_room_names_are_any_text(connect: Connect) -> None:
    rooms = ["a b", "a_b", "é", "ü", "", "a/b,c", "x" * 200 + "1", "x" * 200 + "2", "{}", "0"]
    acting(lambda self: None)
    clients = [await connect(auth={"rooms": [room]}) for room in rooms]
    for room in rooms:
        io.to(room).emit("for", room)
    for room, client in zip(rooms, clients, strict=True):
        assert await client.arrived() == [["for", room]]


async def test_a_room_with_too_long_a_name(connect: Connect, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_ROOM_NAME_LENGTH": 10}

    def act(self: SocketIOConsumer) -> str:
        with pytest.raises(LimitExceeded):
            self.join("x" * 11)
        return "tried"

    acting(act)
    client = await connect()
    assert await client.call("do") == "tried"
    assert await client.call("do_plainly") == "tried"


# Others


@pytest.fixture
def trio(connect: Connect) -> Callable[[], Awaitable[tuple[Client, Client, Client]]]:
    """One that acts, in rooms a and b; one in a; one in a and b."""

    async def make() -> tuple[Client, Client, Client]:
        return (
            await connect(auth={"rooms": ["a", "b"]}),
            await connect(auth={"rooms": ["a"]}),
            await connect(auth={"rooms": ["a", "b"]}),
        )

    return make


@both_kinds
@pytest.mark.parametrize(
    ("act", "first", "second", "third"),
    [
        (lambda self: self.to("a"), 0, 1, 1),
        (lambda self: self.to("b"), 0, 0, 1),
        (lambda self: self.to("a", "b"), 0, 1, 1),
        (lambda self: self.to("a").to("b"), 0, 1, 1),
        (lambda self: self.to("nobody's"), 0, 0, 0),
        (lambda self: self.broadcast, 0, 1, 1),
        (lambda self: self.broadcast.to("b"), 0, 0, 1),
        (lambda self: self.exclude("b"), 0, 1, 0),
        (lambda self: self.exclude("nobody's"), 0, 1, 1),
        (lambda self: self.exclude("a", "b"), 0, 0, 0),
        (lambda self: self.to("a").exclude("b"), 0, 1, 0),
        (lambda self: self.broadcast.exclude("b"), 0, 1, 0),
        (lambda self: self.to(self.sid), 0, 0, 0),
        (lambda self: self.volatile.to("a"), 0, 1, 1),
        (lambda self: self.volatile.broadcast, 0, 1, 1),
        (lambda self: self.volatile.exclude("b"), 0, 1, 0),
        (lambda self: self.compress(False).to("a"), 0, 1, 1),
        (lambda self: self.timeout(1).broadcast, 0, 1, 1),
        (lambda self: self.broadcast.volatile.compress(True).local, 0, 1, 1),
        (lambda self: self.to("a").of("/"), 1, 1, 1),
        (lambda self: self.timeout(1).of("/"), 1, 1, 1),
        (lambda self: self.volatile, 1, 0, 0),
        (lambda self: self.compress(False), 1, 0, 0),
        (lambda self: self.timeout(1), 1, 0, 0),
        (lambda self: self.namespace, 1, 1, 1),
        (lambda self: self.namespace.to("b"), 1, 0, 1),
        (lambda self: self.namespace.exclude("b"), 0, 1, 0),
        (lambda self: self.namespace.to(self.sid), 1, 0, 0),
    ],
)
async def test_who_gets_it(
    trio: Any, do: str, act: Act, first: int, second: int, third: int
) -> None:
    def emit(self: SocketIOConsumer) -> None:
        act(self).emit("x", 1)
        act(self).send("y")

    acting(emit)
    clients = await trio()
    await clients[0].call(do)
    for client, count in zip(clients, (first, second, third), strict=True):
        assert await client.arrived() == [["x", 1], ["message", "y"]] * count


async def test_a_chain_from_the_socket_changes_nothing_it_was_called_on(trio: Any) -> None:
    def emit(self: SocketIOConsumer) -> None:
        broadcast = self.broadcast
        to_a = self.to("a")
        volatile = self.volatile
        broadcast.to("b").exclude("a")
        to_a.to("b").exclude("a")
        volatile.to("a")
        broadcast.emit("all")
        to_a.emit("a")
        volatile.emit("me")

    acting(emit)
    clients = await trio()
    await clients[0].call("do")
    assert await clients[0].arrived() == [["me"]]
    assert await clients[1].arrived() == await clients[2].arrived() == [["all"], ["a"]]


@both_kinds
async def test_broadcast_with_an_answer(trio: Any, do: str) -> None:
    answers: list[Any] = []

    async def ask(self: SocketIOConsumer) -> None:
        answers.extend(await self.to("a").timeout(5).acall("who?"))

    @register()
    class Consumer(Acting):
        @event
        async def do(self) -> None:
            answers.extend(await self.broadcast.timeout(5).acall("who?"))

        @event
        def do_plainly(self) -> None:
            answers.extend(self.broadcast.timeout(5).call("who?"))

    clients = await trio()
    await clients[0].emit(do)
    for number, client in enumerate(clients[1:]):
        assert await client.receive_event() == ("who?", [])
        await client.acknowledge(number)
    await clients[0].call("barrier")
    assert sorted(answers) == [0, 1]


@both_kinds
async def test_timeout_is_of_this_call_only(connect: Connect, do: str) -> None:
    outcome: list[Any] = []

    @register()
    class Consumer(Acting):
        @event
        async def do(self) -> None:
            hasty = self.timeout(0.01)
            with pytest.raises(AckTimeout):
                await hasty.acall("too late")
            outcome.append(await self.acall("in time"))

        @event
        def do_plainly(self) -> None:
            hasty = self.timeout(0.01)
            with pytest.raises(AckTimeout):
                hasty.call("too late")
            outcome.append(self.call("in time"))

    client = await connect()
    await client.emit(do)
    assert await client.receive_event() == ("too late", [])
    assert await client.receive_event() == ("in time", [])
    await client.acknowledge("yes")
    await client.call("barrier")
    assert outcome == ["yes"]


# volatile and compress


async def test_volatile_is_dropped_while_the_client_cannot_take_it(poller: Poller) -> None:
    def act(self: SocketIOConsumer) -> None:
        self.volatile.emit("dropped")
        self.emit("kept")
        self.namespace.volatile.emit("dropped, too")
        self.volatile.send("dropped as well")

    acting(act)
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('421["do"]')
    assert await poller.receive() == ['42["kept"]', "431[]"]


@pytest.mark.parametrize("size", [0, 10])
async def test_volatile_arrives_at_a_client_that_listens(poller: Poller, size: int) -> None:
    sockets: list[SocketIOConsumer] = []
    acting(lambda self: sockets.append(self))
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('42["do"]')
    await eventually(lambda: sockets, "the socket")
    poll = asyncio.create_task(poller.receive())
    await eventually(lambda: state_of(sockets[0]).client.session.writable, "the poll to wait")
    await sockets[0].volatile.emit("arrives", b"x" * size)
    assert (await poll)[0] == '451-["arrives",{"_placeholder":true,"num":0}]'


@pytest.mark.parametrize("compressed", [True, False])
async def test_compress(poller: Poller, compressed: bool) -> None:
    def act(self: SocketIOConsumer) -> None:
        self.compress(compressed).emit("large", "x" * 2000)

    acting(act)
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('42["do"]')
    answer = await poller.poll(headers=[(b"accept-encoding", b"gzip")])
    assert ("content-encoding" in answer.headers) is compressed
    body = gzip.decompress(answer.body) if compressed else answer.body
    assert json.loads(body[2:]) == ["large", "x" * 2000]


async def test_compress_of_a_broadcast(application: Any) -> None:
    acting(lambda self: None)
    pollers = Poller(application), Poller(application)
    for poller in pollers:
        await poller.open()
        await poller.send("40")
        await poller.receive()
    for compressed in (True, False):
        io.compress(compressed).emit("large", "x" * 2000)
        for poller in pollers:
            answer = await poller.poll(headers=[(b"accept-encoding", b"deflate, gzip;q=0.5")])
            assert ("content-encoding" in answer.headers) is compressed


# Awaiting


async def test_plain_calls_can_be_awaited(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event
        async def do(self) -> list[Any]:
            await self.join("a")
            results = [
                await self.emit("x"),  # type: ignore[func-returns-value]
                await self.send("x"),  # type: ignore[func-returns-value]
                await self.volatile.emit("x"),
                await self.to("a").emit("x"),
                await self.broadcast.send("x"),
                await self.leave("a"),  # type: ignore[func-returns-value]
                await self.namespace.sockets_join("b"),
                await self.namespace.sockets_leave("b"),
            ]
            await self.close()
            return results

        async def disconnect(self, reason: str) -> None:
            await self.emit("nobody")
            await self.join("nobody's")
            finished.append(reason)

    finished: list[str] = []
    client = await connect()
    await client.emit("do")
    await eventually(lambda: finished, "disconnect()")
    assert finished == ["server namespace disconnect"]


async def test_awaiting_waits_for_the_buffer_to_drain(poller: Poller) -> None:
    sockets: list[SocketIOConsumer] = []
    acting(lambda self: sockets.append(self))
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('42["do"]')
    await eventually(lambda: sockets, "the socket")
    small = asyncio.ensure_future(sockets[0].emit("small"))
    await asyncio.wait_for(small, 5)
    large = asyncio.ensure_future(sockets[0].emit("large", "x" * 200_000))
    everyone = asyncio.ensure_future(io.emit("to all"))
    in_a_thread = asyncio.ensure_future(asyncio.to_thread(_run, sockets[0].emit, "from a thread"))
    session = state_of(sockets[0]).client.session
    await eventually(lambda: len(session.buffer) == 4, "all four to wait")
    for _ in range(5):
        await asyncio.sleep(0.002)
        assert not any(waiting.done() for waiting in (large, everyone, in_a_thread))
    assert len(await poller.receive()) == 4
    await asyncio.wait_for(asyncio.gather(large, everyone, in_a_thread), 5)


def _run(emit: Callable[..., Awaitable[Any]], *args: Any) -> None:
    """Emit on a loop of one's own."""

    async def main() -> None:
        await emit(*args)

    asyncio.run(main())


async def test_a_failing_call_in_a_thread_is_logged(
    connect: Connect,
    settings: Any,
    errors: Callable[[], list[logging.LogRecord]],
) -> None:
    """The caller has gone on, so the log is where it is seen."""
    settings.SOCKETIO = {"MAX_ROOMS": 2}
    acting(lambda self: self.join("a", "b", "c") and None)
    client = await connect()
    await client.call("do_plainly")
    assert len(errors()) == 1
