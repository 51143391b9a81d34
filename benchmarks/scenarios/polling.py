"""An echo over long-polling: a POST, and the answer to the poll that was waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from benchmarks.load.polling import PollingClient
from benchmarks.scenarios.base import Load, Metric, Scenario, Work
from benchmarks.scenarios.echo import CONNECTIONS, TEXT
from benchmarks.serving import Target


class PollingLoad:
    def __init__(self, clients: list[PollingClient]) -> None:
        self._clients = clients

    async def run(self, seconds: float) -> Work:
        work = Work()
        until = perf_counter() + seconds

        async def go(client: PollingClient) -> None:
            while (since := perf_counter()) < until:
                await client.echo()
                work.latencies.append(perf_counter() - since)
                work.units += 1

        await asyncio.gather(*map(go, self._clients))
        return work


class Polling(Scenario):
    name = "polling"
    needs = frozenset({"polling"})
    metric = Metric("polling", "polling echo", "µs per round trip")

    @asynccontextmanager
    async def load(self, target: Target) -> AsyncIterator[Load]:
        clients = [await PollingClient.open(target.port, TEXT) for _ in range(CONNECTIONS)]
        try:
            yield PollingLoad(clients)
        finally:
            for client in clients:
                client.close()
