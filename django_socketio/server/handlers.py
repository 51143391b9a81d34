"""Event handlers: the ``event`` decorator, and what a consumer class makes of its methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from asgiref.sync import iscoroutinefunction

from ..packets import RESERVED_EVENTS
from ..sockets.behaviour import ANY_EVENT, Handler, Handlers

_MARK = "_socketio_event"

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class EventMark:
    """What ``event`` leaves on a method. Without names the method's own name is the event's."""

    names: tuple[str, ...]
    concurrent: bool


@overload
def event(function: F, /) -> F: ...
@overload
def event(*names: str, concurrent: bool = False) -> Callable[[F], F]: ...
def event(*names: Any, concurrent: bool = False) -> Any:
    """Make a method of a consumer the handler of events.

    ``@event`` names the event after the method, ``@event("chat message", "chat")`` gives it other
    names, ``@event("*")`` is called, with the event's name before its arguments, for every event
    that has no handler of its own. With ``concurrent=True`` the next event of the socket does not
    wait for this handler to finish.

    Raises ValueError for a reserved name (``connect``, ``disconnect``, ``connect_error``,
    ``disconnecting``).
    """
    if len(names) == 1 and callable(names[0]):
        return event()(names[0])

    def mark(function: F) -> F:
        for name in names or (function.__name__,):
            if not isinstance(name, str) or not name:
                raise TypeError(f"an event's name is text, not {name!r}")
            if name in RESERVED_EVENTS:
                raise ValueError(f"{name!r} is a reserved event name")
        setattr(function, _MARK, EventMark(names, concurrent))
        return function

    return mark


def collect(cls: type) -> Handlers:
    """The handlers of a class, found along its MRO.

    A method that overrides a handler is one, for the same events, whether it is decorated again or
    not.
    """
    marks: dict[str, EventMark] = {}
    for parent in reversed(cls.__mro__):
        for attribute, value in vars(parent).items():
            mark = getattr(value, _MARK, None) if callable(value) else None
            if mark is not None:
                # Taken out first: the class nearest to the end has the last word on a name.
                marks.pop(attribute, None)
                marks[attribute] = mark
    handlers = {}
    for attribute, mark in marks.items():
        function = getattr(cls, attribute, None)
        if function is not None:
            for name in mark.names or (attribute,):
                handlers[name] = make_handler(
                    attribute, function, mark.concurrent, named=name == ANY_EVENT
                )
    return Handlers(handlers)


def make_handler(
    method: str, function: Callable[..., Any], concurrent: bool = False, named: bool = False
) -> Handler:
    """Look at a method once, so that no event has to.

    Raises TypeError for one that an event cannot call.
    """
    least = most = -1  # self
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            most = 10**9
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            most += 1
            if parameter.default is parameter.empty:
                least += 1
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise TypeError(f"{function.__qualname__}: events have no keyword arguments")
    is_async = iscoroutinefunction(function)
    return Handler(method, function, is_async, concurrent, max(least, 0), most, named)


def make_hook(cls: type, base: type, name: str) -> Handler | None:
    """A class's own connect, disconnect or authenticate; None for the one of ``base``.

    Raises TypeError for one that does not take a single argument.
    """
    function = getattr(cls, name)
    if function is getattr(base, name):
        return None
    hook = make_handler(name, function)
    if not hook.least <= 1 <= hook.most:
        raise TypeError(f"{function.__qualname__} must take one argument besides self")
    return hook
