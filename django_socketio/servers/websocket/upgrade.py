"""The request that opens a WebSocket, and the answers to it (RFC 6455, 4.2).

https://www.rfc-editor.org/rfc/rfc6455#section-4.2
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable
from hashlib import sha1
from http import HTTPStatus
from typing import NamedTuple

Headers = list[tuple[bytes, bytes]]

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LINE_ENDS = frozenset(b"\r\n\0")
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class BadUpgrade(Exception):
    """The request cannot open a WebSocket. ``status`` and ``headers`` are those of the answer."""

    def __init__(self, message: str, status: int = 400, headers: Headers | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or []


class Upgrade(NamedTuple):
    """A request: its path and query as they came, its headers with names in lower case."""

    path: bytes
    query: bytes
    headers: Headers
    key: bytes
    subprotocols: list[str]


def read_upgrade(head: bytes) -> Upgrade:
    """Return what a request's head asks, without the empty line. Raises BadUpgrade.

    uvicorn's HTTP protocol has parsed it once, and writes it anew for the WebSocket's.
    """
    first, *lines = head.split(b"\r\n")
    try:
        method, target, _ = first.split(b" ")
        split = [line.split(b":", 1) for line in lines]
        headers = [(name.lower(), value.strip(b" \t")) for name, value in split]
    except ValueError:
        raise BadUpgrade("malformed request") from None
    if method != b"GET" or not target.isascii():
        raise BadUpgrade("a WebSocket begins with a GET request")
    found = dict(headers)
    if b"websocket" not in _tokens(headers, b"upgrade") or b"upgrade" not in _tokens(
        headers, b"connection"
    ):
        raise BadUpgrade("no upgrade to a WebSocket", 426, [(b"upgrade", b"websocket")])
    if found.get(b"sec-websocket-version") != b"13":
        raise BadUpgrade("unknown version", 426, [(b"sec-websocket-version", b"13")])
    key = found.get(b"sec-websocket-key", b"")
    try:
        if len(a2b_base64(key)) != 16:
            raise BadUpgrade("bad Sec-WebSocket-Key")
    except Base64Error:
        raise BadUpgrade("bad Sec-WebSocket-Key") from None
    asked = [value for name, value in headers if name == b"sec-websocket-protocol"]
    subprotocols = [part.strip() for part in b",".join(asked).decode("latin-1").split(",")]
    path, _, query = target.partition(b"?")
    return Upgrade(path, query, headers, key, [name for name in subprotocols if name])


def _tokens(headers: Headers, name: bytes) -> set[bytes]:
    values = b",".join([value for key, value in headers if key == name])
    return {token.strip().lower() for token in values.split(b",")}


def accept_response(key: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the answer that opens the WebSocket. Raises ValueError for a bad header."""
    accept = b64encode(sha1(key + _MAGIC).digest())  # noqa: S324 - the protocol's, no secret
    return response(
        101,
        [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", accept),
            *headers,
        ],
    )


def response(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> bytes:
    """Return an answer. Raises ValueError for a header that holds the end of a line."""
    lines = [b"HTTP/1.1 %d %s\r\n" % (status, _REASONS.get(status, b""))]
    for name, value in headers:
        if not _LINE_ENDS.isdisjoint(name + value):
            raise ValueError("a header holds the end of a line")
        lines.append(b"%s: %s\r\n" % (name, value))
    return b"".join([*lines, b"\r\n", body])


def plain_response(status: int, headers: Headers, text: bytes) -> bytes:
    """Return an answer of plain text, after which the connection ends."""
    own = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    ]
    return response(status, [*headers, *own], text)
