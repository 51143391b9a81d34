"""What a consumer class may not do is an error when the class is made."""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock

import pytest
from django.utils.functional import SimpleLazyObject

from django_socketio import SocketIOConsumer, event
from django_socketio.server.guard import HOOKS, OPTIONS, RESERVED, check_class, is_consumer
from django_socketio.server.handlers import collect

# Options that are read when the class is made, before there is an object.
OF_CLASS = ("event_permission", "event_throttle", "event_timeout", "typed")

# The design's names that no code has yet. What is built may be taken out.
TO_COME = {
    *("acknowledge", "disconnect_detail", "events", "expires_at", "local", "ready", "spawn"),
}


def make(*bases: type, **attributes: Any) -> type:
    return type("ChatConsumer", (*bases, SocketIOConsumer), attributes)


def refused(match: str, *bases: type, **attributes: Any) -> None:
    with pytest.raises(TypeError, match=match):
        make(*bases, **attributes)


# Names


def test_the_table_has_every_public_name() -> None:
    public = {*dir(SocketIOConsumer), *SocketIOConsumer.__annotations__}
    public = {name for name in public if not name.startswith("_")}
    table = {*RESERVED, *OPTIONS, *HOOKS}
    assert public - table == set()
    assert table - public <= TO_COME
    assert len(table) == len(RESERVED) + len(OPTIONS) + len(HOOKS)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_public_name_is_shadowed(name: str) -> None:
    async def awaited(self: Any, *args: Any) -> None: ...

    def plain(self: Any, *args: Any) -> None: ...

    match = rf"^ChatConsumer\.{name} would hide SocketIOConsumer\.{name}\. Give"
    values: list[Any] = [
        *(awaited, plain, staticmethod(plain), classmethod(plain), property(plain)),
        *(functools.cached_property(plain), functools.partialmethod(plain, 1), lambda self: None),
        *(None, False, 0, "", {}, type, AsyncMock()),
        *(event(name)(awaited), event("another")(plain)),
    ]
    for value in values:
        refused(match, **{name: value})


def test_the_cure_of_a_handler() -> None:
    def cure(**attributes: Any) -> str:
        with pytest.raises(TypeError) as caught:
            make(**attributes)
        return str(caught.value)

    async def join(self: Any, room: str) -> None: ...

    def leave(self: Any, room: str) -> None: ...

    assert cure(join=event(join)) == (
        "ChatConsumer.join would hide SocketIOConsumer.join. Give the handler another name: "
        '@event("join") async def on_join(...).'
    )
    assert cure(leave=event("leave", 'say "bye"', "é")(leave)).endswith(
        ' Give the handler another name: @event("leave", "say \\"bye\\"", "é") def on_leave(...).'
    )


def test_the_cure_of_a_method_and_of_an_attribute() -> None:
    refused(r"another name; it may call self\.emit\..*override receive_event\.$", emit=lambda s: 1)
    refused(r"Give the attribute another name\.$", data={})
    refused(r"Give the attribute another name\.$", user=property(lambda self: None))


def test_the_cure_works() -> None:
    class ChatConsumer(SocketIOConsumer):
        @event("join")
        async def on_join(self, room: str) -> None:
            self.join(room)

    assert {name: handler.method for name, handler in collect(ChatConsumer).items()} == {
        "join": "on_join"
    }


def test_an_annotation_hides_nothing() -> None:
    class ChatConsumer(SocketIOConsumer):
        user: AsyncMock
        data: dict[str, Any]

    with pytest.raises(TypeError, match=r"Shadow\.data would hide"):

        class Shadow(SocketIOConsumer):
            data: dict[str, Any] = {}  # noqa: RUF012


def test_slots_hide_as_attributes_do() -> None:
    refused(r"ChatConsumer\.rooms would hide", __slots__=("rooms",))


