"""The task that records a process: its loop's lag, its last minutes, its rows in the database.

Every ``STATS_INTERVAL`` it writes one row, and one more each minute, whatever the number of
sockets. A database that is down costs one line in the log.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from django.core import mail

from .. import process
from ..logs import logger, safe
from . import counters
from .minutes import STEP, CurrentMinute, LastMinutes, current_minute
from .reports import count_all
from .rows import run_in_own_thread, save
from .shapes import Counters, StoredCounters, complete

if TYPE_CHECKING:
    from ..server.hub import Hub

# Seconds between two looks at the clock.
TICK = 1.0
# Seconds between two times that a process deletes old rows.
THIN_EVERY = 3600
# Seconds that a write may take before the log says so.
SLOW = 5.0
# Seconds that the last write may hold up the process's end.
END_TIMEOUT = 2.0


class Recorder:
    """Records the process of a hub. ``interval`` is the time between two writes in seconds."""

    def __init__(self, hub: Hub, interval: float) -> None:
        self.recent = LastMinutes()
        self._hub = hub
        self._interval = interval
        self._minute = CurrentMinute(current_minute(), complete(Counters, {}))
        # When old rows were last cleared away, by the loop's clock.
        self._thinned: float | None = None
        self._writing: asyncio.Task[Any] | None = None
        self._down = False
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self) -> None:
        """Begin to record."""
        self._tasks.append(self._hub.runtime.spawn(self._run()))

    def recent_since(self, since: int) -> list[list[int]]:
        """Return the entries of the last minutes after a time, in seconds since 1970."""
        return self.recent.since(since)

    def end(self) -> None:
        """Stop recording, and begin to write that the process has ended in an orderly way."""
        for task in self._tasks:
            task.cancel()
        self._tasks = [self._hub.runtime.spawn(self._last_write())]

    async def ended(self) -> None:
        """Wait until that is written, for two seconds at most."""
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

    def _record(self) -> None:
        try:
            counted = count_all(self._hub)
            self.recent.add(time.time(), counted)
            self._minute.note(counted)
        except Exception as error:
            # The recorder lives on: the next time may be better.
            self._hub.runtime.log.failure(error, "the statistics could not be counted")

    async def _write(self, ended: bool = False) -> None:
        """Write this process's row, a sample if a minute has passed, and clear away old rows."""
        hub = self._hub
        counted = count_all(hub)
        stored: StoredCounters = {**counted, "layer_up": hub.others.layer_up}
        minute = current_minute()
        sample = None
        if minute != self._minute.minute or ended:
            sample = self._minute.sample(counted, counters.lag.recent)
        now = hub.runtime.loop.time()
        retention = None
        if self._thinned is None or now - self._thinned > THIN_EVERY:
            retention = hub.settings.stats_retention, hub.settings.stats_process_retention
        try:
            wrong = await run_in_own_thread(
                lambda: save(hub.node, stored, self._interval, sample, ended, retention)
            )
        except Exception as error:
            # The minute goes on: what could not be written is in the next sample.
            self._is_down(f"has migrate been run? {type(error).__name__}: {safe(error)}")
            return
        if wrong:
            self._is_down(f"the counters of this process are left out: {wrong}")
        elif self._down:
            self._down = False
            logger.warning("the statistics can be written again")
        if sample is not None:
            self._minute = CurrentMinute(minute, counted)
            counters.lag.take()
        if retention is not None:
            self._thinned = now

    def _is_down(self, why: str) -> None:
        """Write one line to the log, and no more until the database is up again."""
        if not self._down:
            self._down = True
            logger.error("the statistics cannot be written: %s", why)

    async def _last_write(self) -> None:
        if self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])
        await self._write(ended=True)


def start_recorder(hub: Hub) -> Recorder | None:
    """Record a process that serves, unless ``STATS_INTERVAL`` says not to, or it is a test."""
    interval = hub.settings.stats_interval
    if not interval or not process.serving or hasattr(mail, "outbox"):
        return None
    recorder = Recorder(hub, interval)
    recorder.start()
    return recorder
