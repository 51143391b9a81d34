"""Makes HTTP answers: errors, CORS headers, compression."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from typing import Any

from ..conf import Settings
from ..engineio import HandshakeRefused
from .bodies import PIECE
from .request import Request

Headers = list[tuple[bytes, bytes]]

# Bodies of at least this many bytes are compressed in a thread, for that would block the loop.
THREAD_SIZE = 65_536
# What zlib makes of the size of its window: more than 15 means gzip.
_WINDOWS = {"gzip": 31, "deflate": 15}
# When a session has ended, its client may take so many seconds to read the last answer.
ANSWER_TIMEOUT = 10.0
# The server has to end a connection on which the rest of a body may still come.
CLOSE_CONNECTION = (b"connection", b"close")
# An answer that depends on the origin; also one without an origin, for a cache may keep it.
VARIES: Headers = [(b"vary", b"Origin")]


async def respond(
    send: Any,
    status: int,
    body: bytes = b"",
    content_type: bytes = b"text/plain",
    headers: Any = (),
) -> None:
    """Send a whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                (b"cache-control", b"no-store"),
                *headers,
            ],
        }
    )
    await send_body(send, body)


async def send_body(send: Any, body: bytes, taken: Callable[[], object] | None = None) -> None:
    """Send the body of an answer, a large one in pieces.

    Each piece goes when the client has taken most of those before: what it does not read is then
    ours to drop, not in a buffer of the server's. ``taken`` is called when the server has taken the
    first piece.
    """
    begin = 0
    while len(body) - begin > PIECE:
        piece = body[begin : begin + PIECE]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if taken is not None:
            taken()
            taken = None
        begin += PIECE
    await send({"type": "http.response.body", "body": body[begin:] if begin else body})
    if taken is not None:
        taken()


def error_body(refused: HandshakeRefused) -> bytes:
    """Return the body of an error answer: its code and text as JSON; b"" for status 429 or 503.

    A client should try again after these. python-socketio's client gives up if that answer has a
    body, because it closes the connection before it reads one.
    """
    if refused.status in (429, 503):
        return b""
    return json.dumps({"code": int(refused.code), "message": refused.message}).encode()


def cors_headers(request: Request) -> Headers:
    """Return the headers that let a page of an allowed origin read the answer.

    See ``cors`` in https://socket.io/docs/v4/server-options/. "*" never goes with credentials:
    :mod:`~django_socketio.conf` refuses that pair.
    """
    settings: Settings = request.hub.settings
    if request.origin is None:
        return VARIES if settings.cors_allowed_origins not in ("*", []) else []
    if settings.cors_allowed_origins == "*":
        headers = [(b"access-control-allow-origin", b"*")]
    else:
        headers = [(b"access-control-allow-origin", request.origin.encode("latin-1")), *VARIES]
        if settings.cors_allow_credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
    if settings.cors_exposed_headers:
        exposed = ",".join(settings.cors_exposed_headers).encode()
        headers.append((b"access-control-expose-headers", exposed))
    return headers


def preflight_headers(request: Request) -> Headers:
    """Return the headers of the answer to a preflight.

    Without CORS_ALLOWED_HEADERS they allow each header that is asked for.
    """
    settings: Settings = request.hub.settings
    headers = [*cors_headers(request), (b"access-control-allow-methods", b"GET,POST")]
    if settings.cors_allowed_headers is None:
        headers.append((b"vary", b"Access-Control-Request-Headers"))
        allowed = request.headers.get(b"access-control-request-headers", b"")
    else:
        allowed = ",".join(settings.cors_allowed_headers).encode()
    if allowed:
        headers.append((b"access-control-allow-headers", allowed))
    if settings.cors_max_age is not None:
        headers.append((b"access-control-max-age", b"%d" % settings.cors_max_age))
    return headers


def choose_encoding(accepted: str) -> str | None:
    """Return "gzip" or "deflate", whichever an Accept-Encoding header prefers, or None."""
    best, best_quality = None, 0.0
    parts = accepted.lower().split(",")
    named = {part.partition(";")[0].strip() for part in parts}
    for part in parts:
        name, *parameters = (item.strip() for item in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if name == "*":
            name = next((other for other in ("gzip", "deflate") if other not in named), name)
        if name in ("gzip", "deflate") and quality > best_quality:
            best, best_quality = name, quality
    return best


async def compress(body: bytes, encoding: str, level: int = 6) -> bytes:
    """Return ``body`` compressed; ``encoding`` is "gzip" or "deflate", ``level`` is zlib's."""
    if len(body) < THREAD_SIZE:
        return _compress(body, encoding, level)
    return await asyncio.to_thread(_compress, body, encoding, level)


def _compress(body: bytes, encoding: str, level: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, _WINDOWS[encoding])
    return compressor.compress(body) + compressor.flush()
