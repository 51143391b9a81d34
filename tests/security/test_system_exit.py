"""What a project's code raises ends no server, be it SystemExit (found here)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.dispatch import Signal

from django_socketio import SocketIOConsumer, event
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.signals import (
    event_received,
    server_event,
    socket_connected,
    socket_disconnected,
)
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, nothing_else
from tests.harness.waiting import eventually, soon

from .inprocess import Wire, exchange, handshake, joined, of_session, registered

pytestmark = pytest.mark.usefixtures("worker_threads")


class Failed(BaseException):
    """As what pytest, gevent or trio raise."""


def leave_program() -> None:
    sys.exit("on purpose")


def fail() -> None:
    raise Failed


def interrupt() -> None:
    raise KeyboardInterrupt


Leave = Callable[[], None]


@pytest.fixture(params=[leave_program, fail, interrupt])
def leave(request: pytest.FixtureRequest) -> Iterator[Leave]:
    """What code does that leaves. No Ctrl-C raises, as in a server, which handles the signal."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    yield request.param
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def receive() -> Iterator[Callable[[Signal, Any], None]]:
    connected: list[tuple[Signal, Any]] = []

    def receive(signal: Signal, receiver: Any) -> None:
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield receive
    for one, receiver in connected:
        one.disconnect(receiver)


class Echo(SocketIOConsumer):
    @event
    async def echo(self, *args: Any) -> Any:
        return args


async def alive(wire: Wire) -> None:
    await wire.send('427["echo","alive"]')
    assert await soon(wire.receive()) == '437["alive"]'


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error: which lines, and what was raised at the bottom of it."""
    found = []
    for record in caplog.records:
        if record.levelname == "ERROR":
            error = record.exc_info[1] if record.exc_info else None
            cause = getattr(error, "__cause__", None) or error
            found.append(type(cause).__name__)
    return found


@pytest.mark.parametrize("name", ["waits", "at_once", "plain", "concurrent"])
@pytest.mark.parametrize("polling", [False, True], ids=["websocket", "polling"])
async def test_in_a_handler(
    leave: Leave, name: str, polling: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Consumer(Echo):
        @event
        async def waits(self) -> None:
            await asyncio.sleep(0)
            leave()

        @event
        async def at_once(self) -> None:
            leave()

        @event
        def plain(self) -> None:
            leave()

        @event(concurrent=True)
        async def concurrent(self) -> None:
            leave()

    counted = counters.handler_errors["event"]
    with registered(Consumer):
        wire = await joined()
        if polling:
            sid = await handshake()
            await exchange(of_session(sid), "POST", pieces=[b"40"])
            await exchange(of_session(sid))
            answer = await exchange(of_session(sid), "POST", pieces=[f'42["{name}"]'.encode()])
            assert answer.status == 200
        else:
            await wire.send(f'42["{name}"]')
        await eventually(lambda: counters.handler_errors["event"] == counted + 1, "the error")
        await alive(wire)
        assert len(errors(caplog)) == 1
        if polling:
            await exchange(of_session(sid), "POST", pieces=[b"1"])
        await wire.leave()


@pytest.mark.parametrize("hook", ["__init__", "authenticate", "connect"])
@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_in_a_hook(
    leave: Leave, hook: str, plain: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def plainly(self: Any, *args: Any) -> None:
        leave()

    async def not_plainly(self: Any, *args: Any) -> None:
        leave()

    function = plainly if plain or hook == "__init__" else not_plainly
    consumer = type("Consumer", (SocketIOConsumer,), {hook: function})
    with registered(Echo), registered(consumer, "/hook"):
        wire = await joined()
        counted = counters.handler_errors["connect"]
        await wire.send("40/hook,")
        assert await soon(wire.receive()) == '44/hook,{"message":"Internal server error"}'
        assert counters.handler_errors["connect"] == counted + 1
        await alive(wire)
        assert len(errors(caplog)) == 1
        await wire.leave()


@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_in_disconnect(leave: Leave, plain: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Async(Echo):
        async def disconnect(self, reason: str) -> None:
            leave()

    class Plain(Echo):
        def disconnect(self, reason: str) -> None:
            leave()

    with registered(Echo), registered(Plain if plain else Async, "/hook"):
        wire = await joined()
        counted = counters.handler_errors["disconnect"]
        await wire.enter("/hook")
        await wire.send("41/hook,")
        await eventually(lambda: counters.handler_errors["disconnect"] == counted + 1, "the error")
        await alive(wire)
        assert len(errors(caplog)) == 1
        await wire.leave()


@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_in_a_receiver(
    leave: Leave, plain: bool, receive: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The other receivers are called nevertheless."""
    seen: list[Any] = []

    def plainly(**kwargs: Any) -> None:
        leave()

    async def not_plainly(**kwargs: Any) -> None:
        leave()

    def note(signal: Signal, **kwargs: Any) -> str:
        seen.append(signal)
        return "noted"

    async def note_too(signal: Signal, **kwargs: Any) -> str:
        seen.append(signal)
        return "noted"

    signals = [socket_connected, event_received, socket_disconnected, server_event]
    for one in signals:
        receive(one, plainly if plain else not_plainly)
        receive(one, note)
        receive(one, note_too)
    with registered(Echo):
        wire = await joined()
        await alive(wire)
        answers = await soon(current_hub().members.server_event("/", "name", []))
        assert answers == ["noted", "noted"]
        await wire.leave()
        for one in signals:
            assert seen.count(one) == 2
        assert len(errors(caplog)) == 4


async def test_in_the_middleware(leave: Leave, caplog: pytest.LogCaptureFixture) -> None:
    def middleware(inner: Any) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            leave()

        return application

    application = SocketIOApplication(nothing_else, middleware=middleware)
    assert (await Exchange(application).run()).status == 503
    assert len(errors(caplog)) == 1


async def test_a_cancelled_handler_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio's own way to end a task stays what it is."""
    ended: list[str] = []

    class Consumer(SocketIOConsumer):
        @event
        async def wait(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

    counted = counters.handler_errors["event"]
    with registered(Consumer):
        wire = await joined()
        await wire.send('42["wait"]')
        await asyncio.sleep(0)
        await eventually(lambda: not wire._inbox, "the handler to begin")
        wire.task.cancel()
        await soon(wire.task)
        await eventually(lambda: ended == ["cancelled"], "the handler to end")
        assert counters.handler_errors["event"] == counted
        assert errors(caplog) == []
