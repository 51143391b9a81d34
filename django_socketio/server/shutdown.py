"""Letting clients go when the server process is told to end.

ASGI's own word for it, "lifespan.shutdown", comes too late: servers send it when their connections
have ended, and a poll that waits does not end by itself. So we hear the signal before the server.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .hub import Hub


def say_goodbye_on_signals(hub: Hub) -> None:
    """Have SIGTERM and SIGINT call ``hub.shut_down()`` before the server's own handler.

    Nothing is changed where no server listens for SIGTERM (tests, scripts), nor outside the main
    thread, where Python does not let handlers be set. For its end servers wait by the lifespan
    protocol, only daphne has Twisted's own way.
    """
    _have_twisted_wait(hub)
    if threading.current_thread() is not threading.main_thread():
        return
    if callable(signal.getsignal(signal.SIGTERM)):
        for number in (signal.SIGTERM, signal.SIGINT):
            _precede(number, hub)


def _have_twisted_wait(hub: Hub) -> None:
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is not None and reactor.running:
        from twisted.internet.defer import Deferred

        def end() -> Deferred[None]:
            return Deferred.fromFuture(asyncio.ensure_future(hub.end()))

        hub.awaited = True
        reactor.addSystemEventTrigger("before", "shutdown", end)


def _precede(number: signal.Signals, hub: Hub) -> None:
    servers_own = signal.getsignal(number)

    def end(number: int, frame: FrameType | None) -> None:
        if not hub.loop.is_closed():
            hub.loop.call_soon_threadsafe(hub.shut_down)
        if callable(servers_own):
            servers_own(number, frame)

    async def defer(number: int, frame: FrameType | None) -> None:
        await hub.upgraded()
        if not hub.closing:
            end(number, frame)

    def handle(number: int, frame: FrameType | None) -> None:
        first, hub.leaving = not hub.leaving, True
        if first and hub.upgrading and not hub.loop.is_closed():
            # The server would close the WebSockets of those who upgrade: see Hub.upgraded().
            hub.loop.call_soon_threadsafe(lambda: hub.spawn(defer(number, frame)))
        else:
            end(number, frame)

    if callable(servers_own):
        signal.signal(number, handle)
