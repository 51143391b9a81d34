"""A process's own record: its loop's lag, its last minutes, and its rows in the database.

One task per process. What it writes every ``STATS_INTERVAL`` is one row of its own, and one more a
minute, whatever the number of sockets. A database that is down costs a line in the log.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from django.core import mail
from django.db import connections, router
from django.utils.timezone import now as utc_now

from .. import __version__, process
from ..logs import logger, safe
from . import counters
from .reports import HOST, STARTED, count_all

if TYPE_CHECKING:
    from ..server.hub import Hub

# Seconds between two looks at the clock, and between two entries of the last minutes.
TICK = 1.0
STEP = 5
# Entries that are kept: ten minutes.
KEPT = 120
# How often a process clears away what is older than it should be, in seconds.
THIN_EVERY = 3600
# How long a write may take before the log says so, and the last one may hold up the process's end.
SLOW = 5.0
END_TIMEOUT = 2.0

SUMS = ("packets_in", "packets_out", "bytes_in", "bytes_out", "events_in", "events_out")


class Recorder:
    """See the module's docstring."""

    def __init__(self, hub: Hub, interval: float) -> None:
        self._hub = hub
        self._interval = interval
        # [seconds since 1970, sockets, events in, events out since the last entry]
        self.recent: deque[list[int]] = deque(maxlen=KEPT)
        self._before = (0, 0)
        self._minute = _minute()
        self._sums = dict.fromkeys((*SUMS, "connects", "errors", "lost"), 0)
        self._sockets = 0
        self._sessions = 0
        self._lag = 0.0
        self._thinned = 0.0
        self._writing: asyncio.Task[Any] | None = None
        self._down = False
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self) -> None:
        """Begin to record."""
        self._tasks.append(self._hub.runtime.spawn(self._run()))

    def end(self) -> None:
        """The process ends in an orderly way: say so in its row, and write no more."""
        for task in self._tasks:
            task.cancel()
        self._tasks = [self._hub.runtime.spawn(self._last_write())]

    async def ended(self) -> None:
        """Wait until that is written, unless it takes too long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_TIMEOUT)

    async def _run(self) -> None:
        """Look at the clock every second; record and write when it is time."""
        loop = self._hub.runtime.loop
        recorded = written = loop.time()
        while True:
            asleep = loop.time()
            await asyncio.sleep(TICK)
            now = loop.time()
            counters.lag.add(now - asleep - TICK)
            if now - recorded >= STEP:
                recorded = now
                self._record()
            if self._writing is not None and not self._writing.done():
                if now - written >= max(SLOW, self._interval):
                    self._is_down("the database does not answer")
            elif now - written >= self._interval:
                written = now
                self._writing = self._hub.runtime.spawn(self._write())

    def recent_since(self, since: int) -> list[list[int]]:
        """The entries of the last minutes after a time."""
        return [entry for entry in self.recent if entry[0] > since]

    def _record(self) -> None:
        traffic = count_all(self._hub)["traffic"]
        events = traffic["events_in"], traffic["events_out"]
        self.recent.append(
            [
                int(time.time()) // STEP * STEP,
                counters.sockets.total,
                events[0] - self._before[0],
                max(0, events[1] - self._before[1]),
            ]
        )
        self._before = events
        self._sockets = max(self._sockets, counters.sockets.total)
        self._sessions = max(self._sessions, counters.sessions.total)

    async def _write(self, ended: bool = False) -> None:
        counted = count_all(self._hub)
        minute = _minute()
        sample = self._sample(counted) if minute != self._minute or ended else None
        now = self._hub.runtime.loop.time()
        retention = None
        if not self._thinned or now - self._thinned > THIN_EVERY:
            settings = self._hub.settings
            retention = settings.stats_retention, settings.stats_process_retention
        health = {"layer_up": self._hub.others.layer_up}
        try:
            await _in_thread(
                lambda: save(
                    self._hub.node, {**counted, **health}, self._interval, sample, ended, retention
                )
            )
        except Exception as error:
            self._is_down(f"has migrate been run? {type(error).__name__}: {safe(error)}")
            return
        if self._down:
            self._down = False
            logger.warning("the statistics can be written again")
        if sample is not None:
            self._minute = minute
            self._sums = self._now(counted)
            self._sockets, self._sessions = counters.sockets.total, counters.sessions.total
            counters.lag.take()
        if retention is not None:
            self._thinned = now

    def _is_down(self, why: str) -> None:
        """One line in the log until it is up again."""
        if not self._down:
            self._down = True
            logger.error("the statistics cannot be written: %s", why)

    async def _last_write(self) -> None:
        if self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])
        await self._write(ended=True)

    def _now(self, counted: dict[str, Any]) -> dict[str, int]:
        return {
            **{name: counted["traffic"][name] for name in SUMS},
            "connects": sum(counted["connects"].values()),
            "errors": sum(counted["handler_errors"].values()),
            "lost": counted["layer"].get("lost", 0) + counted["layer"].get("dropped", 0),
        }

    def _sample(self, counted: dict[str, Any]) -> dict[str, Any]:
        now = self._now(counted)
        return {
            "minute": self._minute,
            "sockets": max(self._sockets, counters.sockets.total),
            "sessions": max(self._sessions, counters.sessions.total),
            "lag": counters.lag.recent,
            **{name: max(0, now[name] - before) for name, before in self._sums.items()},
        }


async def _in_thread(function: Callable[[], None]) -> None:
    """Run it in a thread of its own, which holds up nobody where the database never answers.

    It takes none of the threads that handlers share, and the process can end without it.
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


def save(
    node: str,
    counted: dict[str, Any],
    interval: float,
    sample: dict[str, Any] | None,
    ended: bool,
    retention: tuple[float, float] | None,
) -> None:
    """Write a process's row and a minute's sample; clear away what is too old."""
    from ..models import ServerProcess, TrafficSample

    if connections[router.db_for_write(ServerProcess)].vendor == "unknown":
        return  # a project without a database
    now = utc_now()
    values = {
        "last_seen": now,
        "ended": now if ended else None,
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
        oldest = _minute() - int(retention[0] // 60)
        TrafficSample.objects.filter(minute__lt=oldest).delete()
        long_ago = datetime.fromtimestamp(now.timestamp() - retention[1], timezone.utc)
        ServerProcess.objects.filter(last_seen__lt=long_ago).delete()


def _minute() -> int:
    """Minutes since 1970."""
    return int(time.time()) // 60


def start_recorder(hub: Hub) -> Recorder | None:
    """Record a process that serves, unless ``STATS_INTERVAL`` says not to, or it is a test."""
    interval = hub.settings.stats_interval
    if not interval or not process.serving or hasattr(mail, "outbox"):
        return None
    recorder = Recorder(hub, interval)
    recorder.start()
    return recorder
