"""One event loop: its thread, its tasks, and the worker threads beside it.

What belongs to a loop is touched on the loop's own thread only. Other threads hand their calls over
with :meth:`Runtime.run`, which keeps their order.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from threading import get_ident
from typing import Any, TypeVar

from ..conf import Settings
from .awaitables import Posted
from .log import BurstLog
from .pool import wait
from .threads import WorkerThreads, turn_to_the_loop

T = TypeVar("T")


class Runtime:
    """See the module's docstring. It is made on the loop's own thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: Settings) -> None:
        self.loop = loop
        self.thread = get_ident()
        # Running tasks, and the owner for whom each runs.
        self.tasks: dict[asyncio.Task[Any], object] = {}
        self.log = BurstLog(loop)
        bounds = settings.max_threads_per_client, settings.max_waiting_threads
        self._workers = WorkerThreads("django_socketio", settings.worker_threads, *bounds)
        self._hooks = WorkerThreads("django_socketio_hooks", settings.hook_threads, *bounds)

    # Threads

    def here(self) -> bool:
        """Return whether the caller runs on this loop's thread."""
        return get_ident() == self.thread and self.loop.is_running()

    def run(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Awaitable[Any]:
        """Call ``function`` on the loop's thread: at once on that thread, else in calling order.

        Returns an awaitable: what ``function`` returned is done.
        """
        if self.here():
            return function(*args)
        turn_to_the_loop()
        return self.post(function, *args)

    def post(self, function: Callable[..., Any], *args: Any) -> Posted:
        """Hand a call over to the loop's thread, and return at once. Its exceptions are logged."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def call() -> None:
            try:
                future.set_result(function(*args))
            except Exception as error:
                # The caller may ignore the result, so it is logged here.
                self.log.failure(error, "a call from another thread failed")
                future.set_exception(error)

        self.loop.call_soon_threadsafe(call)
        return Posted(self.loop, future)

    def block(self, coro: Coroutine[Any, Any, T]) -> T:
        """Run ``coro`` on the loop and wait in this thread, which has no loop, for its result.

        Another function may run in place of the one that waits. Raises TooManyWaiting when too many
        worker threads wait, and this one has waited longest.
        """
        turn_to_the_loop()
        result: T = wait(asyncio.run_coroutine_threadsafe(coro, self.loop))
        return result

    def on_loop(self, coro: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Return an awaitable for any loop's code: ``coro`` runs on this loop."""
        if self.here():
            return coro
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coro, self.loop))

    def in_thread(
        self,
        function: Callable[..., Any],
        *args: Any,
        owner: object = None,
        sensitive: bool = False,
        hook: bool = False,
    ) -> Awaitable[Any]:
        """Call ``function`` in a worker thread. Await the result for what it returns.

        The threads are shared fairly among owners, each of which has a few at most; None is this
        process. A ``hook`` has threads that event handlers never take. Old database connections are
        closed before and after, as Django does for a request. ``sensitive`` calls the function in
        asgiref's one thread, where a test's transaction is.

        An exception that would end the loop, such as SystemExit, becomes a RuntimeError.
        """
        threads = self._hooks if hook else self._workers
        return threads.call(function, *args, owner=owner, sensitive=sensitive)

    # Tasks

    def spawn(self, coro: Coroutine[Any, Any, Any], owner: object = None) -> asyncio.Task[Any]:
        """Start a task for ``owner``, and keep a reference to it. Its exception is logged.

        The task gets an empty context. In the context of a handler that waits for a thread, asgiref
        would take the task for a part of that handler, and raise "would deadlock".
        """
        task = Context().run(self.loop.create_task, coro)
        self.tasks[task] = owner
        task.add_done_callback(self._finished)
        return task

    def tasks_of(self, owner: object) -> list[asyncio.Task[Any]]:
        """Return the tasks that run for ``owner``."""
        return [task for task, whose in self.tasks.items() if whose is owner]

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.log.failure(error, "a task failed")
