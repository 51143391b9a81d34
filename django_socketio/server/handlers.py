"""Event handlers: the decorator ``event``, and how a class's handlers are found."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar, overload

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured

from ..conf import is_typed
from ..packets import RESERVED_EVENTS
from ..sockets.behaviour import ANY_EVENT, Handler, Handlers
from ..stats.counters import Timing
from .event_options import AS_CLASS, apply, class_options, options_of, parse_options
from .tracebacks import ends_in_project

_MARK = "_socketio_event"
# More arguments than any event has.
MANY = 10**9

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class EventMark:
    """What ``event`` leaves on a method. Without names, the event is named after the method.

    ``options`` are those fields of :class:`.EventOptions` that the decorator was given.
    """

    names: tuple[str, ...]
    concurrent: bool
    options: dict[str, Any] = field(default_factory=dict)


@overload
def event(function: F, /) -> F: ...
@overload
def event(
    *names: str,
    concurrent: bool = False,
    permission: str | Iterable[str] | None = AS_CLASS,
    throttle: str | None = AS_CLASS,
    timeout: float | None = AS_CLASS,
) -> Callable[[F], F]: ...
@ends_in_project
def event(
    *names: Any,
    concurrent: bool = False,
    permission: str | Iterable[str] | None = AS_CLASS,
    throttle: str | None = AS_CLASS,
    timeout: float | None = AS_CLASS,
) -> Any:
    """Make a method of a consumer the handler of one or several events.

    ``@event`` handles the event that is named like the method. ``@event("chat message", "chat")``
    handles the events with these names. ``@event("*")`` handles every event that has no handler of
    its own; its first argument is the event's name.

    The method takes the event's arguments; binary attachments are bytes. What it returns is the
    acknowledgement, if the client asked for one: no argument for None, several for a tuple, else
    one. A plain ``def`` runs in a worker thread and may use the ORM.

    With ``concurrent=True`` the socket's next event does not wait until this handler has finished.

    ``permission`` ("app.codename", or several) is asked of ``self.user`` for each event.
    ``throttle`` is a rate, as "10/s" (/s, /m, /h, /d): more events of a socket are refused.
    After ``timeout`` seconds the handler is cancelled; what a thread returns then is dropped. They
    refuse an event as :class:`EventRefused` does with the codes ``permission_denied``,
    ``throttled`` (with ``retry_after``, seconds) and ``timeout``. What is not given is the class's
    ``event_permission``, ``event_throttle`` or ``event_timeout``; None is none.

    Returns the method itself, or with arguments a decorator. Raises ValueError for a reserved name
    (``connect``, ``disconnect``, ``connect_error``, ``disconnecting``), TypeError for what is no
    method or no name; either of them for a bad value of an option. See https://socket.io/docs/v4/listening-to-events/
    """
    if len(names) == 1 and (callable(names[0]) or hasattr(names[0], "__get__")):
        return event()(names[0])
    for name in names:
        _check_name(name)
    options = parse_options(permission=permission, throttle=throttle, timeout=timeout)

    @ends_in_project
    def mark(function: F) -> F:
        if isinstance(function, (staticmethod, classmethod, type)) or not callable(function):
            raise TypeError(f"@event is for methods that take self, not for {function!r}")
        if not names:
            _check_name(getattr(function, "__name__", None))
        setattr(function, _MARK, EventMark(names, concurrent, options))
        return function

    return mark


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name:
        raise TypeError(f"an event's name is text, not {name!r}")
    if name in RESERVED_EVENTS:
        raise ValueError(f"{name!r} is a reserved event name, a hook of that name has no @event")


def mark_of(value: Any) -> EventMark | None:
    """Return the mark of ``event`` on an attribute of a class, or on the function inside it.

    Returns None where there is none.
    """
    kind = type(value)  # isinstance() would evaluate a lazy object
    if kind in (staticmethod, classmethod):
        value = value.__func__
    elif kind is property:
        value = value.fget
    elif kind is cached_property:
        value = value.func
    mark = getattr(value, _MARK, None) if callable(value) else None
    return mark if isinstance(mark, EventMark) else None


def collect(cls: type) -> Handlers:
    """Return the handlers of a class, found along its MRO.

    A method that overrides a handler handles the same events, whether it is decorated again or not.
    Raises TypeError or ValueError for a bad class option, and as :func:`make_handler`.
    """
    defaults = class_options(cls)
    check = _typing(cls)
    handlers = {}
    for attribute, mark in marks_along_mro(cls).items():
        function = getattr(cls, attribute, None)
        if function is not None:
            handler = make_handler(attribute, function, mark.concurrent)
            if check is not None:
                # How many arguments there are is checked with them, and answered.
                function = check.check_event(cls, attribute, function, handler.most)
                handler = replace(handler, least=0, most=MANY)
            options = options_of(mark.options, defaults)
            function, is_async = apply(attribute, function, handler.is_async, options)
            for name in mark.names or (attribute,):
                handlers[name] = replace(
                    handler,
                    function=function,
                    is_async=is_async,
                    named=name == ANY_EVENT,
                    timing=Timing(),
                )
    return Handlers(handlers)


def marks_along_mro(cls: type) -> dict[str, EventMark]:
    """Return the marks of a class's handlers by their methods, the most derived last."""
    marks: dict[str, EventMark] = {}
    for parent in reversed(cls.__mro__):
        for attribute, value in vars(parent).items():
            mark = mark_of(value)
            if mark is not None:
                # Removed first, so that the most derived class comes last and wins a name.
                marks.pop(attribute, None)
                marks[attribute] = mark
    return marks


def make_handler(method: str, function: Callable[..., Any], concurrent: bool = False) -> Handler:
    """Inspect a method's signature, once for all events that it will handle.

    Raises TypeError for one that cannot be called with an event's arguments.
    """
    if not callable(function):
        raise TypeError(f"{method} is no method, but {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} must return what it has to say, not yield it")
    least = most = -1  # self
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            most = MANY
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            most += 1
            if parameter.default is parameter.empty:
                least += 1
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise TypeError(f"{function.__qualname__}: events have no keyword arguments")
    is_async = iscoroutinefunction(function)
    return Handler(method, function, is_async, concurrent, max(least, 0), most)


def make_hook(cls: type, base: type, name: str) -> Handler | None:
    """Return a class's hook ``name``; None if it is that of ``base``, not overridden."""
    function = getattr(cls, name)
    if function is getattr(base, name):
        return None
    handler = make_handler(name, function)
    check = _typing(cls) if name in ("authenticate", "connect") else None
    if check is None:
        return handler
    return replace(handler, function=check.check_auth(cls, name, function))


def _typing(cls: type) -> Any:
    """Return what checks the arguments of a typed class; None for any other class.

    Raises TypeError for a bad ``typed``, ImproperlyConfigured without pydantic.
    """
    wanted = getattr(cls, "typed", None)
    if wanted is not None and not isinstance(wanted, bool):
        raise TypeError(f"{cls.__name__}.typed is {wanted!r}: it must be True or False")
    if not (is_typed() if wanted is None else wanted):
        return None
    try:
        from . import typed
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{cls.__name__} is typed, which needs pydantic 2.6 or newer: "
            "pip install channels-socketio[typed]"
        ) from error
    return typed
