"""Paired runs: within a round the servers take turns, so that what drifts drifts for all."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from benchmarks import measure
from benchmarks.processes import Process, free_port
from benchmarks.scenarios import Scenario
from benchmarks.scenarios.base import Pace, Sample, Target
from benchmarks.servers import Options, Server

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
        self._server_cores, load_cores = measure.cores()
        os.sched_setaffinity(0, load_cores)
        self.results = Results()

    async def run(self, scenario: Scenario, servers: Sequence[Server]) -> None:
        """All rounds of a scenario. A server that fails is left out of the rest of them."""
        able = [server for server in servers if scenario.needs <= server.can]
        async with AsyncExitStack() as stack:
            targets: list[Target] = []
            for server in able:
                try:
                    targets.append(await stack.enter_async_context(self._serving(scenario, server)))
                except Exception as error:
                    self._failed(scenario, server, error)
            for number in range(self._rounds):
                # Each round begins with another server.
                shift = number % max(1, len(targets))
                for target in targets[shift:] + targets[:shift]:
                    try:
                        await self._measure(scenario, target, number)
                    except Exception as error:
                        self._failed(scenario, target.server, error)
                        targets.remove(target)

    async def _measure(self, scenario: Scenario, target: Target, number: int) -> None:
        gc.collect()
        gc.disable()
        try:
            async for sample in scenario.measure(target, self._pace):
                self.results.add(target.server, sample)
                self._say(
                    f"{sample.metric.name:12} {target.server.name:16} {number + 1}/{self._rounds}  "
                    f"{sample.value:8.2f} {sample.metric.unit}"
                )
        finally:
            gc.enable()

    def _failed(self, scenario: Scenario, server: Server, error: Exception) -> None:
        text = f"{scenario.name}, {server.name}: {type(error).__name__}: {error}"
        self.results.failures.append(text)
        self._say(text)

    @asynccontextmanager
    async def _serving(self, scenario: Scenario, server: Server) -> AsyncIterator[Target]:
        options = scenario.options(self._options)
        processes: list[Process] = []
        ports = [free_port() for _ in range(scenario.processes)]
        try:
            for port in ports:
                processes.append(
                    Process(
                        server.command(port, options),
                        {**options.env(), **server.env},
                        self._server_cores,
                    )
                )
            await asyncio.gather(
                *(process.listening(port) for process, port in zip(processes, ports, strict=True))
            )
            pids = [pid for process in processes for pid in process.pids()]
            yield Target(server, ports, pids)
        finally:
            for process in processes:
                process.stop()
