"""Connections that do nothing: what they hold, and what their heartbeats cost."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any

from benchmarks.load.idle import Heartbeats, Idle
from benchmarks.measure import Usage, memory
from benchmarks.scenarios.base import Metric, Pace, Sample, Scenario, in_parallel
from benchmarks.servers import Options
from benchmarks.serving import Target

WARM_UP, AT_ONCE = 50, 50
# Seconds. The protocol's default is 25: the same heartbeats, but sooner.
PING_INTERVAL = 5.0


class Idleness(Scenario):
    name = "idle"
    fresh = True
    rounds = 1
    memory = Metric("memory", "memory per idle connection", "KiB per connection", 1 / 1024)
    heartbeat = Metric("heartbeat", "idle CPU", "µs per connection and ping interval")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.memory, self.heartbeat)

    def options(self, options: Options) -> Options:
        return replace(options, ping_interval=PING_INTERVAL)

    def load(self, target: Target) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    async def measure(self, target: Target, load: Any, pace: Pace) -> list[Sample]:
        heartbeats = Heartbeats()
        for client in await self._connect(target, WARM_UP, heartbeats):
            client.close()
        await asyncio.sleep(1.0)
        empty = sum(map(memory, target.pids))
        clients = await self._connect(target, pace.idle, heartbeats)
        try:
            await asyncio.sleep(PING_INTERVAL)
            before = Usage.now(target.pids)
            await asyncio.sleep(2 * PING_INTERVAL)
            after = Usage.now(target.pids)
            full = sum(map(memory, target.pids))
        finally:
            for client in clients:
                client.close()
        if heartbeats.lost is not None:
            raise heartbeats.lost
        cpu, wall = after.servers - before.servers, after.clock - before.clock
        shares = {"server_share": cpu / wall, "load_share": (after.load - before.load) / wall}
        held = (full - empty) / pace.idle
        beat = cpu / pace.idle / (wall / PING_INTERVAL)
        return [
            Sample(metric, value * metric.scale, memory=full, **shares)
            for metric, value in ((self.memory, held), (self.heartbeat, beat))
        ]

    async def _connect(self, target: Target, number: int, heartbeats: Heartbeats) -> list[Idle]:
        clients: list[Idle] = []

        async def connect() -> None:
            client = Idle(heartbeats)
            client.take_over(await target.server.dialect.connect(target.port))
            clients.append(client)

        await in_parallel(number, AT_ONCE, connect)
        return clients
