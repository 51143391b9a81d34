"""A reverse proxy that is the opposite of sticky: every request goes to the next backend.

Run as ``python -m tests.harness.proxy PORT...``; it prints the URL at which it listens. Requests on
one connection are sent on one by one, each to the next backend; so are WebSockets. Backends that
refuse connections are skipped, and a GET whose connection ends before it is answered goes to the
next one, as nginx has it by default. An answer says in ``X-Backend`` where it comes from. SIGUSR1
ends every connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import sys
from typing import NamedTuple

HOST = "127.0.0.1"
HEAD_LIMIT = 1 << 20
CHUNK = 1 << 16
# Clients that connect at once, twice each where they poll.
BACKLOG = 1024


class Reader(asyncio.StreamReader):
    """A stream that tells of its end even to those who do not read it."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.ended = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.ended.set()


class Head(NamedTuple):
    """The first line and the headers of a request or an answer."""

    line: bytes
    headers: list[tuple[bytes, bytes]]

    @classmethod
    async def read(cls, reader: asyncio.StreamReader) -> Head:
        line, *rest = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        pairs = (item.partition(b":") for item in rest)
        return cls(line, [(name.strip().lower(), value.strip()) for name, _, value in pairs])

    def get(self, name: bytes) -> bytes:
        return next((value.lower() for found, value in self.headers if found == name), b"")

    @property
    def upgrades(self) -> bool:
        return self.get(b"upgrade") == b"websocket"

    @property
    def status(self) -> int:
        return int(self.line.split(b" ")[1])

    def encode(self, *extra: tuple[bytes, bytes]) -> bytes:
        """As it goes on: what holds for one connection only is left out, unless it upgrades."""
        kept = [pair for pair in self.headers if self.upgrades or pair[0] != b"connection"]
        lines = [b"%s: %s" % pair for pair in (*kept, *extra)]
        return b"\r\n".join([self.line, *lines, b"", b""])


class Unanswered(Exception):
    """A backend has ended the connection without an answer."""


class Proxy:
    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self._turn = itertools.cycle(range(len(ports)))
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, port: int = 0) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(Reader(HEAD_LIMIT), self._connected),
            HOST,
            port,
            backlog=BACKLOG,
        )

    def cut(self) -> None:
        """End every connection at once, as a network does that goes down."""
        for task in self._tasks:
            task.cancel()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Reader)
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        """Send on the requests of one connection; what waits for an answer ends with it."""
        try:
            while True:
                request = await Head.read(reader)
                exchange = asyncio.ensure_future(self._exchange(request, reader, writer))
                ended = asyncio.ensure_future(reader.ended.wait())
                try:
                    await asyncio.wait([exchange, ended], return_when=asyncio.FIRST_COMPLETED)
                except asyncio.CancelledError:
                    exchange.cancel()
                    raise
                finally:
                    ended.cancel()
                if not exchange.done():
                    exchange.cancel()
                    return
                if not exchange.result():
                    return
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _connect(self) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter]:
        first = next(self._turn)
        for port in self.ports[first:] + self.ports[:first]:
            try:
                return port, *await asyncio.open_connection(HOST, port, limit=HEAD_LIMIT)
            except ConnectionRefusedError:
                continue
        raise ConnectionRefusedError

    async def _exchange(self, request: Head, reader: Reader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer. False where the connection has to end with it."""
        tries = len(self.ports) if request.line.startswith(b"GET ") else 1
        while tries:
            tries -= 1
            try:
                return await self._pass_on(request, reader, writer)
            except Unanswered:
                continue
            except OSError:
                return await _fail(writer, b"503 Service Unavailable")
        return await _fail(writer, b"502 Bad Gateway")

    async def _pass_on(self, request: Head, reader: Reader, writer: asyncio.StreamWriter) -> bool:
        """The same at one backend. Raises Unanswered where it ends the connection instead."""
        port, from_backend, to_backend = await self._connect()
        try:
            extra = () if request.upgrades else ((b"connection", b"close"),)
            to_backend.write(request.encode(*extra))
            try:
                with contextlib.suppress(ConnectionError):  # the backend has answered already
                    await _copy_body(request, reader, to_backend)
                answer = await Head.read(from_backend)
            except (OSError, EOFError):
                raise Unanswered from None
            writer.write(answer.encode((b"x-backend", b"%d" % port)))
            if answer.status == 101:
                await asyncio.wait(
                    [
                        asyncio.ensure_future(_pipe(reader, to_backend)),
                        asyncio.ensure_future(_pipe(from_backend, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                return False
            if request.line.startswith(b"HEAD ") or answer.status in (204, 304):
                return True
            whole = await _copy_body(answer, from_backend, writer)
            if not whole:
                await _pipe(from_backend, writer)
            return whole
        finally:
            to_backend.close()


async def _fail(writer: asyncio.StreamWriter, status: bytes) -> bool:
    writer.write(b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
    await writer.drain()
    return False


async def _copy_body(
    head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Copy what follows a head. False for an answer that lasts as long as its connection."""
    if head.get(b"transfer-encoding") == b"chunked":
        size = -1
        while size:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            writer.write(line + await reader.readexactly(size + 2))
            await writer.drain()
        return True
    length = head.get(b"content-length")
    left = int(length or b"0")
    while left:
        data = await reader.read(min(left, CHUNK))
        if not data:
            raise EOFError
        left -= len(data)
        writer.write(data)
        await writer.drain()
    return bool(length) or not head.line.startswith(b"HTTP/")


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except (OSError, RuntimeError):  # uvloop's word for a closed connection
        pass


async def main(ports: list[int]) -> None:
    proxy = Proxy(ports)
    server = await proxy.listen()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, proxy.cut)
    print(f"listening on http://{HOST}:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main([int(port) for port in sys.argv[1:]]))
    else:
        uvloop.run(main([int(port) for port in sys.argv[1:]]))
