"""Refusals as answers, and what ``@event`` asks before a handler runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, register
from django_socketio.exceptions import EventRefused, LocalProtocolError
from django_socketio.server import event_options
from django_socketio.sockets.served import Served
from django_socketio.stats import counters
from tests.harness.waiting import eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

Errors = Callable[..., list[logging.LogRecord]]


def refusal(code: str, message: str, **details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **details}}


class User:
    """A user with some permissions; it notes the threads in which it was asked."""

    is_authenticated = True
    pk = 1

    def __init__(self, *permissions: str) -> None:
        self.permissions = set(permissions)
        self.threads: list[threading.Thread] = []

    def has_perms(self, wanted: Any) -> bool:
        self.threads.append(threading.current_thread())
        return self.permissions.issuperset(wanted)


# Refusals


class Refusing(Base):
    async def receive_event(self, name: str, args: list[Any]) -> Any:
        if name == "seam":
            raise EventRefused("no", code="full", free=0)
        return await super().receive_event(name, args)


class Refuser(Base):
    @event
    async def at_once(self, *args: Any) -> None:
        raise EventRefused("no", code="full", free=0)

    @event
    async def later(self) -> None:
        await asyncio.sleep(0)
        raise EventRefused("no", "full", free=0)

    @event(concurrent=True)
    async def overlapping(self) -> None:
        await asyncio.sleep(0)
        raise EventRefused("no", "full", free=0)

    @event
    def in_thread(self) -> None:
        raise EventRefused("no", "full", free=0)

    @event
    async def early(self) -> None:
        await self.acknowledge("early")
        raise EventRefused("no", "full")

    @event
    async def unsendable(self) -> None:
        raise EventRefused("no", "full", free=object())


@pytest.mark.parametrize("name", ["at_once", "later", "overlapping", "in_thread"])
async def test_a_refusal_with_a_code_is_an_answer(connect: Connect, name: str) -> None:
    register()(Refuser)
    client = await connect()
    before = counters.events_refused["full"]
    assert await client.call(name) == refusal("full", "no", free=0)
    assert counters.events_refused["full"] == before + 1


async def test_a_large_event_is_refused_with_an_answer(connect: Connect) -> None:
    register()(Refuser)
    client = await connect()
    assert await client.call("at_once", "x" * 10_000) == refusal("full", "no", free=0)


async def test_receive_event_refuses_with_an_answer(connect: Connect) -> None:
    register()(Refusing)
    assert await (await connect()).call("seam") == refusal("full", "no", free=0)


async def test_who_asked_for_no_answer_gets_none(connect: Connect) -> None:
    register()(Refuser)
    client = await connect()
    before = counters.events_refused["full"]
    for name in ("at_once", "later", "in_thread"):
        await client.emit(name)
    assert await client.arrived() == []
    assert counters.events_refused["full"] == before + 3


async def test_several_refusals_of_one_visit(frames: OpenFrames) -> None:
    """Events that wait behind each other share a thread; each is answered."""
    register()(Refuser)
    client = await frames()
    await client.send("40")
    await client.receive()
    for ack_id in range(5):
        await client.send(f'42{ack_id}["in_thread"]')
    answers = [await client.receive() for _ in range(5)]
    expected = '[{"error":{"code":"full","message":"no","free":0}}]'
    assert answers == [f"43{ack_id}{expected}" for ack_id in range(5)]


async def test_an_event_is_answered_once(connect: Connect) -> None:
    register()(Refuser)
    client = await connect()
    assert await client.call("early") == "early"
    assert await client.arrived() == []


async def test_details_that_json_cannot_hold(connect: Connect, errors: Errors) -> None:
    """They are an error of the project; the client reads the refusal without them."""
    register()(Refuser)
    assert await (await connect()).call("unsendable") == refusal("full", "no")
    assert len(errors()) == 1


# Permissions


class Guarded(Base):
    event_permission = "chat.read"

    @event(permission="chat.write")
    async def write(self) -> str:
        return "written"

    @event(permission=["chat.write", "chat.delete"])
    def delete(self) -> str:
        return "deleted"

    @event
    def read(self) -> str:
        return "read"

    @event(permission=None)
    async def hello(self) -> str:
        return "hello"

    @event(permission=None)
    async def barrier(self) -> bool:
        return True


DENIED = refusal("permission_denied", "Permission denied")


@pytest.fixture
def guarded() -> None:
    register()(Guarded)


@pytest.mark.usefixtures("guarded")
async def test_permission_is_asked_for_each_event(connect: Connect) -> None:
    user = User("chat.write")
    client = await connect(user=user)
    assert await client.call("write") == "written"
    assert await client.call("delete") == DENIED
    assert await client.call("read") == DENIED
    assert await client.call("hello") == "hello"
    user.permissions = {"chat.delete", "chat.read", "chat.write"}
    assert await client.call("delete") == "deleted"
    assert await client.call("read") == "read"
    user.permissions = set()
    before = counters.events_refused["permission_denied"]
    assert await client.call("write") == DENIED
    assert counters.events_refused["permission_denied"] == before + 1
    assert len(user.threads) == 6
    assert threading.current_thread() not in user.threads


@pytest.mark.usefixtures("guarded")
async def test_nobody_has_no_permission(connect: Connect) -> None:
    client = await connect()
    assert [await client.call("write"), await client.call("read")] == [DENIED, DENIED]


# Throttles


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(event_options, "monotonic", lambda: now[0])
    return now


class Throttled(Base):
    event_throttle = "2/m"

    handled: Counter[str]

    def __init__(self) -> None:
        self.handled = Counter()

    @event(throttle="10/s")
    async def fast(self) -> str:
        self.handled["fast"] += 1
        return "ok"

    @event(throttle="10/s")
    def plain(self) -> str:
        self.handled["plain"] += 1
        return "ok"

    @event("a", "b")
    async def either(self) -> str:
        return "ok"

    @event
    async def other(self) -> str:
        return "ok"

    @event(throttle=None)
    async def barrier(self) -> bool:
        return True

    @event(throttle=None)
    async def count(self) -> dict[str, int]:
        return dict(self.handled)


@pytest.mark.parametrize("name", ["fast", "plain"])
async def test_a_flood_is_refused_with_answers(
    connect: Connect, clock: list[float], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of 1000 events in a second 10 come through; the refusals of 990 cost no thread."""
    hops = []
    in_thread = Served.in_thread

    def counted(self: Served, *args: Any, **kwargs: Any) -> Any:
        hops.append(args)
        return in_thread(self, *args, **kwargs)

    monkeypatch.setattr(Served, "in_thread", counted)
    register()(Throttled)
    client = await connect()
    before = counters.events_refused["throttled"]
    answers = []
    for _ in range(1000):
        answers.append(await client.call(name))
        clock[0] += 0.0005
    assert answers[:10] == ["ok"] * 10
    waits = [answer["error"].pop("retry_after") for answer in answers[10:]]
    assert answers[10:] == [refusal("throttled", "Too many events")] * 990
    assert waits[0] == pytest.approx(0.995, abs=0.002)
    assert waits == sorted(waits, reverse=True)
    assert counters.events_refused["throttled"] == before + 990
    assert await client.call("count") == {name: 10}
    assert len(hops) == (10 if name == "plain" else 0)
    clock[0] += waits[-1]
    assert await client.call(name) == "ok"


