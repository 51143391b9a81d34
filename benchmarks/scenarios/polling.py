"""An echo over long-polling: a POST, and the answer to the poll that was waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from benchmarks.load.dialects import SocketIO
from benchmarks.load.http import HTTPConnection
from benchmarks.scenarios.base import Load, Metric, Scenario, Work
from benchmarks.scenarios.echo import CONNECTIONS, TEXT
from benchmarks.serving import Target


class PollingClient:
    """A session of long-polling, on two connections as in a browser."""

    def __init__(self, polls: HTTPConnection, posts: HTTPConnection, sid: str) -> None:
        path = f"{SocketIO.path}polling&sid={sid}"
        packet = SocketIO().echo(TEXT).request[0]
        assert isinstance(packet, str)
        self._packet = packet.encode()
        self._polls, self._posts = polls, posts
        self._get, self._post = polls.get(path), posts.post(path, packet)
        self._connect = posts.post(path, "40")

    @classmethod
    async def open(cls, port: int) -> PollingClient:
        polls, posts = await HTTPConnection.open(port), await HTTPConnection.open(port)
        opened = json.loads((await polls.ask(polls.get(SocketIO.path + "polling")))[1:])
        self = cls(polls, posts, opened["sid"])
        await posts.ask(self._connect)
        connected = await polls.ask(self._get)
        if not connected.startswith(b"40"):
            raise ConnectionError(repr(connected))
        return self

    async def echo(self) -> None:
        """Raises ConnectionError where anything but the echo comes back."""
        poll = self._polls.ask(self._get)
        await self._posts.ask(self._post)
        answer = await poll
        if answer != self._packet:
            raise ConnectionError(repr(answer))

    def close(self) -> None:
        self._polls.close()
        self._posts.close()


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
        clients = [await PollingClient.open(target.port) for _ in range(CONNECTIONS)]
        try:
            yield PollingLoad(clients)
        finally:
            for client in clients:
                client.close()
