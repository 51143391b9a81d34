"""Paired runs: within a round the servers take turns, so that what drifts drifts for all."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from benchmarks import measure
from benchmarks.processes import Process, free_port
from benchmarks.scenarios import Scenario
from benchmarks.scenarios.base import Pace, Sample, Target
from benchmarks.servers import Options, Server, redis_command

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

    async def run_all(self, scenarios: Sequence[Scenario], servers: Sequence[Server]) -> None:
        """All rounds of all scenarios."""
        for scenario in scenarios:
            able = [server for server in servers if scenario.needs <= server.can]
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
        """The processes of a server, and a Redis of its own where it needs one."""
        options = scenario.options(self._options)
        ports = [free_port() for _ in range(scenario.processes)]
        with ExitStack() as stack:

            def start(command: list[str], env: Mapping[str, str]) -> Process:
                process = Process(command, env, self._server_cores)
                stack.callback(process.stop)
                return process

            processes = []
            if "redis" in scenario.needs:
                port = free_port()
                redis = start(redis_command(port), {})
                await redis.listening(port)
                processes.append(redis)
                options = replace(options, redis=f"127.0.0.1:{port}")
            env = {**options.env(), **server.env}
            for port in ports:
                process = start(server.command(port, options), env)
                await process.listening(port)
                processes.append(process)
            yield Target(server, ports, [pid for process in processes for pid in process.pids()])
