"""Which methods handle which events."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.server.classes import behaviour_of
from django_socketio.server.handlers import collect, make_handler
from django_socketio.sockets.behaviour import Handler


def methods(cls: type) -> dict[str, str]:
    return {name: handler.method for name, handler in collect(cls).items()}


def test_an_event_is_named_after_its_method() -> None:
    class Consumer:
        @event
        async def save(self, text: str) -> None: ...

        @event()
        def load(self) -> None: ...

        def not_an_event(self) -> None: ...

    assert methods(Consumer) == {"save": "save", "load": "load"}


def test_an_event_may_have_any_names() -> None:
    class Consumer:
        @event("chat message", "chat", "é\n*")
        async def chat_message(self, text: str) -> None: ...

        @event("*")
        async def anything_else(self, name: str, *args: Any) -> None: ...

        @event("__init__", "error", "emit", "_private", "Connect")
        async def odd(self) -> None: ...

    handlers = collect(Consumer)
    assert set(handlers) == {
        *("chat message", "chat", "é\n*", "__init__", "error", "emit", "_private", "Connect")
    }
    assert handlers["chat"] == handlers["chat message"]
    assert handlers["anything"] is handlers["*"] is handlers.rest
    assert (handlers.rest.method, handlers.rest.named) == ("anything_else", True)
    assert "chat_message" not in handlers


def test_only_what_is_marked_is_a_handler() -> None:
    handlers = collect(SocketIOConsumer)
    assert handlers == {}
    assert behaviour_of(SocketIOConsumer).handlers == {}


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "disconnecting"])
def test_reserved_names_are_refused(name: str) -> None:
    def method(self: Any) -> None: ...

    with pytest.raises(ValueError, match="reserved"):
        event(name)(method)
    with pytest.raises(ValueError, match="reserved"):
        event("fine", name)(method)
    method.__name__ = name
    with pytest.raises(ValueError, match="reserved"):
        event(method)
    event("fine")(method)


@pytest.mark.parametrize("name", ["", 1, None, b"name"])
def test_a_name_is_text(name: Any) -> None:
    with pytest.raises(TypeError, match="text"):
        event("fine", name)(lambda self: None)


def test_plain_and_async_handlers_are_told_apart() -> None:
    async def inner(self: Any) -> None: ...

    @functools.wraps(inner)
    async def outer(*args: Any) -> None: ...

    class Consumer:
        @event
        def plain(self) -> None: ...

        @event
        async def awaited(self) -> None: ...

        decorated = event("decorated")(outer)

    handlers = collect(Consumer)
    assert not handlers["plain"].is_async
    assert handlers["awaited"].is_async
    assert handlers["decorated"].is_async
    assert (handlers["decorated"].least, handlers["decorated"].most) == (0, 0)


def test_concurrent_handlers_are_marked() -> None:
    class Consumer:
        @event(concurrent=True)
        async def overlaps(self) -> None: ...

        @event("a", "b", concurrent=True)
        async def named(self) -> None: ...

        @event
        async def waits(self) -> None: ...

    handlers = collect(Consumer)
    assert {name for name, handler in handlers.items() if handler.concurrent} == {
        "overlaps",
        "a",
        "b",
    }


def test_handlers_are_inherited() -> None:
    class Base:
        @event
        def one(self) -> str:
            return "base"

        @event("two!")
        def two(self) -> None: ...

    class Child(Base):
        @event
        def three(self) -> None: ...

    assert methods(Child) == {"one": "one", "two!": "two", "three": "three"}
    assert methods(Base) == {"one": "one", "two!": "two"}


def test_an_override_handles_the_same_events_without_being_decorated_again() -> None:
    class Base:
        @event("a", "b", concurrent=True)
        async def handler(self) -> None: ...

    class Child(Base):
        def handler(self, x: int, y: int = 0) -> None:  # type: ignore[override]
            ...

    handlers = collect(Child)
    assert set(handlers) == {"a", "b"}
    assert handlers["a"].function is Child.handler
    assert handlers["a"].concurrent
    assert (handlers["a"].is_async, handlers["a"].least, handlers["a"].most) == (False, 1, 2)


def test_an_override_that_is_decorated_again_has_its_own_names() -> None:
    class Base:
        @event("old", concurrent=True)
        async def handler(self) -> None: ...

    class Child(Base):
        @event("new")
        async def handler(self) -> None: ...

    handlers = collect(Child)
    assert set(handlers) == {"new"}
    assert not handlers["new"].concurrent


def test_an_override_with_none_is_no_handler() -> None:
    class Base:
        @event
        def handler(self) -> None: ...

    class Child(Base):
        handler = None  # type: ignore[assignment]

    assert collect(Child) == {}


def test_mixins_bring_handlers() -> None:
    class Typing:
        @event
        def typing(self) -> str:
            return "mixin"

    class Presence:
        @event
        def here(self) -> None: ...

    class Consumer(Typing, Presence, SocketIOConsumer):
        @event
        def own(self) -> None: ...

    assert set(behaviour_of(Consumer).handlers) == {"typing", "here", "own"}
    assert behaviour_of(SocketIOConsumer).handlers == {}


def test_the_mro_decides_between_methods_of_one_name() -> None:
    class Root:
        @event
        def handler(self) -> None: ...

    class Left(Root):
        def handler(self, left: int) -> None:  # type: ignore[override]
            ...

    class Right(Root):
        @event("right")
        def handler(self, right: int, more: int) -> None:  # type: ignore[override]
            ...

    class Both(Left, Right): ...  # type: ignore[misc]

    class Other(Right, Left): ...  # type: ignore[misc]

    # Both's method is Left's, under the name that its parent in the MRO gave it.
    assert collect(Both)["right"].function is Left.handler
    assert set(collect(Both)) == {"right"}
    assert collect(Other)["right"].function is Right.handler


def test_a_subclass_may_take_an_event_over_with_another_method() -> None:
    class Base:
        @event("one")
        def first(self) -> None: ...

        @event("two")
        def second(self) -> None: ...

    class Child(Base):
        @event("two")
        def first(self) -> None: ...

    assert methods(Child) == {"two": "first"}


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (lambda self: None, 0, 0),
        (lambda self, a: None, 1, 1),
        (lambda self, a, b=1: None, 1, 2),
        (lambda self, a=1, b=2: None, 0, 2),
        (lambda self, *args: None, 0, 10**9),
        (lambda self, a, *args: None, 1, 10**9),
        (lambda *args: None, 0, 10**9),
        (lambda self, a, *, key=1: None, 1, 1),
        (lambda self, a, **kwargs: None, 1, 1),
        (lambda self, a, /, b: None, 2, 2),
    ],
)
def test_the_number_of_arguments(function: Any, least: int, most: int) -> None:
    handler = make_handler("name", function)
    assert (handler.least, min(handler.most, 10**9)) == (least, most)
    assert handler == Handler("name", function, False, False, least, handler.most)


def test_a_handler_that_needs_a_keyword_is_refused() -> None:
    def method(self: Any, *, needed: int) -> None: ...

    with pytest.raises(TypeError, match="keyword"):
        make_handler("method", method)
    with pytest.raises(TypeError, match="keyword"):

        class Consumer(SocketIOConsumer):
            handler = event("name")(method)


@pytest.mark.parametrize("hook", ["connect", "disconnect", "authenticate"])
def test_the_hooks_take_one_argument(hook: str) -> None:
    def none(self: Any) -> None: ...

    def two(self: Any, one: int, other: int) -> None: ...

    def one(self: Any, argument: Any, more: int = 0) -> None: ...

    for wrong in (none, two):
        with pytest.raises(TypeError, match="one argument besides self"):
            type("Consumer", (SocketIOConsumer,), {hook: wrong})
    consumer: Any = type("Consumer", (SocketIOConsumer,), {hook: one})
    assert getattr(behaviour_of(consumer), hook).function is one
    assert getattr(behaviour_of(SocketIOConsumer), hook) is None


def test_hooks_that_are_not_overridden_are_not_called() -> None:
    class Consumer(SocketIOConsumer): ...

    behaviour = behaviour_of(Consumer)
    assert behaviour.connect is behaviour.disconnect is behaviour.authenticate is None
