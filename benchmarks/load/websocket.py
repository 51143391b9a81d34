"""A WebSocket connection at the pace of a coroutine: for handshakes and probes, not for load."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from benchmarks.load import frames
from benchmarks.load.frames import CLOSE, PING, PONG, Frame, FrameReader

HOST = "127.0.0.1"
UPGRADE = (
    "GET {path} HTTP/1.1\r\n"
    "Host: {host}:{port}\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n"
)
GOODBYE = frames.encode(CLOSE, (1000).to_bytes(2, "big"))


class WebSocket(asyncio.Protocol):
    """Answers the server's pings; everything else is for :meth:`receive`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        self._head: bytes | None = b""
        self._frames: deque[Frame] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self.transport: asyncio.Transport

    @classmethod
    async def open(cls, port: int, path: str) -> WebSocket:
        """Connect. Raises ConnectionError where the server does not accept."""
        self: WebSocket
        _, self = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        self.transport.write(UPGRADE.format(path=path, host=HOST, port=port).encode())
        while self._head is not None:
            await self._wait()
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by its looks only

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.abort()
                return
            self._head = None
        for frame in self._reader.feed(data):
            if frame.opcode == PING:
                self.transport.write(frames.encode(PONG, frame.payload))
            elif frame.opcode == CLOSE:
                self.transport.close()
            else:
                self._frames.append(frame)
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._wake()

    def send(self, data: bytes) -> None:
        """Write frames that are encoded already."""
        self.transport.write(data)

    async def receive(self) -> str | bytes:
        """The next message. Raises ConnectionError once there will be none."""
        while not self._frames:
            await self._wait()
        opcode, payload = self._frames.popleft()
        return payload.decode() if opcode == frames.TEXT else payload

    async def close(self) -> None:
        """Say goodbye and wait until the server has closed."""
        self.transport.write(GOODBYE)
        while not self._lost:
            self._waiter = self._loop.create_future()
            await self._waiter

    async def _wait(self) -> None:
        if self._lost:
            raise ConnectionError(f"the server has closed the connection: {self._head!r}")
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
