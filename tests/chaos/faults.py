"""What goes wrong: the way to Redis is cut, Redis forgets everything, processes stand still."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress

from tests.chaos.wire import Wire
from tests.harness.redis import Redis
from tests.harness.servers import Server

# Seconds for which a process stands still, less than HEARTBEAT_TIMEOUT (4); for which Redis is
# away; and between two faults.
PAUSE = 0.2, 3.0
AWAY = 0.0, 3.0
BETWEEN = 0.5, 3.0


class Faults:
    """Does one thing after the other, as ``chance`` will have it. ``done`` counts them."""

    def __init__(
        self, redis: Redis, wire: Wire, workers: list[Server], layer: str, chance: random.Random
    ) -> None:
        self.done: Counter[str] = Counter()
        self._redis = redis
        self._wire = wire
        self._workers = workers
        self._chance = chance
        self._stopped = asyncio.Event()
        self._all = [self.cut, self.cut_all, self.pause, self.restart]
        self._all.append(self.kill_subscribers if layer == "pubsub" else self.flush)

    async def run(self) -> None:
        """Go on until :meth:`stop`. Everything works again when a fault is over."""
        while not self._stopped.is_set():
            fault = self._chance.choice(self._all)
            self.done[fault.__name__] += 1
            await fault()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._chance.uniform(*BETWEEN))

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    async def cut(self) -> None:
        """Cut some connections to Redis."""
        self._wire.cut(0.3, self._chance)

    async def cut_all(self) -> None:
        """Cut all of them."""
        self._wire.cut(1.0, self._chance)

    async def kill_subscribers(self) -> None:
        """Redis closes the connections on which processes receive."""
        await asyncio.to_thread(self._redis.client.client_kill_filter, _type="pubsub")

    async def flush(self) -> None:
        """Redis forgets groups, and messages that wait."""
        await asyncio.to_thread(self._redis.client.flushall)

    async def pause(self) -> None:
        """A process stands still."""
        pid = self._chance.choice(self._workers).process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self._chance.uniform(*PAUSE))
        finally:
            os.kill(pid, signal.SIGCONT)

    async def restart(self) -> None:
        """Redis ends, and starts again with empty memory."""
        await asyncio.to_thread(self._redis.stop)
        await asyncio.sleep(self._chance.uniform(*AWAY))
        await asyncio.to_thread(self._redis.start)
