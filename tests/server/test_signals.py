"""Django's signals of the server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.dispatch import Signal

from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, register
from django_socketio.exceptions import EventRefused
from django_socketio.signals import event_received, socket_connected, socket_disconnected
from tests.harness.waiting import eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

Receive = Callable[[Signal, Callable[..., Any]], None]


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Connects receivers for the time of the test."""
    connected: list[tuple[Signal, Callable[..., Any]]] = []

    def connect(signal: Signal, receiver: Callable[..., Any], **kwargs: Any) -> None:
        signal.connect(receiver, weak=False, **kwargs)
        connected.append((signal, receiver))

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)
        signal.disconnect(receiver, sender=Named)


class Named(Base):
    """A sender that a receiver may ask for."""

    @event
    async def say(self, *args: Any) -> list[Any]:
        return list(args)


async def test_a_sockets_life(connect: Connect, receive: Receive) -> None:
    order: list[Any] = []

    @register()
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            order.append("connect()")

        @event
        async def say(self, *args: Any) -> None:
            order.append("handler")

        async def disconnect(self, reason: str) -> None:
            order.append("disconnect()")

    async def on_connected(sender: Any, socket: Any, **kwargs: Any) -> None:
        order.append(("connected", sender is Consumer, socket.sid, socket.connected))

    async def on_event(sender: Any, socket: Any, event: str, args: Any, **kwargs: Any) -> None:
        order.append(("event", sender is Consumer, socket.sid, event, args))

    async def on_disconnected(sender: Any, socket: Any, reason: str, **kwargs: Any) -> None:
        order.append(("disconnected", sender is Consumer, socket.sid, reason))

    receive(socket_connected, on_connected)
    receive(event_received, on_event)
    receive(socket_disconnected, on_disconnected)
    client = await connect()
    await client.call("say", 1, b"2")
    await client.disconnect()
    assert order == [
        "connect()",
        ("connected", True, client.sid, True),
        ("event", True, client.sid, "say", [1, b"2"]),
        "handler",
        "disconnect()",
        ("disconnected", True, client.sid, "transport close"),
    ]


async def test_plain_receivers_run_in_a_thread(connect: Connect, receive: Receive) -> None:
    threads: list[threading.Thread] = []
    register()(Named)

    def receiver(**kwargs: Any) -> None:
        threads.append(threading.current_thread())

    for signal in (socket_connected, event_received, socket_disconnected):
        receive(signal, receiver)
    client = await connect()
    await client.call("say")
    await client.disconnect()
    assert len(threads) == 3
    assert threading.current_thread() not in threads


@pytest.mark.django_db(transaction=True)
async def test_receivers_may_use_the_orm(connect: Connect, receive: Receive) -> None:
    register()(Named)

    def plain(socket: Any, reason: str, **kwargs: Any) -> None:
        User.objects.create(username=f"plain {reason}")

    async def not_plain(socket: Any, reason: str, **kwargs: Any) -> None:
        await User.objects.acreate(username=f"async {reason}")

    receive(socket_disconnected, plain)
    receive(socket_disconnected, not_plain)
    client = await connect()
    await client.disconnect()
    names = {user.username async for user in User.objects.all()}
    assert names == {"plain transport close", "async transport close"}


async def test_receivers_may_emit(connect: Connect, receive: Receive) -> None:
    register()(Named)

    def receiver(socket: Any, **kwargs: Any) -> None:
        socket.emit("hello")
        socket.join("room")
        io.to("room").emit("joined")

    receive(socket_connected, receiver)
    client = await connect()
    assert await client.receive_event() == ("hello", [])
    assert await client.receive_event() == ("joined", [])


async def test_receivers_for_one_sender(connect: Connect, receive: Any) -> None:
    seen: list[str] = []
    register("/named")(Named)
    register("/other")(type("Other", (Base,), {}))

    async def receiver(socket: Any, **kwargs: Any) -> None:
        seen.append(socket.namespace.name)

    receive(socket_connected, receiver, sender=Named)
    await connect("/named")
    await (await connect("/other")).call("barrier")
    assert seen == ["/named"]


async def test_every_event_counts_with_or_without_a_handler(
    connect: Connect, receive: Receive
) -> None:
    seen: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        async def refused(self) -> None:
            raise EventRefused

        @event
        async def misfit(self) -> None: ...

    async def receiver(event: str, args: Any, **kwargs: Any) -> None:
        seen.append((event, args))

    receive(event_received, receiver)
    client = await connect()
    await client.emit("nobody's", 1)
    await client.emit("refused")
    await client.emit("misfit", 1)
    await client.call("barrier")
    assert seen == [("nobody's", [1]), ("refused", []), ("misfit", [1]), ("barrier", [])]


async def test_a_refused_client_sends_no_signal(frames: OpenFrames, receive: Receive) -> None:
    seen: list[str] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            raise ConnectionRefused("No")

    async def receiver(**kwargs: Any) -> None:
        seen.append("called")

    for signal in (socket_connected, event_received, socket_disconnected):
        receive(signal, receiver)
    client = await frames()
    await client.send("40")
    assert await client.receive() == '44{"message":"No"}'
    await client.drop()
    assert seen == []


@pytest.mark.parametrize("plain", [False, True])
async def test_a_failing_receiver_harms_nothing(
    connect: Connect,
    receive: Receive,
    errors: Callable[[], list[logging.LogRecord]],
    plain: bool,
) -> None:
    seen: list[str] = []

    @register()
    class Consumer(Named):
        async def disconnect(self, reason: str) -> None:
            seen.append("disconnect()")

    async def fails(**kwargs: Any) -> None:
        raise RuntimeError("on purpose")

    def fails_plainly(**kwargs: Any) -> None:
        raise RuntimeError("on purpose")

    async def works(signal: Signal, **kwargs: Any) -> None:
        seen.append("receiver")

    for signal in (socket_connected, event_received, socket_disconnected):
        receive(signal, fails_plainly if plain else fails)
        receive(signal, works)
    client = await connect()
    await eventually(lambda: seen, "the signal")
    assert await client.call("say", 1) == [1]
    await client.disconnect()
    assert seen == ["receiver", "receiver", "disconnect()", "receiver"]
    assert len(errors()) == 3
    for record in errors():
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == "on purpose"


async def test_a_slow_receiver_of_connected_does_not_hold_up_events(
    connect: Connect, receive: Receive
) -> None:
    gate = asyncio.Event()
    register()(Named)

    async def receiver(**kwargs: Any) -> None:
        await gate.wait()

    receive(socket_connected, receiver)
    client = await connect()
    assert await client.call("say", 1) == [1]
    gate.set()
