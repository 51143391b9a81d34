"""The hubs of this process: one in a server process, several in tests with several loops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from threading import Lock
from typing import Any, TypeVar

from channels.layers import channel_layers
from django.core.exceptions import SynchronousOnlyOperation

from .. import process
from ..cluster.kinds import forget_connections
from ..cluster.layer import shared_layer
from ..conf import get_settings
from ..runtime.awaitables import Posted, Several
from ..runtime.threads import forget_threads
from .hub import Hub
from .outside import forget_outside, outside_hub, wait_until_taken
from .redis_emitter import RedisEmitter
from .shutdown import begin_on_signals
from .wiring import Wiring

T = TypeVar("T")

NO_WIRING = Wiring()

_hubs: list[Hub] = []
_lock = Lock()


def current_hub(wiring: Wiring = NO_WIRING) -> Hub:
    """Return the hub of the running loop, made with ``wiring`` when it is first asked for."""
    for hub in _hubs:
        if hub.runtime.here():  # get_running_loop() is a system call on Python 3.11
            return hub
    hub = Hub(asyncio.get_running_loop(), get_settings(), shared_layer(), wiring=wiring)
    with _lock:
        _hubs[:] = [old for old in _hubs if not old.runtime.loop.is_closed()] + [hub]
    if hub.settings.redis_emitter:
        emitter = RedisEmitter(hub)
        emitter.start()
        hub.shutdown.stop_listening = emitter.stop
    begin_on_signals(hub.shutdown)
    return hub


def all_hubs() -> list[Hub]:
    """Return the hubs of this process: one in a server process, none in one without clients."""
    return [hub for hub in _hubs if not hub.runtime.loop.is_closed()]


def acting_hubs() -> list[Hub]:
    """Return the hubs that have to carry out a call of this process.

    It is one hub if the hubs share a channel layer, which then tells the others. It is the
    background thread's in a process without clients.
    """
    hubs = all_hubs()
    if not hubs and not process.serving:
        hub = outside_hub()
        return [] if hub is None else [hub]
    if len(hubs) > 1 and any(hub.others.shared for hub in hubs):
        return [next((hub for hub in hubs if hub.runtime.here()), hubs[0])]
    return hubs


def on_all_hubs(function: Callable[[Hub], Awaitable[Any]]) -> Awaitable[Any]:
    """Call ``function(hub)`` on the thread of each hub. Await the result to wait for all."""
    hubs = acting_hubs()
    if len(hubs) == 1:
        done = hubs[0].runtime.run(function, hubs[0])
        if not hubs[0].serves and isinstance(done, Posted):
            return wait_until_taken(done)
        return done
    return Several([hub.runtime.run(function, hub) for hub in hubs])


def must_not_block(name: str) -> None:
    """Raise SynchronousOnlyOperation on an event loop's thread. ``name``: what to await there."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SynchronousOnlyOperation(
        f"You cannot call this from an async context - await {name}() instead."
    )


def block(start: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the coroutine ``start()`` and wait in this thread, which has no loop, for its result.

    It runs on the loop of this process's hub. Without a hub it has nobody to ask, and runs on a
    loop of its own.
    """
    hubs = acting_hubs()
    return hubs[0].runtime.block(start()) if hubs else asyncio.run(start())


async def on_each_hub(ask: Callable[[Hub], Coroutine[Any, Any, T]]) -> list[T]:
    """Await ``ask(hub)`` on the loop of each hub. Returns the results in a list."""
    return list(await asyncio.gather(*(hub.runtime.on_loop(ask(hub)) for hub in acting_hubs())))


def _forget_hubs() -> None:
    """Start anew in a forked process: its parent's threads, loops and channel are not its own."""
    _hubs.clear()
    channel_layers.backends = {}
    forget_connections()
    forget_outside()
    forget_threads()


os.register_at_fork(after_in_child=_forget_hubs)
