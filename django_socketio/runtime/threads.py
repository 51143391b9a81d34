"""The worker threads of a process, in which plain functions run that may use the ORM."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from channels.db import DatabaseSyncToAsync

# How many threads the pool has, and the pool.
_executor: tuple[int, ThreadPoolExecutor] | None = None
_lock = Lock()


class WorkerThreads:
    """At most ``number`` threads, shared by all loops of the process."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._sensitive = DatabaseSyncToAsync(_call, thread_sensitive=True)
        # Made with the first call: a process that will fork should have no threads before.
        self._own: DatabaseSyncToAsync | None = None

    def call(
        self, function: Callable[..., Any], *args: Any, sensitive: bool = False
    ) -> Awaitable[Any]:
        """Call ``function`` in a worker thread; see :meth:`.Runtime.in_thread`."""
        if sensitive:
            return _awaitable(self._sensitive(function, *args))
        if self._own is None:
            self._own = DatabaseSyncToAsync(
                _call, thread_sensitive=False, executor=_shared_executor(self._number)
            )
        return _awaitable(self._own(function, *args))


def _awaitable(called: Any) -> Awaitable[Any]:
    result: Awaitable[Any] = called  # asgiref's own types say less
    return result


def _call(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except StopIteration as error:
        # A future cannot hold StopIteration, so the caller would wait for ever.
        raise RuntimeError("a function that ran in a thread raised StopIteration") from error


def _shared_executor(number: int) -> ThreadPoolExecutor:
    global _executor
    with _lock:
        if _executor is None or _executor[0] != number:
            _executor = number, ThreadPoolExecutor(number, thread_name_prefix="django_socketio")
        return _executor[1]


def forget_threads() -> None:
    """Forget the threads, in a forked process, which has none of its parent's."""
    global _executor
    _executor = None
