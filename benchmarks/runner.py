"""Paired runs: within a round the servers take turns, so that what drifts drifts for all.

Many short rounds, for most virtual machines are fast for a second and slow for another.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from benchmarks.scenarios.base import Load, Pace, Sample, Scenario
from benchmarks.servers import Options, Server
from benchmarks.serving import Target, serving

DEADLINE = 120.0  # seconds that a measurement may take

Say = Callable[[str], None]


@dataclass
class Results:
    """The samples of each server and metric, one per round."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, server: Server, sample: Sample) -> None:
        self.samples.setdefault((sample.metric.name, server.name), []).append(sample)


class Runner:
    """Starts servers and measures them."""

    def __init__(self, pace: Pace, rounds: int, options: Options, say: Say) -> None:
        self._pace, self._rounds, self._options, self._say = pace, rounds, options, say
        self.results = Results()

    async def run_all(self, scenarios: Sequence[Scenario], servers: Sequence[Server]) -> None:
        """All rounds of all scenarios."""
        for scenario in scenarios:
            able = [server for server in servers if scenario.suits(server)]
            if scenario.fresh:
                await self._run_fresh(scenario, able)
            else:
                await self._run(scenario, able)

    async def _run_fresh(self, scenario: Scenario, servers: Sequence[Server]) -> None:
        """A server is started for each measurement."""
        for number in range(scenario.rounds or self._rounds):
            for server in servers:
                try:
                    async with self._loaded(scenario, server) as (target, load):
                        await self._measure(scenario, target, load, number)
                except Exception as error:
                    self._failed(scenario, server, error)
            self._tell(scenario, servers)

    async def _run(self, scenario: Scenario, servers: Sequence[Server]) -> None:
        """Servers and connections stay up for all rounds. Who fails is left out of the rest."""
        async with AsyncExitStack() as stack:
            running: list[tuple[Target, Load]] = []
            for server in servers:
                try:
                    running.append(await stack.enter_async_context(self._loaded(scenario, server)))
                except Exception as error:
                    self._failed(scenario, server, error)
            for number in range(scenario.rounds or self._rounds):
                # Each round begins with another server.
                shift = number % max(1, len(running))
                for target, load in running[shift:] + running[:shift]:
                    try:
                        await self._measure(scenario, target, load, number)
                    except Exception as error:
                        self._failed(scenario, target.server, error, target.log())
                        running.remove((target, load))
                self._tell(scenario, servers)

    async def _measure(self, scenario: Scenario, target: Target, load: Load, number: int) -> None:
        pace = self._pace if number else replace(self._pace, warm_up=self._pace.first_warm_up)
        gc.collect()
        gc.disable()
        try:
            samples = await asyncio.wait_for(scenario.measure(target, load, pace), DEADLINE)
        finally:
            gc.enable()
        for sample in samples:
            self.results.add(target.server, sample)

    @asynccontextmanager
    async def _loaded(
        self, scenario: Scenario, server: Server
    ) -> AsyncIterator[tuple[Target, Load]]:
        """A server that runs, and the load's connections to it."""
        options = scenario.options(self._options)
        redis = "redis" in scenario.needs
        async with (
            serving(server, options, scenario.processes, redis) as target,
            scenario.load(target) as load,
        ):
            yield target, load

    def _tell(self, scenario: Scenario, servers: Sequence[Server]) -> None:
        """What the last round has found."""
        for metric in scenario.metrics:
            found = (
                f"{server.name} {samples[-1].value:.2f}"
                for server in servers
                if (samples := self.results.samples.get((metric.name, server.name)))
            )
            self._say(f"{metric.name}: {', '.join(found)} {metric.unit}")

    def _failed(self, scenario: Scenario, server: Server, error: Exception, log: str = "") -> None:
        where, lines = f"{scenario.name}, {server.name}", f"{error}".strip().splitlines()
        self._say(f"{where}: {type(error).__name__}: {error}\n{log}")
        last = lines[-1] if lines else ""
        self.results.failures.append(f"{where}: {type(error).__name__}: {last}")