async def test_a_handler_and_a_socket_count_for_themselves(
    connect: Connect, clock: list[float]
) -> None:
    register()(Throttled)
    one, two = await connect(), await connect()
    assert [await one.call("a"), await one.call("b")] == ["ok", "ok"]
    refused = refusal("throttled", "Too many events", retry_after=60.0)
    assert await one.call("a") == refused
    assert await one.call("b") == refused
    assert [await one.call("other"), await two.call("a")] == ["ok", "ok"]
    clock[0] += 60
    assert await one.call("a") == "ok"


# Time limits


class Limited(Base):
    event_timeout = 0.05

    seen: list[str]
    go_on: threading.Event

    def __init__(self) -> None:
        self.seen = []

    @event
    async def slow(self) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            self.seen.append("cancelled")

    @event
    async def stubborn(self) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "late"
        return ""

    @event
    async def failing(self) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ZeroDivisionError

    @event
    async def own(self) -> None:
        raise TimeoutError("its own")

    @event
    def blocking(self) -> str:
        self.go_on.wait(60)
        try:
            self.acknowledge("of another event")
        except LocalProtocolError as error:
            self.seen.append(str(error))
        return "dropped"

    @event(timeout=None)
    async def release(self) -> str:
        self.go_on.set()
        await eventually(lambda: self.seen, "the thread")
        return self.seen.pop()

    @event(timeout=60)
    async def quick(self) -> str:
        await self.acknowledge("early")
        return "late"

    @event(timeout=60)
    async def what(self) -> list[str]:
        return self.seen


