"""Sending Django's signals from an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from weakref import ReferenceType

from asgiref.sync import iscoroutinefunction
from django.dispatch import Signal

from .interruptions import is_cut_off
from .runtime import Runtime

Receiver = Callable[..., Any]


async def announce(
    runtime: Runtime, signal: Signal, sender: Any, kwargs: dict[str, Any], **thread: Any
) -> list[Any]:
    """Send a signal with ``kwargs``; plain receivers run in a worker thread.

    Returns a list of what the receivers returned. An exception of a receiver is logged, and the
    others are called nevertheless. For ``thread`` see the options of :meth:`.Runtime.in_thread`.

    Signal.asend_robust() would run the plain receivers of all sockets in one and the same thread,
    and let SystemExit end the loop.
    """
    kwargs = {**kwargs, "signal": signal, "sender": sender}
    plain, others = _receivers(signal, sender)
    results: list[tuple[Receiver, Any]] = []
    if plain:
        for receiver, result in await runtime.in_thread(_call_all, plain, kwargs, **thread):
            if isinstance(result, Awaitable):
                results.append((receiver, await _outcome(lambda: result)))  # noqa: B023 - awaited
            else:
                results.append((receiver, result))
    calls = [_outcome(partial(receiver, **kwargs)) for receiver in others]
    # One needs no task.
    outcomes = [await calls[0]] if len(calls) == 1 else await asyncio.gather(*calls)
    results.extend(zip(others, outcomes, strict=True))
    for receiver, result in results:
        if isinstance(result, BaseException):
            name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
            runtime.log.failure(result, "signal receiver %s failed", receiver, kind=name)
    return [result for _, result in results if not isinstance(result, BaseException)]


def _receivers(signal: Signal, sender: Any) -> tuple[list[Receiver], list[Receiver]]:
    """Return the receivers that are plain functions, and those that are coroutine functions."""
    plain: list[Receiver] = []
    others: list[Receiver] = []
    wanted = id(None), id(sender)
    for (_, of_sender), reference, *_ in list(signal.receivers):
        receiver: Any = reference() if isinstance(reference, ReferenceType) else reference
        if receiver is not None and of_sender in wanted:
            (others if iscoroutinefunction(receiver) else plain).append(receiver)
    return plain, others


def _call_all(receivers: list[Receiver], kwargs: dict[str, Any]) -> list[tuple[Receiver, Any]]:
    """Call plain receivers, in a worker thread, and return what they return or raise."""
    results: list[tuple[Receiver, Any]] = []
    for receiver in receivers:
        try:
            results.append((receiver, receiver(**kwargs)))
        except BaseException as error:
            results.append((receiver, error))
    return results


async def _outcome(call: Callable[[], Awaitable[Any]]) -> Any:
    """Return what a receiver returns or raises."""
    try:
        return await call()
    except BaseException as error:
        if is_cut_off(error):
            raise
        return error
