"""Reads the bodies of HTTP requests, up to a limit."""

from __future__ import annotations

from typing import Any


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
