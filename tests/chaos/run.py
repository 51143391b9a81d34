"""One run: server processes, clients, faults, and what came of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from tests.chaos.clients import Client, Verdict
from tests.chaos.faults import Faults
from tests.chaos.wire import HOST, Wire
from tests.harness.cluster import LAYER_CONFIGS
from tests.harness.redis import Redis
from tests.harness.servers import Server
from tests.harness.waiting import until

# The rooms, and those of each client in turn.
ROOMS = ["red", "green", "blue"]
MEMBERS = [["red"], ["red", "green"], ["red", "green", "blue"]]
# Seconds without any delivery after which nothing more is awaited; seconds until the processes know
# of each other's rooms.
QUIET = 15.0
SETTLED = 3.0


@dataclass
class Plan:
    """What is to be done. ``rate`` is how many numbers each process sends in a second."""

    layer: str = "pubsub"
    seed: int = 1
    deliveries: int = 100_000
    workers: int = 3
    clients: int = 60
    rate: float = 60.0

    @property
    def numbers(self) -> int:
        """How many numbers each process has to send: as chance has it, some more than wanted."""
        each = self.workers * sum(map(len, self.rooms)) / len(ROOMS)
        return round(1.03 * self.deliveries / each) + 10

    @property
    def rooms(self) -> list[list[str]]:
        """The rooms of each client; the first ones are on different processes."""
        return [MEMBERS[number // self.workers % len(MEMBERS)] for number in range(self.clients)]


@dataclass
class Result:
    """What came of it. ``layer`` are the counters of all processes together."""

    verdict: Verdict
    faults: Counter[str]
    seconds: float
    layer: Counter[str] = field(default_factory=Counter)
    logs: str = ""


async def run(plan: Plan) -> Result:
    """Carry out a plan."""
    chance = random.Random(plan.seed)
    began = monotonic()
    async with _servers(plan) as (redis, wire, workers):
        clients = [
            Client(workers[number % len(workers)].port, rooms)
            for number, rooms in enumerate(plan.rooms)
        ]
        senders = [Client(worker.port, []) for worker in workers]
        try:
            for client in (*clients, *senders):
                await client.start()
            await asyncio.sleep(SETTLED)
            for sender in senders:
                await sender.say("begin", ROOMS, plan.numbers, 1 / plan.rate, plan.seed)
            faults = Faults(redis, wire, workers, plan.layer, chance)
            task = asyncio.ensure_future(faults.run())
            sent: dict[str, dict[str, int]] = {}
            for sender in senders:
                sent.update(await sender.told(plan.numbers / plan.rate * 4 + 60))
            faults.stop()
            await task
            await _until_quiet(clients, sent)
            verdict = Verdict()
            for client in clients:
                client.judge(sent, verdict)
            result = Result(verdict, faults.done, monotonic() - began)
            for worker in workers:
                counts = await asyncio.to_thread(worker.counts)
                result.layer.update(counts["layer"])
                result.logs += worker.process.log
            return result
        finally:
            await asyncio.gather(*(client.stop() for client in (*clients, *senders)))


@asynccontextmanager
async def _servers(plan: Plan) -> AsyncIterator[tuple[Redis, Wire, list[Server]]]:
    """Redis, the way to it, and server processes that know each other."""
    redis = await asyncio.to_thread(Redis)
    wire = Wire(redis.port)
    workers: list[Server] = []
    try:
        await wire.start()
        for _ in range(plan.workers):
            worker = await asyncio.to_thread(
                Server,
                "uvicorn",
                redis=f"redis://{HOST}:{wire.port}/0",
                layer=plan.layer,
                layer_config=LAYER_CONFIGS.get(plan.layer),
            )
            workers.append(worker)
        for worker in workers:
            await asyncio.to_thread(until, partial(_has_met, worker, plan.workers - 1), "peers")
        yield redis, wire, workers
    finally:
        for worker in workers:
            worker.process.kill()
        await wire.stop()
        redis.close()


def _has_met(worker: Server, others: int) -> bool:
    return len(worker.counts()["peers"]) == others


async def _until_quiet(clients: list[Client], sent: dict[str, dict[str, int]]) -> None:
    """Wait until everybody has everything, or nothing more comes."""
    last, since = -1, monotonic()
    while monotonic() - since < QUIET:
        verdict = Verdict()
        for client in clients:
            client.judge(sent, verdict)
        if verdict.deliveries >= verdict.expected:
            return
        if verdict.deliveries != last:
            last, since = verdict.deliveries, monotonic()
        await asyncio.sleep(0.2)
