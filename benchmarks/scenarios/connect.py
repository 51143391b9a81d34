"""Sessions from the first byte to the last: 20 at a time, each closed as soon as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from benchmarks.load import frames
from benchmarks.load.dialects import SocketIO
from benchmarks.load.polling import upgraded
from benchmarks.scenarios.base import Load, Metric, Scenario, Work
from benchmarks.serving import Target

AT_ONCE = 20
LEAVE = frames.text("41")


class Sessions:
    """Opens and closes sessions of one kind."""

    def __init__(self, scenario: Connect, target: Target) -> None:
        self._scenario = scenario
        self._target = target

    async def run(self, seconds: float) -> Work:
        work = Work()
        until = perf_counter() + seconds

        async def client() -> None:
            while (since := perf_counter()) < until:
                await self._scenario.session(self._target)
                work.latencies.append(perf_counter() - since)
                work.units += 1

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))
        return work


class Connect(Scenario):
    name = "websocket"
    metric = Metric("websocket", "connect, WebSocket only", "ms per session", 1e3)

    @asynccontextmanager
    async def load(self, target: Target) -> AsyncIterator[Load]:
        yield Sessions(self, target)

    async def session(self, target: Target) -> None:
        socket = await target.server.dialect.connect(target.port)
        if isinstance(target.server.dialect, SocketIO):
            socket.send(LEAVE)
        await socket.close()


class Upgrade(Connect):
    """As the JavaScript client does it: the poll, the first POST and the probe overlap."""

    name = "connect"
    needs = frozenset({"upgrade"})
    metric = Metric("connect", "connect: polling, CONNECT, upgrade", "ms per session", 1e3)

    async def session(self, target: Target) -> None:
        socket = await upgraded(target.port)
        socket.send(LEAVE)
        await socket.close()
