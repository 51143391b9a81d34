"""What all scenarios have in common: a load on a server that runs, and what the server used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.load.awake import Awake
from benchmarks.measure import Usage, memory, percentile, settled
from benchmarks.servers import Options, Server
from benchmarks.serving import Target


@dataclass(frozen=True)
class Metric:
    """A row of the table. ``scale`` turns seconds (or bytes) into ``unit``."""

    name: str
    title: str
    unit: str
    scale: float = 1e6


@dataclass(frozen=True)
class Sample:
    """One measurement of one server. ``value`` is in the metric's unit."""

    metric: Metric
    value: float
    rate: float | None = None  # units per second
    p50: float | None = None  # seconds
    p99: float | None = None
    memory: int = 0  # bytes
    server_share: float = 0.0  # of a core
    load_share: float = 0.0


@dataclass
class Work:
    """What a run of a load has done."""

    units: int = 0
    latencies: list[float] = field(default_factory=list)  # seconds


@dataclass(frozen=True)
class Pace:
    """How long a measurement and what goes before it take, and how many connections are idle."""

    first_warm_up: float = 0.75  # seconds: compilers want to see a function run
    warm_up: float = 0.02
    measure: float = 0.1
    idle: int = 5000  # connections


class Load(Protocol):
    """Connections that can be put to work."""

    async def run(self, seconds: float) -> Work:
        """Work for so long; every unit that was begun is finished when this returns."""


async def in_parallel(number: int, at_once: int, do: Callable[[], Awaitable[None]]) -> None:
    """Do something so many times."""
    turns = iter(range(number))

    async def work() -> None:
        for _ in turns:
            await do()

    await asyncio.gather(*(work() for _ in range(at_once)))


class Scenario:
    """Base: CPU time per unit of a :class:`Load`."""

    name: str
    metric: Metric
    needs: frozenset[str] = frozenset()
    processes = 1
    fresh = False  # whether each measurement wants a server that has just started
    rounds: int | None = None  # where fewer will do

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric,)

    def suits(self, server: Server) -> bool:
        """Whether the server can do this, and it is of interest."""
        return self.needs <= server.can and (server.only is None or self.name in server.only)

    def options(self, options: Options) -> Options:
        """What the scenario wants of the servers."""
        return options

    def load(self, target: Target) -> AbstractAsyncContextManager[Load]:
        raise NotImplementedError

    async def measure(self, target: Target, load: Load, pace: Pace) -> list[Sample]:
        """One sample for each of ``metrics``."""
        with Awake():
            await load.run(pace.warm_up)
        await settled(target.pids)
        with Awake() as awake:
            before = Usage.now(target.pids)
            work = await load.run(pace.measure)
            after = Usage.now(target.pids)
        cpu = await settled(target.pids) - before.servers
        resident = sum(map(memory, target.pids))
        work.latencies.sort()
        wall = after.clock - before.clock
        return [
            Sample(
                self.metric,
                cpu / work.units * self.metric.scale,
                work.units / wall,
                percentile(work.latencies, 0.5),
                percentile(work.latencies, 0.99),
                resident,
                (after.servers - before.servers) / wall,
                awake.busy / wall,
            )
        ]
