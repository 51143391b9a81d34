"""The rows that a process writes about itself to the database."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.db import connections, router
from django.utils.timezone import now

from ..version import __version__
from .identity import HOST, STARTED
from .minutes import current_minute
from .shapes import Sample, StoredCounters


def save(
    node: str,
    counted: StoredCounters,
    interval: float,
    sample: Sample | None,
    ended: bool,
    retention: tuple[float, float] | None,
) -> None:
    """Write a process's row, and the sample of a minute; clear away what is too old.

    ``interval`` is the time until the next write. ``retention`` is how long samples and how long
    processes are kept; with None nothing is cleared away. All are in seconds. Does nothing in a
    project without a database.
    """
    # This module is imported before Django has loaded the apps, and so the models.
    from ..models import ServerProcess, TrafficSample

    if connections[router.db_for_write(ServerProcess)].vendor == "unknown":
        return
    written = now()
    values = {
        "last_seen": written,
        "ended": written if ended else None,
        "interval": interval,
        "counters": counted,
    }
    if not ServerProcess.objects.filter(node=node).update(**values):
        ServerProcess.objects.create(
            node=node, host=HOST, pid=os.getpid(), version=__version__, started=STARTED, **values
        )
    if sample is not None:
        TrafficSample.objects.create(node=node, **sample)
    if retention is not None:
        samples, processes = retention
        oldest = current_minute() - int(samples // 60)
        TrafficSample.objects.filter(minute__lt=oldest).delete()
        long_ago = written - timedelta(seconds=processes)
        ServerProcess.objects.filter(last_seen__lt=long_ago).delete()


async def run_in_own_thread(function: Callable[[], None]) -> None:
    """Call ``function``, which uses the database, in a thread of its own. Raises what it raises.

    A database that never answers holds up nobody: the thread is none of those that handlers share,
    and the process can end without it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if done.done():
            return  # nobody waits any more
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failed: BaseException | None = None
        try:
            function()
        except BaseException as error:
            failed = error
        finally:
            connections.close_all()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, failed)

    threading.Thread(target=run, name="django_socketio statistics", daemon=True).start()
    await done
