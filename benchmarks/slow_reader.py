"""Does one client that stops reading slow down the other 999 of its room? ``make slow-reader``."""

from __future__ import annotations

import argparse
import asyncio
import socket as sockets
import sys
from statistics import median

from benchmarks import measure
from benchmarks.environment import prepared, run
from benchmarks.load.dialects import Exchange
from benchmarks.load.idle import Heartbeats, Idle
from benchmarks.load.streams import Crowd
from benchmarks.load.websocket import WebSocket
from benchmarks.scenarios.base import Work, in_parallel
from benchmarks.scenarios.broadcast import AT_ONCE, MEMBERS, BroadcastLoad
from benchmarks.servers import SERVERS
from benchmarks.serving import Target, serving

LIMIT = 1.10  # of the others' p99
TEXT = "x" * 1024
# What the slow one asks for before it stops reading: more than the system's buffers hold, less
# than what the server gives it up for.
LAST_WISH, WISHES = "x" * 65536, 80
RECEIVE_BUFFER = 65536  # bytes; by default the system's would grow without end
FILL, CATCH_UP = 1.0, 30.0  # seconds


class Sluggard(Idle):
    """Reads or does not, and counts the bytes of messages."""

    def __init__(self, socket: WebSocket) -> None:
        super().__init__(Heartbeats())
        self.received = 0
        self.take_over(socket)
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, RECEIVE_BUFFER)

    def message(self, payload: bytes) -> None:
        self.received += len(payload)

    def held_by_server(self, sent: int) -> int:
        """How many of the bytes ``sent`` the server could not hand over to the system."""
        connection = self.transport.get_extra_info("socket")
        client, server = connection.getsockname()[1], connection.getpeername()[1]
        return sent - self.received - measure.tcp_under_way(server, client)

    async def caught_up(self, size: int) -> None:
        """Wait until so many bytes have come. Raises the error that closed the connection."""
        deadline = asyncio.get_running_loop().time() + CATCH_UP
        while self.received < size:
            if self.heartbeats.lost is not None or asyncio.get_running_loop().time() > deadline:
                raise self.heartbeats.lost or TimeoutError(
                    f"{self.received} of {size} bytes have come"
                )
            await asyncio.sleep(0.01)


class Room:
    """999 members who read, and one who may stop."""

    def __init__(self, target: Target) -> None:
        dialect = target.server.dialect
        self._target, self._dialect = target, dialect
        exchange = dialect.broadcast(TEXT)
        self._size = _size(exchange)
        self.crowd = Crowd(exchange.answer_bytes())
        self._load = BroadcastLoad(self.crowd, exchange.request_bytes())
        self._broadcasts = 0
        self._wished = 0  # bytes

    async def fill(self) -> None:
        async def enter() -> None:
            self.crowd.add(await self._member())

        await in_parallel(MEMBERS - 1, AT_ONCE, enter)
        self._sluggard = Sluggard(await self._member())

    async def _member(self) -> WebSocket:
        socket = await self._dialect.connect(self._target.port)
        await self._dialect.join().probe(socket)
        return socket

    async def p99(self, seconds: float) -> float:
        """Of the others' latencies, in seconds, while broadcasts follow each other."""
        await self._broadcast(FILL)
        work = await self._broadcast(seconds)
        work.latencies.sort()
        found = measure.percentile(work.latencies, 0.99)
        assert found is not None
        return found

    async def _broadcast(self, seconds: float) -> Work:
        work = await self._load.run(seconds)
        self._broadcasts += work.units // (MEMBERS - 1)
        return work

    async def p99_while_one_sleeps(self, seconds: float) -> float:
        """The same while one does not read; who then gets all that was sent meanwhile.

        Raises RuntimeError where the server need not have noticed.
        """
        self._sluggard.transport.pause_reading()
        wish = self._dialect.echo(LAST_WISH)
        self._sluggard.transport.write(wish.request_bytes() * WISHES)
        self._wished += _size(wish) * WISHES
        found = await self.p99(seconds)
        sent = self._broadcasts * self._size + self._wished
        if self._sluggard.held_by_server(sent) <= 0:
            raise RuntimeError("the system's buffers hold all that the slow reader does not read")
        self._sluggard.transport.resume_reading()
        await self._sluggard.caught_up(sent)
        return found

    def close(self) -> None:
        self._sluggard.close()
        self.crowd.close()


def _size(exchange: Exchange) -> int:
    """Of the answer's messages, without the frames around them."""
    return sum(map(len, exchange.answer))


async def compare(target: Target, pairs: int, seconds: float) -> float:
    """The p99 with a slow reader divided by that without: the median of paired runs."""
    ratios = []
    for _ in range(pairs):
        # A new one each time: members who have got megabytes are asked whether they read them.
        room = Room(target)
        await room.fill()
        reading = await room.p99(seconds)
        sleeping = await room.p99_while_one_sleeps(seconds)
        ratios.append(sleeping / reading)
        print(
            f"p99 of the others: {reading * 1e3:.2f} ms while all read, "
            f"{sleeping * 1e3:.2f} ms while one does not: {ratios[-1]:.2f} ×",
            flush=True,
        )
        room.close()
    return median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_reader", description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0, help="each of a pair's two runs")
    parser.add_argument("--server", default="ours-uvicorn", choices=list(SERVERS))
    arguments = parser.parse_args()

    async def measured() -> float:
        with prepared() as options:
            async with serving(SERVERS[arguments.server], options) as target:
                try:
                    return await compare(target, arguments.pairs, arguments.seconds)
                except Exception:
                    print(target.log(), file=sys.stderr)
                    raise

    ratio = run(measured())
    print(f"median: {ratio:.2f} × ({'met' if ratio < LIMIT else 'NOT MET'}: below {LIMIT} ×)")
    sys.exit(ratio >= LIMIT)


if __name__ == "__main__":
    main()
