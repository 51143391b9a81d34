"""One event loop: its thread, its tasks, and the worker threads beside it.

What lives on a loop is touched on the loop's own thread only. Other threads hand their wishes over
with :meth:`Runtime.run`, which keeps the order in which they were made.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from threading import get_ident
from typing import Any, TypeVar

from ..logs import logger
from .awaitables import Posted
from .threads import WorkerThreads

T = TypeVar("T")


class Runtime:
    """See the module's docstring. It is made on the loop's own thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, worker_threads: int) -> None:
        self.loop = loop
        self.thread = get_ident()
        # Running tasks, and for whom they run.
        self.tasks: dict[asyncio.Task[Any], object] = {}
        self._workers = WorkerThreads(worker_threads)

    # Threads

    def here(self) -> bool:
        """Whether the caller runs on this loop."""
        return get_ident() == self.thread and self.loop.is_running()

    def run(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Awaitable[Any]:
        """Call ``function`` on the loop's thread: now, if this is it, else in calling order."""
        if self.here():
            return function(*args)
        return self.post(function, *args)

    def post(self, function: Callable[..., Any], *args: Any) -> Posted:
        """Hand a call over to the loop's thread."""
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
        """Wait in this thread, which has no loop, for what ``coro`` finds on the loop."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop).result()

    def on_loop(self, coro: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Return ``coro`` for ``await`` on any loop: it runs on this one."""
        if self.here():
            return coro
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coro, self.loop))

    def in_thread(
        self, function: Callable[..., Any], *args: Any, sensitive: bool = False
    ) -> Awaitable[Any]:
        """Call ``function`` in a worker thread, with Django's database connections looked after.

        ``sensitive`` calls it where asgiref runs all of a test's database access.
        """
        return self._workers.call(function, *args, sensitive=sensitive)

    # Tasks

    def spawn(self, coro: Coroutine[Any, Any, Any], owner: object = None) -> asyncio.Task[Any]:
        """Start a task that is kept alive, for ``owner``; its failure is logged.

        It gets a context of its own: the caller's may be that of a handler that waits for a thread,
        and asgiref would take the task for a part of that handler ("would deadlock").
        """
        task = Context().run(self.loop.create_task, coro)
        self.tasks[task] = owner
        task.add_done_callback(self._finished)
        return task

    def tasks_of(self, owner: object) -> list[asyncio.Task[Any]]:
        """The tasks that run for ``owner``."""
        return [task for task, whose in self.tasks.items() if whose is owner]

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task failed", exc_info=task.exception())
