"""A keep-alive HTTP/1.1 connection: one request at a time, as a browser's for long-polling."""

from __future__ import annotations

import asyncio
from typing import cast

from benchmarks.load.websocket import HOST

GET = "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n\r\n"
POST = (
    "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\n"
    "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {size}\r\n\r\n{body}"
)


class HTTPConnection(asyncio.Protocol):
    """Requests are made in advance with :meth:`get` and :meth:`post`, and sent with :meth:`ask`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._data = b""
        self._answer: asyncio.Future[bytes] | None = None
        self.transport: asyncio.Transport
        self.port = 0

    @classmethod
    async def open(cls, port: int) -> HTTPConnection:
        self: HTTPConnection
        _, self = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        self.port = port
        return self

    def get(self, path: str) -> bytes:
        return GET.format(path=path, host=HOST, port=self.port).encode()

    def post(self, path: str, body: str) -> bytes:
        """``body`` is ASCII."""
        return POST.format(path=path, host=HOST, port=self.port, size=len(body), body=body).encode()

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; the body of the answer. ConnectionError for any status but 200."""
        self.transport.write(request)
        self._answer = self._loop.create_future()
        return self._answer

    def close(self) -> None:
        self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by its looks only

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
        body = _body(data)
        if body is None:
            self._data = data
            return
        self._data = b""
        assert self._answer is not None
        if data.startswith(b"HTTP/1.1 200"):
            self._answer.set_result(body)
        else:
            self._answer.set_exception(ConnectionError(repr(data[:500])))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server has closed the connection"))


def _body(data: bytes) -> bytes | None:
    """The body of an answer, None where it is not complete. Chunks are joined."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, body = data[:end].lower(), data[end + 4 :]
    found = head.find(b"\r\ncontent-length:")
    if found >= 0:
        line_end = head.find(b"\r\n", found + 2)
        size = int(head[found + 17 : line_end if line_end > 0 else None])
        return body if len(body) >= size else None
    if not body.endswith(b"0\r\n\r\n"):
        return None
    joined = b""
    while True:
        size_line, _, body = body.partition(b"\r\n")
        size = int(size_line, 16)
        if not size:
            return joined
        joined, body = joined + body[:size], body[size + 2 :]
