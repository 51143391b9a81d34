"""Reads the bodies of HTTP requests, up to a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

# The largest piece of a body that is passed on, in bytes.
PIECE = 65_536


class BodyAborted(Exception):
    """The client drops a request before its body is complete."""


class BodyTooLarge(Exception):
    """A request's body is larger than the limit."""


async def read_body(receive: Any, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Return a request's body of at most ``limit`` bytes.

    Raises BodyTooLarge as soon as the declared length or what has arrived is more than ``limit``,
    BodyAborted if the client drops the request.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and len(declared) < 20 and int(declared) > limit:
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyAborted
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def read_pieces(receive: Any, limit: int) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield a request's body in pieces as it arrives, and whether more of it follows.

    Raises BodyTooLarge when more than ``limit`` bytes have arrived, BodyAborted if the client drops
    the request.
    """
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyAborted
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        for start in range(0, len(chunk), PIECE):
            end = start + PIECE
            yield chunk[start:end], more or end < len(chunk)
        if not (chunk or more):
            yield b"", False
