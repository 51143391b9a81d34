"""A server that runs for as long as a block does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from benchmarks import measure
from benchmarks.processes import Process, free_port
from benchmarks.servers import Options, Server, redis_command

GREETING = 10.0  # seconds within which a server that listens must answer


@dataclass(frozen=True)
class Target:
    """A server under load: where it listens and what counts as it."""

    server: Server
    ports: list[int]
    processes: list[Process]

    @cached_property
    def pids(self) -> list[int]:
        """Workers and Redis included."""
        return [pid for process in self.processes for pid in process.pids()]

    def log(self) -> str:
        """The end of what the processes have written."""
        return "".join(process.output() for process in self.processes)

    @property
    def port(self) -> int:
        return self.ports[0]


@asynccontextmanager
async def serving(
    server: Server, options: Options, processes: int = 1, redis: bool = False
) -> AsyncIterator[Target]:
    """The processes of a server, all on one core, and a Redis of their own where they need one."""
    cores, _ = measure.cores()
    with ExitStack() as stack:
        started: list[Process] = []

        async def start(command: list[str], port: int, env: Mapping[str, str]) -> None:
            process = Process(command, env, cores)
            stack.callback(process.stop)
            await process.listening(port)
            started.append(process)

        if redis:
            port = free_port()
            await start(redis_command(port), port, {})
            options = replace(options, redis=f"127.0.0.1:{port}")
        ports = [free_port() for _ in range(processes)]
        for port in ports:
            await start(server.command(port, options), port, {**options.env(), **server.env})
            await asyncio.wait_for(_greet(server, port), GREETING)
        yield Target(server, ports, started)


async def _greet(server: Server, port: int) -> None:
    """A server that listens is not always one that answers."""
    socket = await server.dialect.connect(port)
    await socket.close()
