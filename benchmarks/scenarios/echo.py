"""A client asks, the server answers: 50 WebSocket connections, ten requests under way on each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from benchmarks.load.dialects import Dialect, Exchange
from benchmarks.load.streams import Echoes, Tally
from benchmarks.project import query
from benchmarks.scenarios.base import Load, Metric, Scenario, Work
from benchmarks.serving import Target

CONNECTIONS, WINDOW = 50, 10
DEADLINE = 60.0  # seconds that the last answers may take
TEXT, BYTES = "x" * 64, bytes(range(256)) * 4


class EchoLoad:
    def __init__(self, connections: list[Echoes]) -> None:
        self._connections = connections

    async def run(self, seconds: float) -> Work:
        tally = Tally(len(self._connections))
        tally.until = perf_counter() + seconds
        for connection in self._connections:
            connection.start(tally)
        await asyncio.wait_for(tally.done, seconds + DEADLINE)
        return Work(tally.units, tally.latencies)


class Echo(Scenario):
    """Base of the others, too."""

    name = "echo"
    metric = Metric("echo", "echo, 64 bytes", "µs per round trip")

    def exchange(self, dialect: Dialect) -> Exchange:
        return dialect.echo(TEXT)

    @asynccontextmanager
    async def load(self, target: Target) -> AsyncIterator[Load]:
        dialect = target.server.dialect
        exchange = self.exchange(dialect)
        sockets = [await dialect.connect(target.port) for _ in range(CONNECTIONS)]
        await exchange.probe(sockets[0])
        connections = []
        for socket in sockets:
            echoes = Echoes(exchange.request_bytes(), exchange.answer_bytes(), WINDOW)
            echoes.take_over(socket)
            connections.append(echoes)
        try:
            yield EchoLoad(connections)
        finally:
            for connection in connections:
                connection.close()


class Ack(Echo):
    name = "ack"
    needs = frozenset({"ack"})
    metric = Metric("ack", "echo with acknowledgement", "µs per round trip")

    def exchange(self, dialect: Dialect) -> Exchange:
        return dialect.ack(TEXT)


class Binary(Echo):
    name = "binary"
    needs = frozenset({"binary"})
    metric = Metric("binary", "binary echo, 1 KB", "µs per round trip")

    def exchange(self, dialect: Dialect) -> Exchange:
        return dialect.binary(BYTES)


class Query(Echo):
    name = "query"
    needs = frozenset({"query"})
    metric = Metric("query", "plain `def` handler with an ORM query", "µs per round trip")

    def exchange(self, dialect: Dialect) -> Exchange:
        return dialect.query(query.NAME)
