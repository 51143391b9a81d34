"""Django's signals of what the server does: rooms, upgrades, refusals, what is sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.dispatch import Signal

from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, process, register
from django_socketio.runtime.announcer import Announcer
from django_socketio.signals import (
    connection_refused,
    event_sent,
    room_created,
    room_deleted,
    room_joined,
    room_left,
    transport_upgraded,
)
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, Frames, Poller
from tests.harness.waiting import eventually
from tests.server.clients import state_of
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

ROOMS = {
    "created": room_created,
    "joined": room_joined,
    "left": room_left,
    "deleted": room_deleted,
}

Note = Callable[[dict[str, Signal]], list[Any]]


@pytest.fixture
def note() -> Iterator[Note]:
    """Connects receivers that note what they get, for the time of the test."""
    connected: list[tuple[Signal, Any]] = []

    def connect(signals: dict[str, Signal]) -> list[Any]:
        seen: list[Any] = []

        def receiver_of(name: str) -> Any:
            async def receiver(signal: Signal, sender: Any, **kwargs: Any) -> None:
                assert sender is None
                seen.append((name, kwargs))

            return receiver

        for name, signal in signals.items():
            receiver = receiver_of(name)
            signal.connect(receiver, weak=False)
            connected.append((signal, receiver))
        return seen

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


# Rooms


class Rooms(Base):
    @event
    async def enter(self, *rooms: str) -> None:
        self.join(*rooms)

    @event
    async def go(self, *rooms: str) -> None:
        self.leave(*rooms)


async def test_rooms_come_and_go(connect: Connect, note: Note) -> None:
    register("/chat")(Rooms)
    one, two = await connect("/chat"), await connect("/chat")
    seen = note(ROOMS)
    await one.emit("enter", "a")
    await one.call("barrier")
    await two.emit("enter", "a", "a")
    await two.emit("enter", "a")
    await two.call("barrier")
    await two.emit("go", "a", "b")  # it is not in b
    await two.call("barrier")
    await one.disconnect()
    await eventually(lambda: len(seen) >= 6, "six signals")
    room = {"namespace": "/chat", "room": "a"}
    assert seen == [
        ("created", room),
        ("joined", {**room, "sid": one.sid}),
        ("joined", {**room, "sid": two.sid}),
        ("left", {**room, "sid": two.sid}),
        ("left", {**room, "sid": one.sid}),
        ("deleted", room),
    ]


async def test_the_rooms_of_a_user_and_of_a_sid_are_no_rooms_here(
    connect: Connect, note: Note
) -> None:
    register()(Rooms)
    seen = note(ROOMS)
    client = await connect(user=User(pk=1, username="alice"))
    await client.emit("enter", client.sid, "a")
    await client.call("barrier")
    await client.disconnect()
    await eventually(lambda: len(seen) >= 4, "four signals")
    assert [(name, about["room"]) for name, about in seen] == [
        (name, "a") for name in ("created", "joined", "left", "deleted")
    ]


async def test_a_client_that_is_refused_leaves_its_rooms(frames: OpenFrames, note: Note) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("a")
            raise ConnectionRefused("No")

    seen = note({"joined": room_joined, "left": room_left})
    client = await frames()
    await client.send("40")
    assert await client.receive() == '44{"message":"No"}'
    await eventually(lambda: len(seen) >= 2, "two signals")
    assert [name for name, _ in seen] == ["joined", "left"]


async def test_a_slow_receiver_delays_the_next_signals_and_nothing_else(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, logged: Any
) -> None:
    """They keep their order; those past the bound are dropped, counted and logged."""
    register()(Rooms)
    client = await connect()
    gate, rooms = asyncio.Event(), []

    async def receiver(room: str, **kwargs: Any) -> None:
        await gate.wait()
        rooms.append(room)

    room_joined.connect(receiver)
    monkeypatch.setattr(Announcer, "MOST", 2)
    before = counters.limits["signals dropped"]
    await client.emit("enter", *"abcde")
    await client.call("barrier")
    gate.set()
    await eventually(lambda: len(rooms) == 2, "the signals that were kept")
    room_joined.disconnect(receiver)
    assert rooms == ["a", "b"]
    assert counters.limits["signals dropped"] == before + 3
    assert ["their receivers are slow" in record.getMessage() for record in logged()] == [True]


async def test_plain_receivers_run_in_a_thread_and_their_errors_are_logged(
    connect: Connect, errors: Any
) -> None:
    register()(Rooms)
    client = await connect()
    threads: list[Any] = []

    def failing(**kwargs: Any) -> None:
        threads.append(threading.current_thread())
        raise ValueError("a receiver's")

    room_joined.connect(failing)
    await client.emit("enter", "a", "b")
    await eventually(lambda: len(threads) == 2, "both signals")
    await client.call("barrier")
    room_joined.disconnect(failing)
    assert threading.main_thread() not in threads
    await eventually(lambda: len(errors()) == 2, "both errors")


# Upgrades


async def test_an_upgrade(poller: Poller, note: Note) -> None:
    consumers: list[SocketIOConsumer] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            consumers.append(self)

    seen = note({"upgraded": transport_upgraded})
    await poller.open()
    await poller.send("40")
    await poller.receive()
    websocket = await poller.upgrade()
    await eventually(lambda: seen, "the signal")
    ((_, about),) = seen
    assert about == {"scope": consumers[0].scope, "transport": "websocket", "sockets": consumers}
    await websocket.drop()


# Refusals


@pytest.mark.parametrize(
    ("query", "method", "code", "message", "context"),
    [
        ("EIO=4&transport=x", "GET", 0, "Transport unknown", {"transport": "x"}),
        ("EIO=4&transport=polling&sid=x", "GET", 1, "Session ID unknown", {"sid": "x"}),
        ("EIO=4&transport=polling", "PUT", 2, "Bad handshake method", {"method": "PUT"}),
        ("EIO=4&transport=websocket", "GET", 3, "Bad request", {}),
        ("EIO=3&transport=polling", "GET", 5, "Unsupported protocol version", {"protocol": "3"}),
    ],
)
async def test_a_refused_request(
    application: Any,
    note: Note,
    query: str,
    method: str,
    code: int,
    message: str,
    context: dict[str, Any],
) -> None:
    seen = note({"refused": connection_refused})
    exchange = await Exchange(application, query, method).run()
    assert exchange.json == {"code": code, "message": message}
    ((_, about),) = seen
    assert about.pop("scope") is exchange.scope
    assert about == {"code": code, "message": message, "context": {"status": 400, **context}}


async def test_a_refused_origin_and_a_refused_websocket(application: Any, note: Note) -> None:
    seen = note({"refused": connection_refused})
    await Exchange(application, headers=[(b"origin", b"https://evil.example")]).run()
    websocket = Frames(application, "EIO=4&transport=websocket&sid=x")
    websocket.put("connect")
    await websocket.task
    assert [(about["code"], about["context"]) for _, about in seen] == [
        (
            4,
            {"status": 403, "detail": "origin https://evil.example", "message": "Forbidden"},
        ),
        (1, {"status": 400, "sid": "x"}),
    ]


# What is sent


class Sender(Base):
    """Does what a test asks for."""

    act: Any = None

    @event
    async def do(self) -> None:
        result = type(self).act(self)
        if hasattr(result, "__await__"):
            await result


@pytest.mark.parametrize(
    ("act", "rooms", "is_own"),
    [
        (lambda self: self.emit("news", {"n": 1}), "sid", True),
        (lambda self: self.volatile.emit("news", {"n": 1}), "sid", True),
        (lambda self: self.to("a", "b").emit("news", {"n": 1}), ("a", "b"), False),
        (lambda self: io.of("/chat").to("a").emit("news", {"n": 1}), ("a",), False),
        (lambda self: io.of("/chat").on_commit.emit("news", {"n": 1}), (), False),
    ],
    ids=["self", "volatile", "to", "io", "on_commit"],
)
async def test_each_emit_is_told_once(
    connect: Connect, note: Note, act: Any, rooms: Any, is_own: bool
) -> None:
    consumers: list[SocketIOConsumer] = []

    def acting(self: SocketIOConsumer) -> None:
        consumers.append(self)
        act(self)

    register("/chat")(type("Consumer", (Sender,), {"act": acting}))
    client = await connect("/chat")
    await connect("/chat")
    seen = note({"sent": event_sent})
    await client.emit("do")
    await client.call("barrier")  # an acknowledgement is no event
    await eventually(lambda: seen, "the signal")
    ((_, about),) = seen
    assert about["exclude"] == ((client.sid,) if "a" in rooms and "b" in rooms else ())
    del about["exclude"]
    assert about == {
        "namespace": "/chat",
        "event": "news",
        "args": [{"n": 1}],
        "rooms": (client.sid,) if rooms == "sid" else rooms,
        "socket": consumers[0] if is_own else None,
    }


@pytest.mark.parametrize("everyone", [False, True], ids=["one", "many"])
async def test_questions_are_sent_too(frames: OpenFrames, note: Note, everyone: bool) -> None:
    async def ask(self: SocketIOConsumer) -> None:
        await (self.namespace.acall("q", 1) if everyone else self.acall("q", 1))

    @register()
    class Consumer(Sender):
        act = ask

        @event(concurrent=True)
        async def do(self) -> None:
            await ask(self)

    client = await frames()
    await client.enter("/")
    seen = note({"sent": event_sent})
    await client.send('42["do"]')
    question = await client.receive()
    await client.send(f"43{question[2:].partition('[')[0]}[]")
    await eventually(lambda: seen, "the signal")
    assert [(about["event"], about["args"]) for _, about in seen] == [("q", [1])]


async def test_nobody_is_no_addressee(connect: Connect, note: Note) -> None:
    register()(type("Consumer", (Sender,), {"act": lambda self: self.emit("last")}))
    client = await connect()
    seen = note({"sent": event_sent})
    io.to().emit("news")
    await client.emit("do")
    await eventually(lambda: seen, "the signal")
    assert [about["event"] for _, about in seen] == ["last"]


async def test_an_emit_from_a_thread(connect: Connect, note: Note) -> None:
    register()(type("Consumer", (Sender,), {}))
    await connect()
    seen = note({"sent": event_sent})
    await asyncio.to_thread(lambda: [io.emit("n", n) for n in range(5)])
    await eventually(lambda: len(seen) == 5, "all signals")
    assert [about["args"] for _, about in seen] == [[n] for n in range(5)]


def test_a_process_without_clients_calls_receivers_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "serving", False)
    monkeypatch.setattr("django_socketio.server.hubs._hubs", [])
    seen: list[Any] = []

    def receiver(event: str, args: Any, **kwargs: Any) -> None:
        seen.append((event, args, threading.current_thread()))

    event_sent.connect(receiver)
    io.emit("news", 1)
    event_sent.disconnect(receiver)
    assert seen == [("news", [1], threading.current_thread())]


# Volatile


async def test_volatile_over_polling_is_counted_where_it_is_dropped(poller: Poller) -> None:
    """As in Node: the first makes the poll return, and no other one waits yet."""
    consumers: list[SocketIOConsumer] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            consumers.append(self)

    await poller.open()
    await poller.send("40")
    await poller.receive()
    client = state_of(consumers[0]).client
    poll = asyncio.create_task(poller.receive())
    await eventually(lambda: client.session.writable, "the poll to wait")
    before = counters.traffic.volatile_dropped
    for n in range(5):
        consumers[0].volatile.emit("n", n)
    assert await poll == ['42["n",0]']
    assert counters.traffic.volatile_dropped == before + 4


async def test_volatile_over_websocket_waits_for_the_server_alone(frames: OpenFrames) -> None:
    consumers: list[SocketIOConsumer] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            consumers.append(self)

    client = await frames()
    await client.enter("/")
    for n in range(3):
        consumers[0].volatile.emit("n", n)
    assert [await client.receive() for _ in range(3)] == [f'42["n",{n}]' for n in range(3)]
    session = state_of(consumers[0]).client.session
    before = counters.traffic.volatile_dropped
    session.set_writable(False)  # as while the server's send() waits
    consumers[0].volatile.emit("n", 3)
    session.set_writable(True)
    consumers[0].emit("n", 4)
    assert await client.receive() == '42["n",4]'
    assert counters.traffic.volatile_dropped == before + 1
