"""What one event loop of this process serves: its clients and namespaces, its timers and threads.

All state of a hub is touched on its own thread only: other threads hand their wishes over with
:meth:`Hub.run`, which keeps the order in which they were made.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from contextvars import Context
from itertools import count
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from channels.db import DatabaseSyncToAsync
from django.dispatch import Signal

from ..addressing.rooms import LocalNamespace, Room, SessionRoom
from ..addressing.target import Target
from ..conf import Settings
from ..exceptions import LimitExceeded
from ..logs import logger
from ..runtime.awaitables import DONE, Drained, Posted, Several
from ..runtime.timers import Wheel
from ..sockets.acks import Outcome, Question
from ..sockets.frames import make_frames
from ..stats import counters
from .remote import RemoteSocket

if TYPE_CHECKING:
    from ..cluster.network import Network
    from ..engineio import Frame
    from ..packets import EncodedPacket
    from ..sockets.client import Client
    from ..stats.recorder import Recorder
    from .consumers import SocketIOConsumer

T = TypeVar("T")

# When the process ends: how long clients may take that are between polling and WebSocket, then the
# last ones to fetch their last packets, and after that the handlers to end, disconnect() among
# them.
UPGRADES_TIMEOUT, LEAVE_TIMEOUT, HANDLERS_TIMEOUT = 5.0, 2.0, 5.0
# How often it is looked at whether the first of these are done.
LOOK = 0.02
# Bytes of randomness in an id, beside those that name the process; the Node server has as many.
ID_BYTES = 15


class Hub:
    """See the module's docstring."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: Settings, serves: bool = True
    ) -> None:
        self.loop = loop
        # False in a process that only sends.
        self.serves = serves
        self.settings = settings
        self.encoder = settings.encoder
        # This process among others; every id that it gives begins with it.
        self.node = secrets.token_urlsafe(6)
        self.network: Network | None = None
        # Writes the statistics, where that is wanted.
        self.recorder: Recorder | None = None
        self.clients: dict[str, Client] = {}
        self.namespaces: dict[str, LocalNamespace] = {}
        self.ack_ids = count()
        # Set once the process is told to end: nobody begins to upgrade; and when it does: no new
        # session is admitted.
        self.leaving = False
        self.closing = False
        # Whether the server will call end() when it has finished with its connections.
        self.awaited = False
        # Then: set when the last client has gone; and the task that says goodbye.
        self._empty = asyncio.Event()
        self._leaving: asyncio.Task[None] | None = None
        # Sessions that have not joined a namespace yet.
        self.pending_sessions = 0
        shortest = min(settings.ping_interval, settings.ping_timeout, settings.connect_timeout)
        self.wheel = Wheel(loop, min(1.0, shortest / 20))
        # Running tasks, and the client for which they run.
        self.tasks: dict[asyncio.Task[Any], Client | None] = {}
        self.thread = get_ident()
        self._threaded: dict[tuple[Callable[..., Any], bool], DatabaseSyncToAsync] = {}

    def new_id(self) -> str:
        """An id for a session or a socket: it names this process, and cannot be guessed."""
        return self.node + secrets.token_urlsafe(ID_BYTES)

    # Threads and tasks

    def here(self) -> bool:
        """Whether the caller runs on this hub's loop."""
        return get_ident() == self.thread and self.loop.is_running()

    def run(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Awaitable[Any]:
        """Call ``function`` on the hub's thread: now, if this is it, else in calling order."""
        if self.here():
            return function(*args)
        return self.post(function, *args)

    def post(self, function: Callable[..., Any], *args: Any) -> Posted:
        """Hand a call over to the hub's thread."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def call() -> None:
            try:
                future.set_result(function(*args))
            except Exception as error:
                # The caller may have gone on, so this is the only place where it is seen.
                logger.exception("a call from another thread failed")
                future.set_exception(error)

        self.loop.call_soon_threadsafe(call)
        return Posted(self.loop, future)

    def block(self, coro: Coroutine[Any, Any, T]) -> T:
        """Wait in this thread, which has no loop, for what ``coro`` finds on the hub's."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result()

    def on_loop(self, coro: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """``coro`` for ``await`` on any loop: it runs on the hub's."""
        if self.here():
            return coro
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coro, self.loop))

    def spawn(
        self, coro: Coroutine[Any, Any, Any], client: Client | None = None
    ) -> asyncio.Task[Any]:
        """Start a task that the hub keeps alive, and whose failure is logged.

        It gets a context of its own: the caller's may be that of a handler that waits for a thread,
        and asgiref would take the task for a part of that handler ("would deadlock").
        """
        task = Context().run(self.loop.create_task, coro)
        self.tasks[task] = client
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task failed", exc_info=task.exception())

    def in_thread(
        self, function: Callable[..., Any], sensitive: bool = False
    ) -> DatabaseSyncToAsync:
        """``function`` for ``await``: it runs in a worker thread, with Django's connections tidied.

        ``sensitive`` runs it where asgiref runs all of a test's database access.
        """
        found = self._threaded.get((function, sensitive))
        if found is None:
            executor = None if sensitive else _worker_threads(self.settings.worker_threads)
            found = DatabaseSyncToAsync(function, thread_sensitive=sensitive, executor=executor)
            if getattr(function, "__self__", None) is None:  # a function of a class or module: kept
                self._threaded[(function, sensitive)] = found
        return found

    # Namespaces

    def join_room(self, socket: SocketIOConsumer, room: Room) -> Awaitable[None] | None:
        """Put a socket into a room; what to await where other processes have to hear of it."""
        first = self._namespace(socket._namespace).join(socket, room)
        if first and self.network is not None and not isinstance(room, SessionRoom):
            return self.network.enter(socket._namespace, room)
        return None

    def leave_room(self, socket: SocketIOConsumer, room: Room) -> None:
        """Take a socket out of a room."""
        last = self._namespace(socket._namespace).leave(socket, room)
        if last and self.network is not None and not isinstance(room, SessionRoom):
            self.network.leave(socket._namespace, room)

    def enter(self, socket: SocketIOConsumer) -> Awaitable[None] | None:
        """A socket is in its namespace; what to await, as for :meth:`join_room`."""
        sockets = self._namespace(socket._namespace).sockets
        sockets[socket.sid] = socket
        socket._counted = counters.sockets.enter(socket._namespace)
        counters.connects.add(socket._counted)
        if len(sockets) == 1 and self.network is not None:
            return self.network.enter(socket._namespace, None)
        return None

    def leave(self, socket: SocketIOConsumer, rooms: Iterable[Room]) -> None:
        """A socket is in its namespace no more, nor in its rooms."""
        for room in rooms:
            self.leave_room(socket, room)
        namespace = self._namespace(socket._namespace)
        found = namespace.sockets.pop(socket.sid, None)
        if found is not None:
            counters.sockets.leave(socket._counted)
        if found is not None and not namespace.sockets and self.network is not None:
            self.network.leave(socket._namespace, None)
        if not namespace.sockets and not namespace.rooms:
            del self.namespaces[namespace.name]

    def _namespace(self, name: str) -> LocalNamespace:
        """The local part of a namespace; it is there while it has sockets."""
        found = self.namespaces.get(name)
        if found is None:
            found = self.namespaces[name] = LocalNamespace(name)
        return found

    def select(self, target: Target) -> list[SocketIOConsumer]:
        """The local sockets of a target."""
        if not target.namespace:
            return [
                socket
                for namespace in list(self.namespaces.values())
                for socket in namespace.select(target.rooms, target.exclude)
            ]
        found = self.namespaces.get(target.namespace)
        return [] if found is None else found.select(target.rooms, target.exclude)

    # What operators do

    def emit(
        self, target: Target, packet: EncodedPacket, compress: bool, volatile: bool
    ) -> Awaitable[Any]:
        """Send a packet, encoded once, to the target's sockets here and elsewhere."""
        written = self.emit_locally(target, packet, compress, volatile)
        if self.network is None or target.local:
            return written
        taken = self.network.emit(target, packet, compress, volatile)
        if taken is None:
            return written
        return taken if written is DONE else Several([written, taken])

    def emit_locally(
        self, target: Target, packet: EncodedPacket, compress: bool, volatile: bool
    ) -> Awaitable[None]:
        """The same, here only."""
        return self.broadcast(self.select(target), make_frames(packet, compress), volatile)

    def act(self, target: Target, action: str, names: list[str]) -> Awaitable[Any]:
        """Make the target's sockets "join" or "leave" the rooms ``names``, "close" (leave the
        namespace) or "disconnect" (end the connection), here and elsewhere."""
        self.act_locally(target, action, names)
        if self.network is None or target.local:
            return DONE
        return self.network.act(target, action, names) or DONE

    def act_locally(self, target: Target, action: str, names: list[str]) -> None:
        """The same, here only. Raises ValueError for an unknown action."""
        if action not in ("join", "leave", "close", "disconnect"):
            raise ValueError(f"unknown action {action!r}")
        for socket in self.select(target):
            try:
                if action == "join":
                    socket._join(list(names))
                elif action == "leave":
                    socket._leave_rooms(list(names))
                else:
                    socket._close(action == "disconnect")
            except LimitExceeded as limit:
                counters.limits.add(str(limit))
                logger.warning("a socket could not join: %s", limit)

    def describe(self, target: Target) -> list[RemoteSocket]:
        """The target's local sockets, as they are now; in connect() a socket finds itself, too."""
        return [RemoteSocket.of(socket) for socket in self.select(target)]

    async def fetch(self, target: Target) -> list[RemoteSocket]:
        """The target's sockets here and elsewhere."""
        found = self.describe(target)
        if self.network is not None and not target.local:
            found += (await self.network.fetch(target))[0]
        return found

    async def ask(
        self, target: Target, packet: EncodedPacket, compress: bool, timeout: float
    ) -> Outcome:
        """Ask the target's clients, with an event that was encoded with the id 0."""
        question = Question(next(self.ack_ids))
        frames = make_frames(packet.with_id(question.ack_id), compress)
        here = question.ask(self.select(target), frames, timeout)
        if self.network is None or target.local:
            return await here
        elsewhere = self.network.ask(
            target, packet.around_id, packet.attachments, compress, timeout
        )
        outcomes = await asyncio.gather(here, elsewhere)
        return outcomes[0] + outcomes[1]

    async def announce(
        self, signal: Signal, sensitive: bool = False, **kwargs: Any
    ) -> list[tuple[Any, Any]]:
        """Send a Django signal; plain receivers run in a worker thread."""
        results: list[tuple[Any, Any]]
        if all(entry[-1] is True for entry in signal.receivers):  # async, each of them
            results = await signal.asend_robust(**kwargs)
            return results
        # asend_robust() would run plain receivers one after the other, for all sockets, in one
        # thread. Django 4.2 takes an async receiver for a plain one, whose result is a coroutine.
        results = await self.in_thread(signal.send_robust, sensitive)(**kwargs)
        return [(receiver, await _outcome(result)) for receiver, result in results]

    def broadcast(
        self, sockets: list[SocketIOConsumer], frames: tuple[Frame, ...], volatile: bool = False
    ) -> Awaitable[None]:
        """Write a packet, encoded once, to many sockets."""
        slow = None
        for socket in sockets:
            if not socket._write(frames, volatile):
                if slow is None:
                    slow = []
                slow.append(socket._client)
        return DONE if slow is None else Drained(slow)

    def forget(self, client: Client) -> bool:
        """A client's session is over. False when that was known."""
        known = self.clients.pop(client.session.sid, None) is not None
        if self.closing and not self.clients:
            self._empty.set()
        return known

    async def end(self) -> None:
        """The process ends: let clients go, tell the other processes."""
        await self.upgraded()
        self.shut_down()
        if self.recorder is not None:
            await self.recorder.ended()
        await self._leave()

    def shut_down(self) -> None:
        """Say goodbye to every client, so that it connects elsewhere at once."""
        if self.closing:
            return
        self.leaving = self.closing = True
        for client in list(self.clients.values()):
            client.close("server shutting down")
        if self.recorder is not None:
            self.recorder.end()
        if self.network is not None:
            self.network.tunnels.release_requests()
        if not self.awaited:
            self._leaving = self.loop.create_task(self._leave())

    @property
    def upgrading(self) -> bool:
        """Whether a client is between polling and WebSocket, one of ours or through our tunnels."""
        return any(client.session.probed for client in list(self.clients.values())) or (
            self.network is not None and self.network.tunnels.upgrading
        )

    async def upgraded(self) -> None:
        """Wait, before connections are closed, for clients between polling and WebSocket.

        A client whose probe was answered polls no more, and does not begin again when it loses its
        WebSocket before it has upgraded: it would notice no sooner than by its ping timeout.
        """
        self.leaving = True
        end = self.loop.time() + UPGRADES_TIMEOUT
        # What is waited for happens in many places, and waiting is rare: so we look now and then.
        while self.upgrading and not self.closing and self.loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    async def _leave(self) -> None:
        """Leave the other processes when the last packets are out and the handlers have ended."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._last_packets(), LEAVE_TIMEOUT)
        handlers = [task for task, client in self.tasks.items() if client is not None]
        if handlers:
            await asyncio.wait(handlers, timeout=HANDLERS_TIMEOUT)
        if self.network is not None:
            await self.network.stop()

    async def _last_packets(self) -> None:
        """Wait until the last clients have gone, here and through our tunnels."""
        if self.clients:
            await self._empty.wait()
        if self.network is not None:
            await self.network.tunnels.wait_until_released()


async def _outcome(result: Any) -> Any:
    """What a receiver returned or raised."""
    try:
        return await result if isinstance(result, Awaitable) else result
    except Exception as error:
        return error


_executor: concurrent.futures.ThreadPoolExecutor | None = None
_executor_lock = Lock()


def _worker_threads(number: int) -> concurrent.futures.ThreadPoolExecutor:
    global _executor
    with _executor_lock:
        if _executor is None or _executor._max_workers != number:
            _executor = concurrent.futures.ThreadPoolExecutor(
                number, thread_name_prefix="django_socketio"
            )
        return _executor


def forget_threads() -> None:
    """A forked process has none of its parent's threads."""
    global _executor
    _executor = None
