"""The rows that a process writes about itself to the database."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DataError, connections, router, transaction
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV
from django.utils.timezone import now

from ..logs import printable, safe
from ..version import __version__
from .identity import HOST, STARTED
from .minutes import current_minute
from .shapes import Sample, StoredCounters

T = TypeVar("T")


def save(
    node: str,
    counted: StoredCounters,
    interval: float,
    sample: Sample | None,
    ended: bool,
    retention: tuple[float, float] | None,
) -> str:
    """Write a process's row, and the sample of a minute; clear away what is too old.

    ``interval`` is the time until the next write. ``retention`` is how long samples and how long
    processes are kept; with None nothing is cleared away. All are in seconds. Does nothing in a
    project without a database.

    Returns why the counters could not be stored, "" where they were. The rest is written in any
    case: what one client has named must not hide the process.
    """
    # This module is imported before Django has loaded the apps, and so the models.
    from ..models import ServerProcess, TrafficSample

    database = router.db_for_write(ServerProcess)
    if connections[database].vendor == "unknown":
        return ""
    wrong = ""
    written = now()
    values = {
        "last_seen": written,
        "ended": written if ended else None,
        "interval": interval,
    }

    def together() -> AbstractContextManager[Any]:
        # All or nothing: what fails is written again, and a sample must not count twice.
        alone = sample is None and retention is None
        return nullcontext() if alone else transaction.atomic(using=database)

    with together():
        try:
            with together():
                _write_process(ServerProcess, node, {**values, "counters": _storable(counted)})
        except (DataError, TypeError, ValueError) as error:
            wrong = f"{type(error).__name__}: {safe(error)}"
            _write_process(ServerProcess, node, values)
        if sample is not None:
            TrafficSample.objects.create(node=node, **sample)
        if retention is not None:
            _end_replaced(ServerProcess, written)
            samples, processes = retention
            oldest = current_minute() - int(samples // 60)
            TrafficSample.objects.filter(minute__lt=oldest).delete()
            long_ago = written - timedelta(seconds=processes)
            ServerProcess.objects.filter(last_seen__lt=long_ago).delete()
    return wrong


def _write_process(model: Any, node: str, values: dict[str, Any]) -> None:
    if not model.objects.filter(node=node).update(**values):
        model.objects.create(
            node=node, host=HOST, pid=os.getpid(), version=__version__, started=STARTED, **values
        )


def _end_replaced(model: Any, written: datetime) -> None:
    """Write that the processes that this one replaces have ended, where runserver reloads.

    It ends them without a word, and nobody should take them for dead.
    """
    if os.environ.get(DJANGO_AUTORELOAD_ENV) != "true" or os.name != "posix":
        return
    for row in model.objects.filter(host=HOST, ended=None).exclude(pid=os.getpid()):
        try:
            os.kill(row.pid, 0)
        except ProcessLookupError:
            model.objects.filter(pk=row.pk, ended=None).update(ended=written)
        except OSError:
            pass  # it lives, and is somebody else's


def _storable(value: Any) -> Any:
    """Return plain values without text that a database does not take, such as NUL.

    Clients name dynamic namespaces, and projects' reasons may hold what a client has sent.
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


async def run_in_own_thread(function: Callable[[], T]) -> T:
    """Call ``function``, which uses the database, in a thread of its own.

    Returns what it returns, and raises what it raises.

    A database that never answers holds up nobody: the thread is none of those that handlers share,
    and the process can end without it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[Any], None], outcome: Any) -> None:
        if not done.done():  # else nobody waits any more
            settle(outcome)

    def run() -> None:
        settle: Callable[[Any], None] = done.set_result
        outcome: Any
        try:
            outcome = function()
        except BaseException as error:
            settle, outcome = done.set_exception, error
        finally:
            connections.close_all()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, settle, outcome)

    threading.Thread(target=run, name="django_socketio statistics", daemon=True).start()
    return await done
