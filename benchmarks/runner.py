"""Paired runs: within a round the servers take turns, so that what drifts drifts for all."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace

from benchmarks.scenarios.base import Pace, Sample, Scenario
from benchmarks.servers import Options, Server
from benchmarks.serving import Target, serving

DEADLINE = 120.0  # seconds that a measurement may take
FIRST = 3  # times the warm-up, in the first round: compilers want to see a function run

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
                    async with self._serving(scenario, server) as target:
                        await self._measure(scenario, target, number)
                except Exception as error:
                    self._failed(scenario, server, error)

    async def _run(self, scenario: Scenario, servers: Sequence[Server]) -> None:
        """Servers stay up for all rounds. One that fails is left out of the rest of them."""
        async with AsyncExitStack() as stack:
            targets: list[Target] = []
            for server in servers:
                try:
                    targets.append(await stack.enter_async_context(self._serving(scenario, server)))
                except Exception as error:
                    self._failed(scenario, server, error)
            for number in range(scenario.rounds or self._rounds):
                # Each round begins with another server.
                shift = number % max(1, len(targets))
                for target in targets[shift:] + targets[:shift]:
                    try:
                        await self._measure(scenario, target, number)
                    except Exception as error:
                        self._failed(scenario, target.server, error, target.log())
                        targets.remove(target)

    async def _measure(self, scenario: Scenario, target: Target, number: int) -> None:
        pace = self._pace if number else replace(self._pace, warm_up=self._pace.warm_up * FIRST)
        gc.collect()
        gc.disable()
        try:
            samples = await asyncio.wait_for(scenario.measure(target, pace), DEADLINE)
        finally:
            gc.enable()
        for sample in samples:
            self.results.add(target.server, sample)
            self._say(
                f"{sample.metric.name:10} {target.server.name:16} {number + 1}  "
                f"{sample.value:8.2f} {sample.metric.unit}"
            )

    def _failed(self, scenario: Scenario, server: Server, error: Exception, log: str = "") -> None:
        text = f"{scenario.name}, {server.name}: {type(error).__name__}: {error}"
        self.results.failures.append(text)
        self._say(f"{text}\n{log}")

    def _serving(self, scenario: Scenario, server: Server) -> AbstractAsyncContextManager[Target]:
        options = scenario.options(self._options)
        return serving(server, options, scenario.processes, "redis" in scenario.needs)