@pytest.mark.parametrize("name", ["join", "sid", "events"])
def test_a_mixin_hides_as_well(name: str) -> None:
    @event
    async def handler(self: Any) -> None: ...

    mixin = type("Mixin", (), {name: handler})
    refused(rf"^Mixin\.{name} would hide SocketIOConsumer\.{name}\.", mixin)
    refused(rf"^Mixin\.{name} would hide", type("Deeper", (mixin,), {}))
    with pytest.raises(TypeError, match=rf"^Mixin\.{name} would be hidden by SocketIOConsumer\."):
        type("ChatConsumer", (SocketIOConsumer, mixin), {})
    with pytest.raises(TypeError, match=rf"^Mixin\.{name} would hide"):
        type("Child", (mixin, make()), {})


def test_a_subclass_of_a_subclass_is_looked_at() -> None:
    parent = make(login_required=True)
    with pytest.raises(TypeError, match=r"^Child\.close would hide"):
        type("Child", (parent,), {"close": lambda self: None})
    type("Child", (parent,), {"login_required": False, "shut": lambda self: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("login_required", True), ("permission_required", ["chat.view_message"])),
        ("connect", lambda self, auth: None),
    ],
)
def test_a_mixin_that_comes_too_late(name: str, value: Any) -> None:
    mixin = type("Mixin", (), {name: value})
    with pytest.raises(TypeError, match=rf"Mixin\.{name} .*class Chat\(Mixin, SocketIOConsumer\)"):
        type("Chat", (SocketIOConsumer, mixin), {})
    type("Chat", (mixin, SocketIOConsumer), {})
    # One that the class itself replaces is not missed.
    type("Chat", (SocketIOConsumer, mixin), {name: value})


def test_what_may_be_overridden() -> None:
    class ChatConsumer(SocketIOConsumer, abc.ABC):
        login_required = True
        permission_required = ("chat.view_message",)
        typed = False

        async def authenticate(self, auth: Any) -> Any:
            return None

        def connect(self, auth: Any) -> None: ...

        async def ready(self) -> None: ...

        async def disconnect(self, reason: str) -> None: ...

        async def receive_event(self, name: str, args: list[Any]) -> Any:
            return await super().receive_event(name, args)

        @event
        async def save(self) -> None: ...

        @event("emit", "close", "user")
        async def any_name(self) -> None: ...

        def _send(self) -> None: ...

        def on_connect(self, auth: Any) -> None: ...

    assert is_consumer(ChatConsumer)


def test_a_class_that_is_changed_later_is_not_looked_at() -> None:
    """For tests that replace a method."""
    make().emit = AsyncMock()  # type: ignore[attr-defined]


# Handlers


def test_two_handlers_for_one_event() -> None:
    def one(self: Any) -> None: ...

    def other(self: Any) -> None: ...

    refused(
        "two handlers for the event 'x': one and other",
        one=event("x")(one),
        other=event("x")(other),
    )
    refused("the event 'one': one and other", one=event(one), other=event("one")(other))
    refused(r"the event '\*'", one=event("*")(one), other=event("a", "*")(other))
    mixin = type("Mixin", (), {"one": event("x")(one), "other": event("x")(other)})
    refused("^Mixin has two handlers", mixin)


def test_one_handler_under_two_names() -> None:
    @event
    def one(self: Any) -> None: ...

    assert set(collect(make(one=one, other=one))) == {"one", "other"}


def test_the_nearest_class_handles_the_event() -> None:
    class Parent(SocketIOConsumer):
        @event("save")
        async def parents(self) -> None: ...

    class Child(Parent):
        @event("save")
        async def childs(self) -> None: ...

    class Mixed(type("Mixin", (), {"mixins": event("save")(lambda self: None)}), Child):  # type: ignore[misc]
        ...

    methods = [collect(cls)["save"].method for cls in (Parent, Child, Mixed)]
    assert methods == ["parents", "childs", "mixins"]


def generator(self: Any, *args: Any) -> Any:
    yield


async def async_generator(self: Any, *args: Any) -> Any:
    yield