LATE = refusal("timeout", "Timed out")


async def test_a_handler_is_cancelled(connect: Connect) -> None:
    register()(Limited)
    client = await connect()
    before = counters.events_refused["timeout"]
    assert await client.call("slow") == LATE
    assert await client.call("stubborn") == LATE
    assert counters.events_refused["timeout"] == before + 2
    assert await client.call("what") == ["cancelled"]
    assert await client.call("quick") == "early"
    assert await client.arrived() == []


async def test_a_thread_that_is_late_answers_nothing(connect: Connect) -> None:
    """Neither its own event, nor the next one, whose handler runs meanwhile."""

    @register()
    class Consumer(Limited):
        go_on = threading.Event()

    client = await connect()
    assert await client.call("blocking") == LATE
    assert await client.call("release") == "this event has been answered already"
    assert await client.arrived() == []


async def test_what_a_handler_raises_is_its_own(connect: Connect, errors: Errors) -> None:
    register()(Limited)
    client = await connect()
    for name in ("failing", "own"):
        await client.emit(name)
    assert await client.arrived() == []
    raised = [record.exc_info[0] for record in errors() if record.exc_info]
    assert raised == [ZeroDivisionError, TimeoutError]


async def test_all_options_together(connect: Connect, clock: list[float]) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event(concurrent=True, permission="a.b", throttle="2/h", timeout=60)
        def all(self, text: str) -> str:
            return text

        @event("*", throttle="1/d")
        async def rest(self, name: str, *args: Any) -> list[Any]:
            return [name, *args]

    user = User()
    client = await connect(user=user)
    assert await client.call("all", "x") == DENIED
    user.permissions.add("a.b")
    assert await client.call("all", "x") == "x"
    assert (await client.call("all", "x"))["error"]["retry_after"] == 3600
    assert await client.call("any", 1) == ["any", 1]
    assert (await client.call("other", 1))["error"]["retry_after"] == 86400


async def test_the_options_of_an_overridden_handler(connect: Connect) -> None:
    """They stay, unless the method is decorated anew."""

    class Parent(Base):
        @event(permission="a.b")
        async def kept(self) -> str:
            return "parent"

        @event(permission="a.b")
        async def anew(self) -> str:
            return "parent"

    @register()
    class Consumer(Parent):
        async def kept(self) -> str:
            return "child"

        @event
        async def anew(self) -> str:
            return "child"

    client = await connect(user=User())
    assert await client.call("kept") == DENIED
    assert await client.call("anew") == "child"


async def test_a_handler_ends_with_its_server(frames: OpenFrames) -> None:
    """When the ASGI server cancels the connection's task, the handler's own is cancelled, too."""
    seen: list[str] = []

    @register()
    class Consumer(SocketIOConsumer):
        @event(timeout=60)
        async def slow(self) -> None:
            seen.append("begun")
            try:
                await asyncio.sleep(60)
            finally:
                seen.append("cancelled")

    client = await frames()
    await client.send("40")
    await client.receive()
    await client.send('42["slow"]')
    await eventually(lambda: seen, "the handler")
    client.task.cancel()
    await eventually(lambda: len(seen) == 2, "its end")
    assert seen == ["begun", "cancelled"]
