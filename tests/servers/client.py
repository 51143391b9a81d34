"""A WebSocket client that sends any bytes, and reads whole frames."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from typing import Any

from tests.harness.wire import Answer, open_socket, read_answer

TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A
Frame = tuple[int, bytes]


def request(path: str, headers: str = "") -> bytes:
    """The request that asks for a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive, Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    ).encode()


def closing(code: int, reason: bytes = b"") -> bytes:
    """The payload of a CLOSE."""
    return struct.pack("!H", code) + reason


class Client:
    """A connection to a server with a ``port``. ``answer`` is the head of its answer."""

    def __init__(
        self,
        server: Any,
        path: str = "/echo",
        headers: str = "",
        tls: ssl.SSLContext | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.sock: socket.socket = open_socket(server, receive_buffer)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock)
        self.sock.sendall(request(path, headers))
        self._rest = b""

    def __enter__(self) -> Client:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *details: object) -> None:
        self.sock.close()

    def refused(self) -> Answer:
        """The answer of a server that opens no WebSocket."""
        return read_answer(self.sock)

    def accepted(self) -> str:
        """Read the head of the answer."""
        while b"\r\n\r\n" not in self._rest:
            self._fill()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        return head.decode()

    def _fill(self) -> None:
        chunk = self.sock.recv(65536)
        if not chunk:
            raise EOFError(self._rest)
        self._rest += chunk

    def _take(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._fill()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def read(self) -> Frame:
        """The next frame: its first byte and its payload. EOFError where none comes."""
        first, size = self._take(2)
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return first, self._take(size)

    def read_all(self) -> list[Frame]:
        """All frames until the server closes the connection; we close our side behind its CLOSE."""
        frames: list[Frame] = []
        try:
            while True:
                frames.append(self.read())
                if frames[-1][0] == CLOSE:
                    self.sock.shutdown(socket.SHUT_WR)
        except (EOFError, OSError):
            return frames


def tell(server: Any, key: str) -> Any:
    """What the application has noted under a key; waits for it."""
    with Client(server, f"/told?{key}") as client:
        client.accepted()
        return json.loads(client.read()[1])
