"""Bodies of HTTP requests, read no further than they may be."""

from __future__ import annotations

from typing import Any


class BodyAborted(Exception):
    """The client has dropped a request before its body was complete."""


class BodyTooLarge(Exception):
    """A request's body is larger than it may be."""


async def read_body(receive: Any, headers: dict[bytes, bytes], limit: int) -> bytes:
    """Read a request's body of at most ``limit`` bytes.

    Raises BodyTooLarge as soon as the body is known to be larger, whatever length was declared;
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
