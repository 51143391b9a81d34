"""A client that sends whatever it likes, deflated if the server lets it."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress

from benchmarks.load import frames
from benchmarks.load.websocket import HOST

WEBSOCKET, POLLING = "EIO=4&transport=websocket", "EIO=4&transport=polling"
ANSWER = 10.0  # seconds to wait for what a server should say
HANDSHAKE = (
    "GET /socket.io/?{query} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n{extensions}\r\n"
)
EXTENSIONS = (
    "Sec-WebSocket-Extensions: permessage-deflate; "
    "client_no_context_takeover; server_no_context_takeover\r\n"
)


def deflated(text: str) -> bytes:
    """A client's text frame with permessage-deflate (RFC 7692)."""
    packer = zlib.compressobj(9, wbits=-15)
    data = packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    frame = bytearray(frames.encode(frames.TEXT, data[:-4]))
    frame[0] |= 0x40
    return bytes(frame)


class Connection:
    """A TCP connection that counts what it has sent; reads only what it is asked to."""

    sent = 0  # by all of them, in bytes

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, limit: int = 65536) -> Connection:
        return cls(*await asyncio.open_connection(HOST, port, limit=limit))

    async def send(self, data: bytes) -> None:
        """Send as far as the server takes it: whoever is cut off has cost what it could."""
        Connection.sent += len(data)
        # RuntimeError: uvloop's, for a connection that the server has closed.
        with suppress(OSError, RuntimeError, asyncio.TimeoutError):
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), ANSWER)

    async def until(self, what: bytes, at_a_time: int = 65536) -> bytes:
        """What the server says up to ``what``, or to its end."""
        with suppress(OSError, asyncio.TimeoutError):
            return await asyncio.wait_for(self._until(what, at_a_time), ANSWER)
        return b""

    async def _until(self, what: bytes, at_a_time: int) -> bytes:
        data = b""
        while what not in data and (more := await self.reader.read(at_a_time)):
            data += more
        return data

    def close(self) -> None:
        self.writer.close()


class Socket(Connection):
    """A WebSocket in a namespace."""

    deflate = False

    @classmethod
    async def joined(cls, port: int, namespace: str = "/target", deflate: bool = False) -> Socket:
        socket = await cls.opened(port, deflate)
        await socket.text(f"40{namespace},")
        await socket.message()
        return socket

    @classmethod
    async def opened(cls, port: int, deflate: bool = False) -> Socket:
        """A session without a namespace."""
        self = await cls.open(port)
        assert isinstance(self, Socket)
        extensions = EXTENSIONS if deflate else ""
        head = HANDSHAKE.format(query=WEBSOCKET, host=HOST, port=port, extensions=extensions)
        await self.send(head.encode())
        answer = await self.until(b"\r\n\r\n", at_a_time=1)
        self.deflate = b"permessage-deflate" in answer.lower()
        await self.message()
        return self

    async def message(self) -> None:
        """Read one small message, whatever it says: it may be deflated."""
        with suppress(OSError, EOFError, asyncio.TimeoutError):
            head = await asyncio.wait_for(self.reader.readexactly(2), ANSWER)
            size = head[1]
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            await self.reader.readexactly(size)

    def frame(self, text: str) -> bytes:
        return deflated(text) if self.deflate else frames.text(text)

    async def text(self, *texts: str) -> None:
        """Send messages in one segment."""
        await self.send(b"".join(map(self.frame, texts)))


class Poller(Connection):
    """A polling session on one keep-alive connection."""

    id = ""

    @classmethod
    async def joined(cls, port: int, namespace: str = "/target") -> Poller:
        self = await cls.opened(port)
        await self.post(f"40{namespace},")
        await self.poll()
        return self

    @classmethod
    async def opened(cls, port: int) -> Poller:
        self = await cls.open(port)
        assert isinstance(self, Poller)
        await self.request("GET", POLLING)
        answer = await self.until(b"maxPayload")
        self.id = answer.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        return self

    async def request(self, method: str, query: str, body: bytes = b"", more: str = "") -> None:
        head = f"{method} /socket.io/?{query} HTTP/1.1\r\nHost: {HOST}\r\n{more}"
        if method == "POST" and "Content-Length" not in more:
            head += f"Content-Length: {len(body)}\r\n"
        await self.send(head.encode() + b"\r\n" + body)

    @property
    def query(self) -> str:
        return f"{POLLING}&sid={self.id}"

    async def post(self, body: str) -> None:
        await self.request("POST", self.query, body.encode())
        await self.until(b"\r\n\r\nok")

    async def poll(self) -> None:
        await self.request("GET", self.query)
        await self.until(b"\r\n\r\n")
