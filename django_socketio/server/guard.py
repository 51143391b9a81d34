"""The check of a consumer class when it is made: names, hooks, handlers, options."""

from __future__ import annotations

import inspect
import json
from difflib import get_close_matches
from types import FunctionType
from typing import Any

from ..sockets.behaviour import Handler
from .handlers import make_handler, mark_of, marks_along_mro
from .tracebacks import ends_in_project

# Public names of SocketIOConsumer, now or planned, which a project's class may not use otherwise.
RESERVED = frozenset(
    """
    sid user session scope auth kwargs namespace rooms data handshake transport connected recovered
    expires_at disconnect_detail events
    emit send call acall acknowledge join leave to broadcast exclude volatile local timeout compress
    spawn close
    """.split()  # noqa: SIM905
)
# Options that a class may set.
OPTIONS = (
    *("login_required", "permission_required", "typed"),
    *("event_permission", "event_throttle", "event_timeout"),
)
# Hooks that a class may override, and how many arguments each takes besides self.
HOOKS = {"authenticate": 1, "connect": 1, "ready": 0, "disconnect": 1, "receive_event": 2}

COUNTS = ("no argument", "one argument", "two arguments")

# The names long enough that a similar name is a misspelling, and no word of its own.
SPELLED = [name for name in (*OPTIONS, *HOOKS) if len(name) > len("ready")]
# How similar a misspelling is at least: from 0, nothing in common, to 1, the same.
ALIKE = 0.85
# How many letters a misspelling has too many or too few, at most.
MISCOUNTED = 2

# By name, since the module that defines it imports this one.
BASE = ("django_socketio.server.consumers", "SocketIOConsumer")


def is_consumer(value: object) -> bool:
    """Whether ``value`` is SocketIOConsumer or a subclass of it."""
    return isinstance(value, type) and any(map(_is_base, value.__mro__))


@ends_in_project
def check_class(cls: type) -> None:
    """Check a new subclass of SocketIOConsumer, and its mixins.

    Raises TypeError with a text that says what is wrong and how to mend it.
    """
    base = next(filter(_is_base, cls.__mro__))
    before = True
    for owner in cls.__mro__:
        if owner is base:
            before = False
        elif owner not in base.__mro__:
            for name, value in vars(owner).items():
                _check_name(owner, name, value, before)
                _check_kind(owner, name, value)
            _check_events(owner)
    _check_order(cls, base)
    for hook, count in HOOKS.items():
        function: Any = getattr(cls, hook, base)
        if function is not getattr(base, hook, base):
            _check_arguments(cls, make_handler(hook, function), count)
    for method in marks_along_mro(cls):
        # A static method that overrides a handler has no mark of its own.
        _check_static(cls, method, inspect.getattr_static(cls, method, None))


def _is_base(cls: type) -> bool:
    return (cls.__module__, cls.__qualname__) == BASE


def _check_name(owner: type, name: str, value: Any, before: bool) -> None:
    """Raise TypeError if ``name`` is reserved, or misspells an option or a hook.

    ``before`` says that ``owner`` comes before SocketIOConsumer in the MRO.
    """
    if name in RESERVED:
        mark = mark_of(value)
        verb = "would hide" if before else "would be hidden by"
        if mark is not None:
            names = ", ".join(json.dumps(e, ensure_ascii=False) for e in mark.names or (name,))
            function = inspect.unwrap(getattr(value, "__func__", value))
            word = "async def" if inspect.iscoroutinefunction(function) else "def"
            cure = f"Give the handler another name: @event({names}) {word} on_{name}(...)"
        elif isinstance(value, (FunctionType, staticmethod, classmethod)):
            cure = (
                f"Give the method another name; it may call self.{name}. "
                "To see every event before its handler does, override receive_event"
            )
        else:
            cure = "Give the attribute another name"
        raise TypeError(f"{owner.__name__}.{name} {verb} SocketIOConsumer.{name}. {cure}.")
    meant = None if mark_of(value) else _meant(name, value)
    if meant is not None:
        raise TypeError(
            f"{owner.__name__}.{name} does nothing. Did you mean {meant}? "
            "If not, give it a name that is less alike."
        )


def _meant(name: str, value: Any) -> str | None:
    """Return the option or hook that ``name`` surely misspells; None if there is none."""
    if name.startswith("_") or not name.islower() or name in OPTIONS or name in HOOKS:
        return None
    for meant in get_close_matches(name, SPELLED, 1, ALIKE):
        if abs(len(name) - len(meant)) > MISCOUNTED:
            return None
        if meant in OPTIONS:
            return meant
        # "authenticated", "connector" and "reconnect" are words of their own.
        inside = name[0] == meant[0] and name[-2:] == meant[-2:] and not name.endswith(meant)
        if inside and isinstance(value, FunctionType) and _takes(value, HOOKS[meant]):
            return meant
    return None


def _takes(function: FunctionType, count: int) -> bool:
    try:
        handler = make_handler("", function)
    except TypeError:
        return False
    return handler.least <= count <= handler.most


def _check_kind(owner: type, name: str, value: Any) -> None:
    """Raise TypeError if ``value`` is not what an option, a hook or a handler may be."""
    marked = mark_of(value) is not None
    if name in OPTIONS and (marked or isinstance(value, (FunctionType, staticmethod, classmethod))):
        raise TypeError(f"{owner.__name__}.{name} is an option, not a method: set it to a value.")
    if name in HOOKS and marked:
        raise TypeError(
            f"{owner.__name__}.{name} is a hook, which no client calls. "
            f"Leave out @event, or give the handler another name: on_{name}."
        )
    if name in HOOKS or marked:
        _check_static(owner, name, value)


def _check_static(owner: type, name: str, value: Any) -> None:
    if isinstance(value, (staticmethod, classmethod)):
        raise TypeError(
            f"{owner.__name__}.{name} is a {type(value).__name__}: "
            "handlers and hooks are methods that take self."
        )


def _check_events(owner: type) -> None:
    """Raise TypeError if two methods of ``owner`` handle one event."""
    seen: dict[str, tuple[str, Any]] = {}
    for attribute, value in vars(owner).items():
        mark = mark_of(value)
        for event in mark.names or (attribute,) if mark else ():
            first, function = seen.setdefault(event, (attribute, value))
            if function is not value:
                raise TypeError(
                    f"{owner.__name__} has two handlers for the event {event!r}: "
                    f"{first} and {attribute}."
                )


def _check_order(cls: type, base: type) -> None:
    """Raise TypeError if a mixin's option or hook is hidden by ``base``, which comes before it."""
    for name in (*OPTIONS, *HOOKS):
        owners = [owner for owner in cls.__mro__ if name in vars(owner)]
        if len(owners) > 1 and owners[0] is base:
            late = owners[1].__name__
            raise TypeError(
                f"{late}.{name} would be hidden by SocketIOConsumer.{name}. "
                f"Name {late} before it: class {cls.__name__}({late}, SocketIOConsumer)."
            )


def _check_arguments(cls: type, hook: Handler, count: int) -> None:
    if not hook.least <= count <= hook.most:
        raise TypeError(f"{cls.__name__}.{hook.method} must take {COUNTS[count]} besides self")
