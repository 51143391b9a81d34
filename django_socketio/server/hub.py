"""What one event loop of this process serves: its clients and namespaces, its timers and threads.

A server process has one event loop, so one hub; tests and odd programs may have several. All state
of a hub is touched on its own thread only: other threads hand their wishes over with
:meth:`Hub.run`, which keeps the order in which they were made.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from itertools import count
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from channels.db import DatabaseSyncToAsync
from django.core.exceptions import SynchronousOnlyOperation

from ..conf import Settings, get_settings
from ..logs import logger
from .rooms import LocalNamespace, Room
from .timers import Wheel

if TYPE_CHECKING:
    from ..engineio import Frame
    from .client import Client
    from .consumers import SocketIOConsumer

T = TypeVar("T")


class Done:
    """An awaitable for what is finished already."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


DONE = Done()


class Drained:
    """An awaitable: the write buffers of ``clients`` are below their low-water mark."""

    __slots__ = ("_clients",)

    def __init__(self, clients: list[Client]) -> None:
        self._clients = clients

    def __await__(self) -> Generator[Any, Any, None]:
        for client in self._clients:
            yield from client.drained().__await__()


class Posted:
    """An awaitable for something handed to the thread of a hub."""

    __slots__ = ("_future", "_hub")

    def __init__(self, hub: Hub, future: concurrent.futures.Future[Any]) -> None:
        self._hub = hub
        self._future = future

    def result(self) -> Any:
        """Wait, in a thread without a loop, for what the function returned."""
        return self._future.result()

    def __await__(self) -> Generator[Any, Any, None]:
        handed_over = yield from asyncio.wrap_future(self._future).__await__()
        if isinstance(handed_over, Drained):
            rest = asyncio.run_coroutine_threadsafe(_wait(handed_over), self._hub.loop)
            yield from asyncio.wrap_future(rest).__await__()


async def _wait(awaitable: Awaitable[Any]) -> None:
    await awaitable


class Hub:
    """See the module's docstring."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: Settings) -> None:
        self.loop = loop
        self.settings = settings
        self.clients: dict[str, Client] = {}
        self.namespaces: dict[str, LocalNamespace] = {}
        self.ack_ids = count()
        # Sessions that have not joined a namespace yet.
        self.pending_sessions = 0
        shortest = min(settings.ping_interval, settings.ping_timeout, settings.connect_timeout)
        self.wheel = Wheel(loop, min(1.0, shortest / 20))
        # Running tasks, and the client for which they run.
        self.tasks: dict[asyncio.Task[Any], Client | None] = {}
        self._thread = get_ident()
        self._threaded: dict[tuple[Callable[..., Any], bool], DatabaseSyncToAsync] = {}

    # Threads and tasks

    def here(self) -> bool:
        """Whether the caller runs on this hub's loop."""
        return get_ident() == self._thread and self.loop.is_running()

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
        return Posted(self, future)

    def block(self, coro: Coroutine[Any, Any, T]) -> T:
        """Wait in this thread, which has no loop, for what ``coro`` finds on the hub's."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result()

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

    def namespace(self, name: str) -> LocalNamespace:
        """The namespace's local part, made when it is first asked for."""
        found = self.namespaces.get(name)
        if found is None:
            found = self.namespaces[name] = LocalNamespace(name)
        return found

    def forget_namespace(self, namespace: LocalNamespace) -> None:
        """Let go of a namespace that has no sockets any more."""
        if not namespace.sockets and not namespace.rooms:
            self.namespaces.pop(namespace.name, None)

    def select(
        self, namespace: str, rooms: tuple[Room, ...], exclude: tuple[Room, ...]
    ) -> list[SocketIOConsumer]:
        """The local sockets that an operator addresses."""
        found = self.namespaces.get(namespace)
        return [] if found is None else found.select(rooms, exclude)

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

    def everywhere(self, room: Room) -> list[SocketIOConsumer]:
        """The members of a room in all namespaces."""
        return [
            socket
            for namespace in list(self.namespaces.values())
            for socket in namespace.select((room,), ())
        ]

    def shut_down(self) -> None:
        """Say goodbye to every client, so that it connects elsewhere at once."""
        for client in list(self.clients.values()):
            client.close("server shutting down")


_hubs: list[Hub] = []
_lock = Lock()
_executor: concurrent.futures.ThreadPoolExecutor | None = None


def _worker_threads(number: int) -> concurrent.futures.ThreadPoolExecutor:
    global _executor
    with _lock:
        if _executor is None or _executor._max_workers != number:
            _executor = concurrent.futures.ThreadPoolExecutor(
                number, thread_name_prefix="django_socketio"
            )
        return _executor


def current_hub() -> Hub:
    """The hub of the running loop, made when it is first asked for."""
    loop = asyncio.get_running_loop()
    for hub in _hubs:
        if hub.loop is loop:
            return hub
    hub = Hub(loop, get_settings())
    with _lock:
        _hubs[:] = [old for old in _hubs if not old.loop.is_closed()] + [hub]
    return hub


def all_hubs() -> list[Hub]:
    """The hubs of this process, one in a server process, none elsewhere."""
    return [hub for hub in _hubs if not hub.loop.is_closed()]


def on_all_hubs(function: Callable[[Hub], Awaitable[Any]]) -> Awaitable[Any]:
    """Call ``function(hub)`` on each hub's own thread; await the result to wait for all of them."""
    hubs = all_hubs()
    if len(hubs) == 1:
        return hubs[0].run(function, hubs[0])
    return Several([hub.run(function, hub) for hub in hubs])


class Several:
    """An awaitable for several awaitables."""

    __slots__ = ("_parts",)

    def __init__(self, parts: list[Awaitable[Any]]) -> None:
        self._parts = parts

    def __await__(self) -> Generator[Any, Any, None]:
        for part in self._parts:
            yield from part.__await__()


def must_not_block(name: str) -> None:
    """Raise SynchronousOnlyOperation on a loop's thread; ``name`` is the call to use there."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SynchronousOnlyOperation(
        f"You cannot call this from an async context - await {name}() instead."
    )


def block(start: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Wait in this thread, which has no loop, for a coroutine.

    It runs on the hub of this process; where there is none, nobody is there to be asked, and it
    ends at once on a loop of its own.
    """
    hubs = all_hubs()
    return hubs[0].block(start()) if hubs else asyncio.run(start())


async def on_each_hub(ask: Callable[[Hub], Coroutine[Any, Any, T]]) -> list[T]:
    """Await ``ask(hub)`` on each hub; what they found, in a list."""
    return list(
        await asyncio.gather(
            *(
                ask(hub)
                if hub.here()
                else asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(hub), hub.loop))
                for hub in all_hubs()
            )
        )
    )
