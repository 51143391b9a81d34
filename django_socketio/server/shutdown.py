"""How a server process ends: its clients are told to go, then the other processes.

ASGI's "lifespan.shutdown" comes too late: servers send it when all connections have ended, and a
poll that waits for a packet does not end by itself. So we handle the signal before the server does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
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

# The three phases of the end, in seconds at most: clients finish their upgrades to WebSocket, the
# last clients fetch their last packets, and handlers end, disconnect() among them.
UPGRADES_TIMEOUT, LEAVE_TIMEOUT, HANDLERS_TIMEOUT = 5.0, 2.0, 5.0
# Seconds between two looks at whether the upgrades are finished.
LOOK = 0.02


class Shutdown:
    """The end of a hub.

    ``awaited`` says that the server will call :meth:`end`. Otherwise this process leaves the others
    by itself when the last client has gone.
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
        # Ends what listens beside the channel layer.
        self.stop_listening: Callable[[], Awaitable[None]] | None = None
        # The task in which sessions go to another process, whose clients are away.
        self._handing: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The hub's event loop."""
        return self._local.runtime.loop

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        """Run something on the hub's loop while the process ends."""
        self._local.runtime.spawn(coro)

    async def end(self) -> None:
        """End the process: finish upgrades, close sessions, write statistics, leave the others."""
        await self.wait_for_upgrades()
        self.begin()
        if self._record is not None:
            await self._record.ended()
        await self._leave_others()

    def begin(self) -> None:
        """Close every session, so that clients connect to another process at once."""
        if self._local.closing:
            return
        self._local.leaving = self._local.closing = True
        for client in list(self._clients.values()):
            client.close(Reason.SHUTTING_DOWN)
        if self._record is not None:
            self._record.end()
        self._others.tunnels.release_requests()
        if self._local.recovery is not None:
            handing = self._local.recovery.handover.hand_over()
            self._handing = self.loop.create_task(handing)
        if not self.awaited:
            self._leaving = self.loop.create_task(self._leave_others())

    @property
    def upgrading(self) -> bool:
        """Whether a client is upgrading to WebSocket, here or through one of our tunnels."""
        return self._clients.upgrading or self._others.tunnels.upgrading

    def told_to_end(self) -> bool:
        """Note that the process was told to end: no upgrade begins. Returns True the first time."""
        first, self._local.leaving = not self._local.leaving, True
        return first

    async def wait_for_upgrades(self) -> None:
        """Wait until clients have finished their upgrades, before connections are closed.

        The client's probe was answered, so it polls no more. If it lost its WebSocket now, it would
        not poll again, and would notice only by its ping timeout.
        """
        self._local.leaving = True
        end = self.loop.time() + UPGRADES_TIMEOUT
        # Polled, since an upgrade ends in many places and this wait is rare.
        while self.upgrading and not self._local.closing and self.loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    async def begin_after_upgrades(self) -> bool:
        """Wait for upgrades. Returns False when the end has begun meanwhile."""
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
        if self.stop_listening is not None:
            await self.stop_listening()
        if self._handing is not None:
            await asyncio.wait([self._handing])
        await self._others.stop()
        self._local.runtime.log.close()

    async def _last_packets(self) -> None:
        """Wait until the last clients have gone, here and through our tunnels."""
        await self._clients.wait_until_empty()
        await self._others.tunnels.wait_until_released()


def begin_on_signals(shutdown: Shutdown) -> None:
    """Make SIGTERM and SIGINT call ``shutdown.begin()`` before the server's own handler.

    Changes nothing where no server handles SIGTERM (tests, scripts), nor outside the main thread,
    where Python does not allow it. Servers await ``shutdown.end()`` through ASGI's lifespan, and
    daphne, which has no lifespan, through Twisted's shutdown.
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
            # The server's handler would close WebSockets that are upgrading: it runs afterwards.
            loop.call_soon_threadsafe(lambda: shutdown.spawn(defer(number, frame)))
        else:
            end(number, frame)

    if callable(servers_own):
        signal.signal(number, handle)
