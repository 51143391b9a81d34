"""What ``@event`` may ask before a handler runs: a permission, a rate, a time limit.

A handler with such options is wrapped when its class is made, so that others cost nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import wraps
from time import monotonic
from typing import Any

from ..exceptions import EventRefused
from ..packets import Packet
from .classes import socket_of
from .rates import Rate, in_milliseconds, parse_rate

Function = Callable[..., Any]

# In @event: what the class option ``event_permission``, ``event_throttle`` or ``event_timeout`` is.
AS_CLASS: Any = ...

# Where a consumer keeps the times of its throttled events, by method. No project names its
# attributes so.
_PASSED = "_SocketIOConsumer__passed"


@dataclass(frozen=True)
class EventOptions:
    """The options of a handler. ``timeout`` is in seconds."""

    permission: tuple[str, ...] = ()
    throttle: Rate | None = None
    timeout: float | None = None


def parse_options(prefix: str = "", **given: Any) -> dict[str, Any]:
    """Return those options that are not AS_CLASS, as :class:`EventOptions` has them.

    Raises TypeError or ValueError with the option's name, after ``prefix``, for a bad value.
    """
    parsed = {}
    for name, value in given.items():
        if value is not AS_CLASS:
            try:
                parsed[name] = _PARSERS[name](value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{prefix}{name}: {error}") from None
    return parsed


def class_options(cls: type) -> EventOptions:
    """Return what a class says for those of its handlers that say nothing themselves."""
    given = {name: getattr(cls, f"event_{name}", AS_CLASS) for name in _PARSERS}
    return EventOptions(**parse_options(f"{cls.__name__}.event_", **given))


def options_of(given: dict[str, Any], defaults: EventOptions) -> EventOptions:
    """Return the options of a handler from those that it was given."""
    return replace(defaults, **given)


def _permission(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    names = (value,) if isinstance(value, str) else value
    if isinstance(names, Iterable):
        names = tuple(names)
        if all(isinstance(name, str) and name for name in names):
            return names
    raise TypeError(f'{value!r} is no permission: write "app.codename", or a list of such')


def _throttle(value: Any) -> Rate | None:
    return None if value is None else parse_rate(value)


def _timeout(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no number of seconds")
    if not 0 < value < math.inf:
        raise ValueError(f"{value!r} is no number of seconds above 0")
    return value


_PARSERS = {"permission": _permission, "throttle": _throttle, "timeout": _timeout}


def apply(
    method: str, function: Function, is_async: bool, options: EventOptions
) -> tuple[Function, bool]:
    """Wrap a method for its options. Returns a function, and whether it is called on the loop.

    The throttle comes first and needs no thread, also for a plain method: a refusal is cheap.
    """
    if options.permission:
        permit = _permit if is_async else _permit_in_thread
        function = permit(function, options.permission)
    if not is_async and (options.throttle is not None or options.timeout is not None):
        function, is_async = _call_thread(function), True
    if options.timeout is not None:
        function = _limit(function, options.timeout)
    if options.throttle is not None:
        function = _throttle_calls(function, options.throttle, method)
    return function, is_async


def _check_permission(user: Any, permission: tuple[str, ...]) -> None:
    if user is None or not user.has_perms(permission):
        raise EventRefused("Permission denied", "permission_denied")


def _permit(function: Function, permission: tuple[str, ...]) -> Function:
    @wraps(function)
    async def permitted(consumer: Any, *args: Any) -> Any:
        socket = socket_of(consumer)
        await socket.in_thread(_check_permission, socket.user, permission)
        return await function(consumer, *args)

    return permitted


def _permit_in_thread(function: Function, permission: tuple[str, ...]) -> Function:
    @wraps(function)
    def permitted(consumer: Any, *args: Any) -> Any:
        _check_permission(socket_of(consumer).user, permission)
        return function(consumer, *args)

    return permitted


def _call_thread(function: Function) -> Function:
    @wraps(function)
    def called(consumer: Any, *args: Any) -> Any:
        return socket_of(consumer).in_thread(function, consumer, *args)

    return called


def _throttle_calls(function: Function, rate: Rate, method: str) -> Function:
    @wraps(function)
    def throttled(consumer: Any, *args: Any) -> Any:
        passed = vars(consumer).setdefault(_PASSED, {})
        wait = rate.admit(passed.setdefault(method, deque()), monotonic())
        if wait:
            raise EventRefused("Too many events", "throttled", retry_after=in_milliseconds(wait))
        return function(consumer, *args)

    return throttled


def _limit(function: Function, seconds: float) -> Function:
    @wraps(function)
    async def limited(consumer: Any, *args: Any) -> Any:
        socket = socket_of(consumer)
        event = socket.current_event()

        async def run() -> Any:
            if isinstance(event, Packet):
                # What goes on in a thread after its time must not answer the next event.
                socket.stay_with(event)
            return await function(consumer, *args)

        task = asyncio.ensure_future(run())
        try:
            await asyncio.wait([task], timeout=seconds)
            if task.done():
                return task.result()
        except asyncio.CancelledError:
            await _cancel(task)
            raise
        await _cancel(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        raise EventRefused("Timed out", "timeout")

    return limited


async def _cancel(task: asyncio.Future[Any]) -> None:
    """Cancel a task, and wait until it is over: the socket's next event comes after it."""
    task.cancel()
    await asyncio.wait([task])
