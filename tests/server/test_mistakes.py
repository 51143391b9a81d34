"""A project's own mistakes raise where they are made, and are never held against a client."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import LimitExceeded, LocalProtocolError, RemoteProtocolError
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.server.conftest import Connect


def test_mistakes_and_violations_are_told_apart() -> None:
    assert issubclass(LimitExceeded, LocalProtocolError)
    assert not issubclass(LimitExceeded, RemoteProtocolError)


@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_joining_a_room_with_too_long_a_name(
    plain: bool, connect: Connect, errors: Any
) -> None:
    """The event fails, as with any other exception of its handler; the client stays."""

    class Consumer(SocketIOConsumer):
        @event
        async def enter(self) -> None:
            self.join("x" * 2000)

        @event("enter plainly")
        def enter_plainly(self) -> None:
            self.join("x" * 2000)

        @event
        async def echo(self, text: str) -> str:
            return text

    register()(Consumer)
    before = counters.limits["room name too long"], counters.violations.total()
    client = await connect()
    await client.emit("enter plainly" if plain else "enter")
    assert await client.call("echo", "still here") == "still here"
    (error,) = errors()
    assert error.exc_info[0] is LimitExceeded
    assert error.exc_info[2].tb_next is not None  # the traceback leads to the project's line
    after = counters.limits["room name too long"], counters.violations.total()
    assert after == (before[0] + 1, before[1])


@pytest.mark.parametrize("result", [False, True, 0, {}])
@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_connect_that_returns_something(
    result: Any, plain: bool, refused: Any, errors: Any
) -> None:
    """python-socketio's ``return False`` refuses; whoever brings it along lets nobody in."""

    class Async(SocketIOConsumer):
        async def connect(self, auth: Any) -> Any:
            return result

    class Plain(SocketIOConsumer):
        def connect(self, auth: Any) -> Any:
            return result

    register()(Plain if plain else Async)
    assert await refused() == {"message": "Internal server error"}
    (error,) = errors()
    assert error.exc_info[0] is TypeError
    assert "ConnectionRefused" in str(error.exc_info[1])
    assert repr(result) in str(error.exc_info[1])


async def test_one_socket_s_error_keeps_no_other_one_connected(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, errors: Any
) -> None:
    register()(type("Consumer", (SocketIOConsumer,), {}))
    clients = [await connect() for _ in range(3)]
    sockets = list(current_hub().local.namespaces["/"].sockets.values())
    broken = sockets[0].local.encoder

    class Broken:
        calls = 0

        def disconnect(self, namespace: str) -> Any:
            Broken.calls += 1
            if Broken.calls == 1:
                raise LookupError("on purpose")
            return broken.disconnect(namespace)

        def __getattr__(self, name: str) -> Any:
            return getattr(broken, name)

    monkeypatch.setattr(sockets[0].local, "encoder", Broken())
    io.disconnect_sockets()
    assert [socket.reason for socket in sockets] == [
        None,
        "server namespace disconnect",
        "server namespace disconnect",
    ]
    assert len(errors()) == 1
    for client in clients:
        await client.disconnect()


async def test_errors_do_not_drag_along_those_before_them(
    connect: Connect, caplog: pytest.LogCaptureFixture, errors: Any
) -> None:
    """The n-th error of a handler logs itself, not the n-1 before it."""

    class Consumer(SocketIOConsumer):
        @event
        def fail(self, number: int) -> None:
            raise LookupError(f"number {number}")

        @event
        async def echo(self, text: str) -> str:
            return text

    register()(Consumer)
    client = await connect()
    for number in range(10):  # so many tracebacks are logged in a second
        await client.emit("fail", number)
    assert await client.call("echo", "done") == "done"
    records = errors()
    assert len(records) == 10
    texts = [logging.Formatter().formatException(record.exc_info) for record in records]
    assert all("During handling" not in text for text in texts)
    assert "number 0" not in texts[-1]
    assert len(texts[-1]) <= len(texts[0]) + 10


async def test_a_plain_handler_that_raises_stop_iteration(connect: Connect, errors: Any) -> None:
    """A future cannot hold it: the socket would hang for ever."""

    class Consumer(SocketIOConsumer):
        @event
        def first(self, values: list[Any]) -> Any:
            return next(iter(values))

    register()(Consumer)
    client = await connect()
    await client.emit("first", [])
    assert await client.call("first", [1]) == 1
    (error,) = errors()
    assert isinstance(error.exc_info[1].__cause__, StopIteration)


async def test_functions_that_ran_in_a_thread_are_forgotten() -> None:
    runtime = current_hub().runtime
    seen = []
    for number in range(10):

        def function(number: int = number) -> int:
            return number

        seen.append(weakref.ref(function))
        assert await runtime.in_thread(function) == number
        del function
    gc.collect()
    assert [found for ref in seen if (found := ref()) is not None] == []
