"""The worker threads of a process, in which plain functions run that may use the ORM."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

from channels.db import DatabaseSyncToAsync
from django.db import close_old_connections

from .pool import Pool

# The pools of this process, by their names and sizes; all loops share them.
_pools: dict[tuple[str, int, int, int], Pool] = {}
_lock = threading.Lock()
# What the current thread does before it turns to a loop, as ``act``.
_here = threading.local()


class WorkerThreads:
    """A pool of threads as one loop sees it; for the numbers see :class:`.pool.Pool`."""

    def __init__(self, name: str, size: int, share: int, max_waiting: int) -> None:
        self._key = name, size, share, max_waiting
        self._sensitive = DatabaseSyncToAsync(_call, thread_sensitive=True)
        # Made with the first call: a process that will fork should have no threads before.
        self._executor: _Executor | None = None
        self._own: DatabaseSyncToAsync | None = None

    async def call(
        self,
        function: Callable[..., Any],
        *args: Any,
        owner: object = None,
        sensitive: bool = False,
    ) -> Any:
        """Call ``function`` in a worker thread; see :meth:`.Runtime.in_thread`."""
        if sensitive:
            return await self._sensitive(function, *args)
        executor = self._executor
        if executor is None or self._own is None:
            executor = self._executor = _Executor(_shared_pool(self._key))
            self._own = DatabaseSyncToAsync(_call, thread_sensitive=False, executor=executor)
        # Nothing else runs on this loop until asgiref has called submit().
        executor.owner = owner
        return await self._own(function, *args)


class _Executor:
    """What asgiref hands its calls to; ``owner`` is whose the next one is."""

    __slots__ = ("_pool", "owner")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.owner: object = None

    def submit(self, function: Callable[[], Any]) -> concurrent.futures.Future[Any]:
        return self._pool.submit(function, self.owner)


def _call(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except BaseException as error:
        ordinary = isinstance(error, (Exception, asyncio.CancelledError))
        if ordinary and not isinstance(error, StopIteration):
            raise
        # A future cannot hold StopIteration, so the caller would wait for ever. SystemExit would
        # end the loop, and with it the server.
        name = type(error).__name__
        raise RuntimeError(f"a function that ran in a thread raised {name}") from error


def call_next(function: Callable[..., Any], *args: Any) -> Any:
    """Call a further function in this thread, in place of a visit of its own.

    Old database connections are closed before it, and SystemExit is as harmless as in
    :meth:`WorkerThreads.call`.
    """
    close_old_connections()
    return _call(function, *args)


def before_turning_to_the_loop(act: Callable[[], None] | None) -> None:
    """Have this thread call ``act`` before it hands anything but a small packet to a loop."""
    _here.act = act


def turn_to_the_loop() -> None:
    """Call what :func:`before_turning_to_the_loop` was given in this thread, if anything."""
    act = getattr(_here, "act", None)
    if act is not None:
        act()


def _shared_pool(key: tuple[str, int, int, int]) -> Pool:
    with _lock:
        if not _pools:
            atexit.register(_end_threads)
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = Pool(*key)
        return pool


def _end_threads() -> None:
    """Let the jobs end: the process ends."""
    for pool in list(_pools.values()):
        pool.end()


def forget_threads() -> None:
    """Forget the threads, in a forked process, which has none of its parent's."""
    global _lock
    _pools.clear()
    _lock = threading.Lock()
