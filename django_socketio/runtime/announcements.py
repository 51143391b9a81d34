"""Sending Django's signals from an event loop."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from django.dispatch import Signal

from .runtime import Runtime


async def announce(
    runtime: Runtime, signal: Signal, *, sensitive: bool = False, **kwargs: Any
) -> list[Any]:
    """Send a signal; plain receivers run in a worker thread.

    Returns a list of what the receivers returned. An exception of a receiver is logged, and the
    others are called nevertheless. For ``sensitive`` see :meth:`.Runtime.in_thread`.
    """
    results: list[tuple[Any, Any]]
    if all(entry[-1] is True for entry in signal.receivers):  # all of them are async
        results = await signal.asend_robust(**kwargs)
    else:
        # asend_robust() would run the plain receivers of all sockets in one and the same thread.
        # send_robust() of Django 4.2 calls an async receiver like a plain one, which returns a
        # coroutine.
        sent = await runtime.in_thread(partial(signal.send_robust, **kwargs), sensitive=sensitive)
        results = [(receiver, await _outcome(result)) for receiver, result in sent]
    for receiver, result in results:
        if isinstance(result, Exception):
            name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
            runtime.log.failure(result, "signal receiver %s failed", receiver, kind=name)
    return [result for _, result in results if not isinstance(result, Exception)]


async def _outcome(result: Any) -> Any:
    """Return what a receiver returned, awaited if need be, or the exception that it raised."""
    try:
        return await result if isinstance(result, Awaitable) else result
    except Exception as error:
        return error
