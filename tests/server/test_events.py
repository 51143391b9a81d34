"""How events find their handlers, and what a handler may look like."""

from __future__ import annotations

import asyncio
import functools
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, register
from django_socketio.exceptions import EventRefused
from django_socketio.stats import counters
from tests.server.clients import Client
from tests.server.conftest import Connect
from tests.server.consumers import Base

Logged = Callable[..., list[logging.LogRecord]]

distinguishes = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="tasks do not tell who was cancelled"
)


# Names


async def test_an_event_is_named_after_its_method(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def save(self, text: str) -> str:
            return "saved " + text

    assert await (await connect()).call("save", "it") == "saved it"


async def test_an_event_with_names_of_its_own(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event("chat message", "chat", "Ünïcode ☃")
        async def chat_message(self, text: str) -> str:
            return text

    client = await connect()
    for name in ("chat message", "chat", "Ünïcode ☃"):
        assert await client.call(name, name) == name
    assert await unanswered(client, "chat_message", "x")


async def test_event_with_parentheses_and_no_name(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event()
        async def one(self) -> int:
            return 1

        @event(concurrent=True)
        async def two(self) -> int:
            return 2

    client = await connect()
    assert [await client.call("one"), await client.call("two")] == [1, 2]


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "disconnecting"])
def test_reserved_names_cannot_have_a_handler(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        event(name)(lambda self: None)


@pytest.mark.parametrize("name", [1, None, b"x"])
def test_an_events_name_is_text(name: Any) -> None:
    with pytest.raises(TypeError, match="text"):
        event("fine", name)(lambda self: None)


async def test_a_number_is_the_name_of_its_decimal_form(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event("7")
        async def seven(self) -> str:
            return "seven"

    client = await connect()
    await client.send_input({"type": "websocket.receive", "text": "420[7]"})
    assert await client.receive_output(5) == {"type": "websocket.send", "text": '430["seven"]'}


async def unanswered(client: Client, name: str, *args: Any) -> bool:
    """Whether an event gets no acknowledgement, though it asks for one; needs a `Base`."""
    client._ids += 1
    ack_id = client._ids + 1000
    await client._send(client._encoder.event(client.namespace, name, args, ack_id))
    await client.call("barrier")
    return ack_id not in client._acks


async def test_methods_that_are_no_events_are_out_of_reach(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        secret = 1

        async def internal(self) -> str:
            raise AssertionError("called")

        @event
        async def public(self) -> str:
            return await self.internal()

    client = await connect()
    for name in (
        "internal",
        "emit",
        "close",
        "__init__",
        "_close",
        "secret",
        "sid",
        "join",
        "error",
    ):
        assert await unanswered(client, name), name
    assert (await client.call("barrier")) is True


# "*"


async def test_the_catch_all_handles_what_has_no_handler_of_its_own(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event
        async def known(self) -> str:
            return "its own"

        @event("*")
        async def anything_else(self, name: str, *args: Any) -> list[Any]:
            return ["any", name, *args]

    client = await connect()
    assert await client.call("known") == "its own"
    assert await client.call("whatever", 1, b"2") == ["any", "whatever", 1, b"2"]
    assert await client.call("message") == ["any", "message"]


async def test_an_event_named_star_is_like_any_other_without_a_handler(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event("*")
        async def anything_else(self, name: str, *args: Any) -> list[Any]:
            return [name, *args]

    assert await (await connect()).call("*", 1, 2) == ["*", 1, 2]


async def test_a_star_without_a_catch_all_has_no_handler(connect: Connect) -> None:
    register()(Base)
    assert await unanswered(await connect(), "*", "barrier")


async def test_the_catch_all_may_be_plain_and_stand_beside_other_names(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event("*")
        def anything_else(self, name: str, *args: Any) -> str:
            return name + threading.current_thread().name * (threading.current_thread() is main)

    main = threading.current_thread()
    assert await (await connect()).call("x") == "x"


async def test_the_catch_alls_signature_counts_too(connect: Connect, logged: Logged) -> None:
    @register()
    class Consumer(Base):
        @event("*")
        async def anything_else(self, name: str, one: Any) -> Any:
            return one

    client = await connect()
    assert await client.call("x", 5) == 5
    assert await unanswered(client, "x", 5, 6)
    assert len(logged()) == 1


# Inheritance


async def test_handlers_are_inherited_and_overridden(connect: Connect) -> None:
    class Parent(Base):
        @event
        async def kept(self) -> str:
            return "parent's"

        @event("renamed", "also")
        async def changed(self) -> str:
            return "parent's"

        @event
        async def decorated_again(self) -> str:
            return "parent's"

        @event
        async def gone(self) -> str:
            return "parent's"

    @register()
    class Child(Parent):
        async def changed(self) -> str:
            return "child's, over " + await super().changed()

        @event("other name")
        async def decorated_again(self) -> str:
            return "child's"

        gone = None  # type: ignore[assignment]

        @event
        async def added(self) -> str:
            return "child's"

    client = await connect()
    assert await client.call("kept") == "parent's"
    assert await client.call("renamed") == "child's, over parent's"
    assert await client.call("also") == "child's, over parent's"
    assert await client.call("other name") == "child's"
    assert await client.call("added") == "child's"
    assert await unanswered(client, "gone")
    assert await unanswered(client, "decorated_again")


async def test_a_mixin_need_not_be_a_consumer(connect: Connect) -> None:
    class Typing:
        @event
        async def typing(self) -> str:
            return "mixin's"

        @event
        def both(self) -> str:
            return "mixin's"

    class Other(SocketIOConsumer):
        @event
        async def both(self) -> str:
            return "other's"

    @register("/mixin-first")
    class MixinFirst(Typing, Other):  # type: ignore[misc]
        pass

    @register("/mixin-last")
    class MixinLast(Other, Typing):  # type: ignore[misc]
        pass

    first, last = await connect("/mixin-first"), await connect("/mixin-last")
    assert await first.call("typing") == await last.call("typing") == "mixin's"
    assert await first.call("both") == "mixin's"
    assert await last.call("both") == "other's"


async def test_hooks_of_mixins_chain_with_super(connect: Connect) -> None:
    seen: list[str] = []

    class Mixin:
        async def connect(self, auth: Any) -> None:
            seen.append("mixin")
            await super().connect(auth)  # type: ignore[misc]

    @register()
    class Consumer(Mixin, Base):
        async def connect(self, auth: Any) -> None:
            seen.append("own")
            await super().connect(auth)

    await connect()
    assert seen == ["own", "mixin"]


async def test_a_subclass_does_not_change_its_parent(connect: Connect) -> None:
    @register("/parent")
    class Parent(Base):
        @event
        async def who(self) -> str:
            return "parent"

    @register("/child")
    class Child(Parent):
        async def who(self) -> str:
            return "child"

        @event
        async def more(self) -> str:
            return "child"

    parent, child = await connect("/parent"), await connect("/child")
    assert await parent.call("who") == "parent"
    assert await child.call("who") == "child"
    assert await unanswered(parent, "more")


async def test_the_class_nearest_to_the_end_has_the_last_word_on_a_name(connect: Connect) -> None:
    class Grandparent(SocketIOConsumer):
        @event("x")
        async def first(self) -> str:
            return "grandparent"

    class Parent(Grandparent):
        @event("x")
        async def second(self) -> str:
            return "parent"

    @register()
    class Child(Parent):
        @event("x")
        async def first(self) -> str:
            return "child"

    assert await (await connect()).call("x") == "child"


# async and plain


async def test_async_and_plain_handlers_in_one_class(connect: Connect) -> None:
    threads: dict[str, threading.Thread] = {}

    @register()
    class Consumer(SocketIOConsumer):
        def connect(self, auth: Any) -> None:
            threads["connect"] = threading.current_thread()

        @event
        def plain(self) -> str:
            threads["plain"] = threading.current_thread()
            return "plain"

        @event("async")
        async def not_plain(self) -> str:
            threads["async"] = threading.current_thread()
            return "async"

        def disconnect(self, reason: str) -> None:
            threads["disconnect"] = threading.current_thread()

        def authenticate(self, auth: Any) -> None:
            threads["authenticate"] = threading.current_thread()

    client = await connect()
    assert await client.call("plain") == "plain"
    assert await client.call("async") == "async"
    await client.disconnect()
    here = threading.current_thread()
    assert threads.pop("async") is here
    assert set(threads) == {"connect", "plain", "disconnect", "authenticate"}
    assert here not in threads.values()


async def test_a_decorated_handler_keeps_its_signature(connect: Connect, logged: Logged) -> None:
    def shouted(function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(self: Any, *args: Any) -> Any:
            return (await function(self, *args)).upper()

        return wrapper

    @register()
    class Consumer(Base):
        @event
        @shouted
        async def say(self, text: str) -> str:
            return text

    client = await connect()
    assert await client.call("say", "x") == "X"
    assert await unanswered(client, "say")
    assert len(logged()) == 1


def test_a_handler_cannot_demand_keyword_arguments() -> None:
    with pytest.raises(TypeError, match="keyword"):

        class Consumer(SocketIOConsumer):
            @event
            async def wrong(self, *, text: str) -> None: ...


def test_hooks_take_one_argument() -> None:
    with pytest.raises(TypeError, match="disconnect"):

        class Consumer(SocketIOConsumer):
            async def disconnect(self) -> None:  # type: ignore[override]
                ...


# Arguments


async def test_what_clients_send_arrives_as_python_values(connect: Connect) -> None:
    seen: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        async def values(self, *args: Any) -> None:
            seen.extend(args)

    values = [
        "é☃😀\u2028",
        1,
        1.5,
        -0.0,
        True,
        None,
        [1, [2]],
        {"a": {"b": []}},
        b"\x00\xff",
        {"c": b""},
    ]
    await (await connect()).call("values", *values)
    assert seen == values
    assert [type(value) for value in seen] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("none", [1]),
        ("two", []),
        ("two", [1]),
        ("two", [1, 2, 3]),
        ("optional", []),
        ("optional", [1, 2, 3]),
        ("plain", []),
        ("positional", [1, 2]),
        ("rest", []),
    ],
)
async def test_arguments_that_do_not_fit_are_the_clients_mistake(
    connect: Connect, logged: Logged, name: str, args: list[Any]
) -> None:
    ran = []

    @register()
    class Consumer(Base):
        @event
        async def none(self) -> None:
            ran.append("none")

        @event
        async def two(self, a: Any, b: Any) -> None:
            ran.append("two")

        @event
        async def optional(self, a: Any, b: Any = None) -> None:
            ran.append("optional")

        @event
        def plain(self, a: Any) -> None:
            ran.append("plain")

        @event
        async def positional(self, a: Any, /) -> None:
            ran.append("positional")

        @event
        async def rest(self, a: Any, *rest: Any) -> None:
            ran.append("rest")

    client = await connect()
    assert await unanswered(client, name, *args)
    assert not ran
    (record,) = logged()
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    assert name in record.getMessage()
    # The connection stays.
    assert await client.call("barrier") is True


async def test_arguments_that_do_fit(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def optional(self, a: Any, b: Any = "default", *, c: Any = "keyword") -> list[Any]:
            return [a, b, c]

        @event
        async def rest(self, a: Any, *rest: Any) -> list[Any]:
            return [a, *rest]

    client = await connect()
    assert await client.call("optional", 1) == [1, "default", "keyword"]
    assert await client.call("optional", 1, 2) == [1, 2, "keyword"]
    assert await client.call("rest", 1) == [1]
    assert await client.call("rest", 1, 2, 3) == [1, 2, 3]


async def test_a_misfit_is_counted_once(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event
        async def none(self) -> None: ...

    client = await connect()
    before = counters.events_refused.total()
    assert await unanswered(client, "none", 1)
    assert counters.events_refused.total() == before + 1


async def test_a_type_error_inside_a_handler_is_no_misfit(connect: Connect, errors: Logged) -> None:
    @register()
    class Consumer(Base):
        @event
        async def wrong(self, text: str) -> None:
            len(5)  # type: ignore[arg-type]

    assert await unanswered(await connect(), "wrong", "x")
    (record,) = errors()
    assert record.exc_info is not None
    assert record.exc_info[0] is TypeError


async def test_what_a_client_sends_reaches_no_log_line_unescaped(
    connect: Connect, logged: Logged
) -> None:
    @register()
    class Consumer(Base):
        @event("*")
        async def anything(self, name: str) -> None: ...

    name = "a\r\n\x1b[31mroot logged in" + "x" * 200
    assert await unanswered(await connect(), name, 1)
    (record,) = logged()
    message = record.getMessage()
    assert message.isprintable()
    assert len(message) < 300


# Exceptions


@pytest.mark.parametrize("name", ["fails", "fails_plainly"])
async def test_an_exception_is_logged_with_its_traceback_and_the_connection_stays(
    connect: Connect, errors: Logged, name: str
) -> None:
    @register()
    class Consumer(Base):
        @event
        async def fails(self) -> None:
            raise RuntimeError("on purpose")

        @event
        def fails_plainly(self) -> None:
            raise RuntimeError("on purpose")

    client = await connect()
    assert await unanswered(client, name)
    (record,) = errors()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "on purpose"
    assert name in (record.exc_text or logging.Formatter().format(record))
    assert await client.call("barrier") is True


@distinguishes
async def test_a_handler_that_waits_for_something_cancelled(
    connect: Connect, errors: Logged
) -> None:
    @register()
    class Consumer(Base):
        @event
        async def stop(self) -> None:
            task = asyncio.create_task(asyncio.Event().wait())
            task.cancel()
            await task

    client = await connect()
    assert await unanswered(client, "stop")
    assert len(errors()) == 1
    assert await client.call("barrier") is True


async def test_what_json_cannot_hold_is_an_error_of_the_handler(
    connect: Connect, errors: Logged
) -> None:
    @register()
    class Consumer(Base):
        @event
        async def unsendable(self) -> object:
            return object()

    assert await unanswered(await connect(), "unsendable")
    assert len(errors()) == 1


# receive_event and EventRefused


async def test_receive_event_is_the_seam_for_middleware(connect: Connect) -> None:
    seen: list[Any] = []

    @register()
    class Consumer(Base):
        async def receive_event(self, name: str, args: list[Any]) -> Any:
            if name == "barrier":
                return await super().receive_event(name, args)
            seen.append((name, args))
            if name == "refused":
                raise EventRefused("not today")
            if name == "answered here":
                return "without a handler"
            if name == "swallowed":
                return None
            if name == "renamed":
                return await super().receive_event("double", [*args, 2])
            result = await super().receive_event(name, args)
            return result, "and more"

        @event
        async def double(self, number: int, by: int) -> int:
            return number * by

    client = await connect()
    assert await client.call("double", 2, 3) == (6, "and more")
    assert await client.call("renamed", 21) == 42
    assert await client.call("answered here") == "without a handler"
    assert await client.call("swallowed", 1) is None
    assert await unanswered(client, "refused", 1, "two")
    assert seen[0] == ("double", [2, 3])
    assert isinstance(seen[0][1], list)
    assert seen[-1] == ("refused", [1, "two"])


async def test_receive_event_sees_the_events_without_handler(connect: Connect) -> None:
    seen = []

    @register()
    class Consumer(Base):
        async def receive_event(self, name: str, args: list[Any]) -> Any:
            seen.append(name)
            return await super().receive_event(name, args)

    assert await unanswered(await connect(), "nobody's")
    assert seen == ["nobody's", "barrier"]


async def test_receive_event_may_change_what_a_handler_raised(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        async def receive_event(self, name: str, args: list[Any]) -> Any:
            try:
                return await super().receive_event(name, args)
            except ZeroDivisionError as error:
                return {"error": str(error)}

        @event
        def divide(self, a: int, b: int) -> float:
            return a / b

    client = await connect()
    assert await client.call("divide", 1, 0) == {"error": "division by zero"}
    assert await client.call("divide", 1, 2) == 0.5


@pytest.mark.parametrize("name", ["refuses", "refuses_plainly"])
async def test_a_refused_event_is_dropped_and_counted(
    connect: Connect, logged: Logged, name: str
) -> None:
    @register()
    class Consumer(Base):
        @event
        async def refuses(self) -> None:
            raise EventRefused("too fast")

        @event
        def refuses_plainly(self) -> None:
            raise EventRefused("too fast")

    client = await connect()
    before = counters.events_refused["too fast"]
    assert await unanswered(client, name)
    assert counters.events_refused["too fast"] == before + 1
    assert not logged()
    assert await client.call("barrier") is True


def test_a_refusal_tells_its_reason() -> None:
    assert EventRefused("too fast").reason == "too fast"
    assert str(EventRefused("too fast")) == "too fast"