def test_a_generator_is_no_handler() -> None:
    class Wrong:
        @event
        def generates(self) -> Any:
            yield

        @event
        async def generates_async(self) -> Any:
            yield

    for function in (Wrong.generates, Wrong.generates_async):
        refused("must return what it has to say, not yield it", on_x=function)
    parent = make(on_x=event("x")(lambda self: None))
    with pytest.raises(TypeError, match="not yield it"):
        type("Child", (parent,), {"on_x": generator})


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_a_static_method_is_no_handler(kind: Any) -> None:
    @event("x")
    def function(*args: Any) -> None: ...

    match = rf"^ChatConsumer\.on_x is a {kind.__name__}: handlers and hooks are methods"
    refused(match, on_x=kind(function))
    parent = make(on_x=function)
    with pytest.raises(TypeError, match=rf"\.on_x is a {kind.__name__}"):
        type("Child", (parent,), {"on_x": kind(lambda *args: None)})
    make(helper=kind(lambda *args: None))


def test_a_property_is_no_handler() -> None:
    function = event("x")(lambda self: None)
    for kind in (property, functools.cached_property):
        refused("on_x is no method", on_x=kind(function))


# Hooks and options


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_hook_is_no_handler(hook: str) -> None:
    @event("x")
    async def function(self: Any, *args: Any) -> None: ...

    refused(rf"^ChatConsumer\.{hook} is a hook, .* another name: on_{hook}\.$", **{hook: function})
    refused(rf"^Mixin\.{hook} is a hook", type("Mixin", (), {hook: function}))


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_hook_is_a_method_that_returns(hook: str) -> None:
    for function in (generator, async_generator):
        refused("not yield it", **{hook: function})
    for kind in (staticmethod, classmethod):
        refused(rf"^ChatConsumer\.{hook} is a {kind.__name__}", **{hook: kind(lambda *args: None)})
    for value in (None, True, property(lambda self: None)):
        refused(f"^{hook} is no method", **{hook: value})
    make(**{hook: functools.partialmethod(lambda *args: None)})


@pytest.mark.parametrize(("hook", "count"), HOOKS.items())
def test_a_hook_takes_what_it_is_given(hook: str, count: int) -> None:
    takes: list[Callable[..., Any]] = [
        lambda self: None,
        lambda self, a: None,
        lambda self, a, b: None,
        lambda self, a, b, c: None,
    ]
    for number, function in enumerate(takes):
        if number == count:
            make(**{hook: function})
        else:
            refused(rf"^ChatConsumer\.{hook} must take .* besides self$", **{hook: function})
    make(**{hook: lambda self, *args: None})
    make(**{hook: lambda self, a=1, b=2, c=3: None})


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_no_method(option: str) -> None:
    function = event("x")(lambda self: None)
    for value in (lambda self: True, function, staticmethod(function), classmethod(function)):
        refused(rf"^ChatConsumer\.{option} is an option, not a method", **{option: value})
    if option not in OF_CLASS:
        make(**{option: property(lambda self: ())})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *((name, "login_required") for name in ("login_requred", "login_require")),
        *((name, "login_required") for name in ("login_requiered", "loginrequired")),
        *((name, "permission_required") for name in ("permissions_required",)),
        *(("event_throtle", "event_throttle"), ("events_timeout", "event_timeout")),
        *(("event_permissions", "event_permission"), ("event_permision", "event_permission")),
        *((name, "permission_required") for name in ("permision_required", "permission_requierd")),
    ],
)
def test_a_misspelt_option(name: str, meant: str) -> None:
    for value in (True, "chat.add_message", lambda self: True, property(lambda self: True)):
        refused(rf"^ChatConsumer\.{name} does nothing\. Did you mean {meant}\?", **{name: value})
    refused(rf"^Mixin\.{name} does nothing", type("Mixin", (), {name: True}))
    make(**{name: event(lambda self: None)})


MISSPELT = {
    "authenticate": ["authentificate", "autenticate", "authenicate", "authentcate"],
    "connect": ["conect", "connnect", "cnnect"],
    "disconnect": ["disconect", "dissconnect", "disconnnect", "discconect"],
    "receive_event": ["recieve_event", "receve_event", "receiveevent", "receive_evnt"],
}


