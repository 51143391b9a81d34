"""The hot protocols: they compare bytes with the bytes they expect, and parse nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter

from benchmarks.load.websocket import WebSocket


class Expected:
    """A stream that must repeat the same answer over and over."""

    __slots__ = ("_at", "_pattern", "_size")

    def __init__(self, answer: bytes, at_once: int) -> None:
        """``at_once``: how many answers can be under way."""
        self._size = len(answer)
        self._pattern = answer * (at_once + 1)
        self._at = 0

    def feed(self, data: bytes) -> int:
        """How many answers ``data`` completes. Raises ValueError for any other byte."""
        end = self._at + len(data)
        if data != self._pattern[self._at : end]:
            raise ValueError(f"unexpected: {data[:200]!r}, not {self._pattern[: self._size]!r}")
        count, self._at = divmod(end, self._size)
        return count


class Tally:
    """What the connections of a run share."""

    def __init__(self, connections: int) -> None:
        self.units = 0
        self.latencies: list[float] = []  # seconds
        self.until = 0.0
        self.busy = connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finished(self) -> None:
        """A connection has had its last answer."""
        self.busy -= 1
        if not self.busy and not self.done.done():
            self.done.set_result(None)

    def failed(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Stream(asyncio.Protocol):
    """Base: a connection whose other end must not close it first."""

    transport: asyncio.Transport
    _closed = False

    def take_over(self, socket: WebSocket) -> None:
        """From now on the connection's bytes come here."""
        self.transport = socket.transport
        self.transport.set_protocol(self)

    def close(self) -> None:
        self._closed = True
        self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._closed:
            self.failed(ConnectionError(f"the server has closed a connection: {error}"))

    def failed(self, error: Exception) -> None:
        """End the run."""
        raise NotImplementedError


class Echoes(Stream):
    """Keeps ``window`` requests under way."""

    def __init__(self, request: bytes, answer: bytes, window: int) -> None:
        self._window = window
        self._requests = [request * count for count in range(window + 1)]
        self._expected = Expected(answer, window)
        self._sent: deque[tuple[int, float]] = deque()
        self._under_way = 0

    def start(self, tally: Tally) -> None:
        self._tally = tally
        self._send(self._window, perf_counter())

    def failed(self, error: Exception) -> None:
        self._tally.failed(error)

    def _send(self, count: int, now: float) -> None:
        self._sent.append((count, now))
        self._under_way += count
        self.transport.write(self._requests[count])

    def data_received(self, data: bytes) -> None:
        tally = self._tally
        try:
            count = self._expected.feed(data)
        except ValueError as error:
            self.failed(error)
            return
        if not count:
            return
        now = perf_counter()
        tally.units += count
        self._under_way -= count
        left = count
        while left:
            sent, since = self._sent[0]
            taken = min(sent, left)
            tally.latencies += [now - since] * taken
            left -= taken
            if taken == sent:
                self._sent.popleft()
            else:
                self._sent[0] = (sent - taken, since)
        if now < tally.until:
            self._send(count, now)
        elif not self._under_way:
            tally.finished()


class Crowd:
    """The members of a room, who all get the same message."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.members: list[Member] = []
        self.latencies: list[float] = []  # seconds
        self.missing = 0
        self.since = 0.0
        self._delivered: asyncio.Future[None] | None = None

    def add(self, socket: WebSocket) -> None:
        member = Member(self)
        member.take_over(socket)
        self.members.append(member)

    async def broadcast(self, request: bytes) -> None:
        """Let the first member send to all; returns when all have got it."""
        self._delivered = asyncio.get_running_loop().create_future()
        self.missing = len(self.members)
        self.since = perf_counter()
        self.members[0].transport.write(request)
        await self._delivered

    def delivered(self, count: int) -> None:
        self.latencies.append(perf_counter() - self.since)
        self.missing -= count
        if not self.missing and self._delivered is not None and not self._delivered.done():
            self._delivered.set_result(None)

    def failed(self, error: Exception) -> None:
        if self._delivered is not None and not self._delivered.done():
            self._delivered.set_exception(error)

    def close(self) -> None:
        for member in self.members:
            member.close()


class Member(Stream):
    """One of a crowd."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._expected = Expected(crowd.answer, 1)

    def failed(self, error: Exception) -> None:
        self._crowd.failed(error)

    def data_received(self, data: bytes) -> None:
        try:
            count = self._expected.feed(data)
        except ValueError as error:
            self.failed(error)
            return
        if count:
            self._crowd.delivered(count)
