"""Letting clients go when the server process is told to end.

ASGI's own word for it, "lifespan.shutdown", comes too late: servers send it when their connections
have ended, and a poll that waits does not end by itself. So we hear the signal before the server.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any

from ..cluster.ports import Others
from ..engineio import Reason
from ..sockets.client import Client
from ..sockets.clients import Clients
from ..sockets.local import Local
from ..sockets.socket import Socket
from .wiring import Record

# How long clients may take that are between polling and WebSocket, then the last ones to fetch
# their last packets, and after that the handlers to end, disconnect() among them. In seconds.
UPGRADES_TIMEOUT, LEAVE_TIMEOUT, HANDLERS_TIMEOUT = 5.0, 2.0, 5.0
# How often it is looked at whether the first of these are done.
LOOK = 0.02


class Shutdown:
    """The end of a hub.

    ``awaited`` says that the server will call :meth:`end` when it has finished with its
    connections; else the other processes are left when the last client has gone.
    """

    def __init__(
        self,
        local: Local[Socket],
        clients: Clients[Client],
        others: Others,
        record: Record | None,
    ) -> None:
        self.awaited = False
        self._local = local
        self._clients = clients
        self._others = others
        self._record = record
        self._leaving: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The hub's event loop."""
        return self._local.runtime.loop

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        """Run something on the hub's loop while the process ends."""
        self._local.runtime.spawn(coro)

    async def end(self) -> None:
        """The process ends: let clients go, tell the other processes."""
        await self.wait_for_upgrades()
        self.begin()
        if self._record is not None:
            await self._record.ended()
        await self._leave_others()

    def begin(self) -> None:
        """Say goodbye to every client, so that it connects elsewhere at once."""
        if self._local.closing:
            return
        self._local.leaving = self._local.closing = True
        for client in list(self._clients.values()):
            client.close(Reason.SHUTTING_DOWN)
        if self._record is not None:
            self._record.end()
        self._others.tunnels.release_requests()
        if not self.awaited:
            self._leaving = self.loop.create_task(self._leave_others())

    @property
    def upgrading(self) -> bool:
        """Whether a client is between polling and WebSocket, one of ours or through our tunnels."""
        return self._clients.upgrading or self._others.tunnels.upgrading

    def told_to_end(self) -> bool:
        """The process is told to end: nobody begins to upgrade. True for the first time."""
        first, self._local.leaving = not self._local.leaving, True
        return first

    async def wait_for_upgrades(self) -> None:
        """Wait, before connections are closed, for clients between polling and WebSocket.

        A client whose probe was answered polls no more, and does not begin again when it loses its
        WebSocket before it has upgraded: it would notice no sooner than by its ping timeout.
        """
        self._local.leaving = True
        end = self.loop.time() + UPGRADES_TIMEOUT
        # What is waited for happens in many places, and waiting is rare: so we look now and then.
        while self.upgrading and not self._local.closing and self.loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    async def begin_after_upgrades(self) -> bool:
        """Wait for upgrades; False when the end has begun meanwhile."""
        await self.wait_for_upgrades()
        return not self._local.closing

    async def _leave_others(self) -> None:
        """Leave the other processes when the last packets are out and the handlers have ended."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._last_packets(), LEAVE_TIMEOUT)
        tasks = self._local.runtime.tasks
        handlers = [task for task, client in tasks.items() if client is not None]
        if handlers:
            await asyncio.wait(handlers, timeout=HANDLERS_TIMEOUT)
        await self._others.stop()

    async def _last_packets(self) -> None:
        """Wait until the last clients have gone, here and through our tunnels."""
        await self._clients.wait_until_empty()
        await self._others.tunnels.wait_until_released()


def say_goodbye_on_signals(shutdown: Shutdown) -> None:
    """Have SIGTERM and SIGINT call ``shutdown.begin()`` before the server's own handler.

    Nothing is changed where no server listens for SIGTERM (tests, scripts), nor outside the main
    thread, where Python does not let handlers be set. For its end servers wait by the lifespan
    protocol, only daphne has Twisted's own way.
    """
    _have_twisted_wait(shutdown)
    if threading.current_thread() is not threading.main_thread():
        return
    if callable(signal.getsignal(signal.SIGTERM)):
        for number in (signal.SIGTERM, signal.SIGINT):
            _precede(number, shutdown)


def _have_twisted_wait(shutdown: Shutdown) -> None:
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is not None and reactor.running:
        from twisted.internet.defer import Deferred

        def end() -> Deferred[None]:
            return Deferred.fromFuture(asyncio.ensure_future(shutdown.end()))

        shutdown.awaited = True
        reactor.addSystemEventTrigger("before", "shutdown", end)


def _precede(number: signal.Signals, shutdown: Shutdown) -> None:
    servers_own = signal.getsignal(number)
    loop = shutdown.loop

    def end(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(shutdown.begin)
        if callable(servers_own):
            servers_own(number, frame)

    async def defer(number: int, frame: FrameType | None) -> None:
        if await shutdown.begin_after_upgrades():
            end(number, frame)

    def handle(number: int, frame: FrameType | None) -> None:
        if shutdown.told_to_end() and shutdown.upgrading and not loop.is_closed():
            # The server would close the WebSockets of those who upgrade.
            loop.call_soon_threadsafe(lambda: shutdown.spawn(defer(number, frame)))
        else:
            end(number, frame)

    if callable(servers_own):
        signal.signal(number, handle)
