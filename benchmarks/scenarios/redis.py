"""A broadcast from one process to the members of two, through Redis, which counts as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from benchmarks.load.websocket import WebSocket
from benchmarks.scenarios.base import Load, Metric
from benchmarks.scenarios.broadcast import TEXT, Broadcast
from benchmarks.serving import Target

DEADLINE, RETRY = 30.0, 0.5  # seconds


class TwoProcesses(Broadcast):
    name = "redis"
    needs = frozenset({"redis"})
    processes = 2
    metric = Metric("redis", "broadcast, two processes and Redis", "µs per delivery")

    @asynccontextmanager
    async def load(self, target: Target) -> AsyncIterator[Load]:
        await asyncio.wait_for(_acquainted(target), DEADLINE)
        async with super().load(target) as load:
            yield load


async def _acquainted(target: Target) -> None:
    """Wait until the processes hear each other, which takes some of them a moment."""
    dialect = target.server.dialect
    sockets = [await dialect.connect(port) for port in target.ports]
    for socket in sockets:
        await dialect.join().probe(socket)
    for sender, receiver in (sockets, sockets[::-1]):
        while True:
            sender.send(dialect.broadcast(TEXT).request_bytes())
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(receiver.receive(), RETRY)
                break
    await asyncio.gather(*map(WebSocket.close, sockets))
