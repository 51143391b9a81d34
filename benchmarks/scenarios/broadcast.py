"""One member of a room sends, 1000 receive; the next message follows when all have got the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from time import perf_counter

from benchmarks.load.streams import Crowd
from benchmarks.scenarios.base import Load, Metric, Scenario, Work, in_parallel
from benchmarks.serving import Target

MEMBERS, AT_ONCE = 1000, 20
DEADLINE = 30.0  # seconds that a broadcast may take
TEXT = "x" * 64


class BroadcastLoad:
    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self._crowd = crowd
        self._request = request

    async def run(self, seconds: float) -> Work:
        work = Work()
        self._crowd.latencies = work.latencies
        until = perf_counter() + seconds
        while perf_counter() < until:
            await asyncio.wait_for(self._crowd.broadcast(self._request), DEADLINE)
            work.units += len(self._crowd.members)
        return work


class Broadcast(Scenario):
    name = "broadcast"
    needs = frozenset({"rooms"})
    metric = Metric("broadcast", "broadcast to 1000 members", "µs per delivery")

    @asynccontextmanager
    async def load(self, target: Target) -> AsyncIterator[Load]:
        dialect = target.server.dialect
        exchange = dialect.broadcast(TEXT)
        crowd = Crowd(exchange.answer_bytes())
        ports = cycle(target.ports)

        async def enter() -> None:
            socket = await dialect.connect(next(ports))
            await dialect.join().probe(socket)
            crowd.add(socket)

        try:
            await in_parallel(MEMBERS, AT_ONCE, enter)
            yield BroadcastLoad(crowd, exchange.request_bytes())
        finally:
            crowd.close()