@pytest.mark.parametrize(("name", "meant"), [(n, m) for m, all_ in MISSPELT.items() for n in all_])
def test_a_misspelt_hook(name: str, meant: str) -> None:
    match = rf"^ChatConsumer\.{name} does nothing\. Did you mean {meant}\?"
    functions: list[Any] = [lambda self: 1, lambda self, a: 1, lambda self, a, b: 1]
    for count, function in enumerate(functions):
        if count == HOOKS[meant]:
            refused(match, **{name: function})
        else:
            make(**{name: function})
    make(**{name: None})
    make(**{name: event(functions[1])})


@pytest.mark.parametrize(
    "name",
    [
        *(
            "reconnect",
            "connects",
            "connecting",
            "connection",
            "connector",
            "connect_",
            "connexion",
        ),
        *(
            "connect_",
            "connect_to",
            "on_connect",
            "_connect",
            "is_connected",
            "interconnect",
            "collect",
        ),
        *("correct", "contact", "conduct", "convert", "Connect", "CONNECT", "do_connect"),
        *("disconnected", "disconnects", "disconnecting", "disconnection", "on_disconnect"),
        *("discount", "disinfect", "dissect", "disconnect_all", "_disconnect"),
        *("authenticated", "authenticator", "authentication", "authenticates", "authorize"),
        *("reauthenticate", "authenticate_token", "is_authenticated"),
        *("receive", "receive_events", "receive_message", "recv_event", "retrieve_event"),
        *("relieve_event", "receive_client", "resolve_event", "receive_event_again"),
        *("read", "reads", "already", "reply", "ready_to_go", "is_ready", "rady", "steady"),
        *("login", "logins", "login_url", "login_optional", "login_not_required", "required"),
        *("login_is_required", "login_required_message", "_login_required", "LOGIN_REQUIRED"),
        *("permission", "permissions", "permission_classes", "get_permission_required"),
        *("has_permission_required", "permission_denied", "permission_denied_message"),
        *("type", "types", "typing", "untyped", "timed", "typed_events"),
    ],
)
def test_a_word_of_its_own_is_no_misspelling(name: str) -> None:
    values: list[Any] = [True, lambda self: 1, lambda self, a: 1, lambda self, a, b: 1]
    for value in values:
        make(**{name: value})
        make(type("Mixin", (), {name: value}))


# What is a consumer


def test_what_is_a_consumer() -> None:
    assert is_consumer(SocketIOConsumer)
    assert is_consumer(make())
    for value in (object, int, type, None, "x", make, event, AsyncMock(), collect):
        assert not is_consumer(value)


def test_a_lazy_attribute_is_not_evaluated() -> None:
    def fail() -> Any:
        raise AssertionError("evaluated")

    make(lazy=SimpleLazyObject(fail))


def test_the_base_itself_is_right() -> None:
    check_class(SocketIOConsumer)


# The decorator


@pytest.mark.parametrize(
    "value",
    [
        staticmethod(lambda *args: None),
        classmethod(lambda *args: None),
        property(lambda self: None),
        functools.cached_property(lambda self: None),
        type("Nested", (), {}),
    ],
)
def test_the_decorator_is_for_methods(value: Any) -> None:
    for decorate in (event, event(), event("x"), event("x", concurrent=True)):
        with pytest.raises(TypeError, match="methods that take self, not for"):
            decorate(value)


@pytest.mark.parametrize("value", [None, 1, ["x"], {"name": "x"}, b"x", ""])
def test_the_decorator_is_not_for_what_cannot_be_called(value: Any) -> None:
    with pytest.raises(TypeError, match="text, not"):
        event(value)
    with pytest.raises(TypeError, match="methods that take self, not for"):
        event("x")(value)


def test_a_hook_that_is_decorated_is_told_so() -> None:
    with pytest.raises(ValueError, match="a hook of that name has no @event"):

        @event
        async def connect(self: Any, auth: Any) -> None: ...
