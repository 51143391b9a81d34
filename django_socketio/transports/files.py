"""Serves the official client's files under our path, as the Node server does.

See ``serveClient`` in https://socket.io/docs/v4/server-options/#serveclient
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, NamedTuple

from django.utils.http import parse_etags

from ..bundles import ADVICE, find
from .gateway import Gateway
from .http import choose_encoding, compress, cors_headers, respond, send_body
from .origins import Access, access_of, is_secure
from .request import Request

Scope = dict[str, Any]

# The level of zlib with which files are compressed, once.
SMALLEST = 9
MISSING = f"The Socket.IO client's %s is not installed. {ADVICE}"


class Content(NamedTuple):
    """What is sent of a file, in one encoding."""

    etag: str
    body: bytes


class ClientFiles:
    """Serves the files that :data:`django_socketio.bundles.SERVED` names, by the path's last part.

    They are read, and compressed, when they are first asked for.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._contents: dict[tuple[str, str | None], Content] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        request = self._gateway.read_request(scope)
        if request.method not in ("GET", "HEAD"):
            await respond(send, 405, headers=[(b"allow", b"GET, HEAD")])
            return
        name = scope["path"].rpartition("/")[2]
        encoding = choose_encoding(request.header(b"accept-encoding"))
        content = self._contents.get((name, encoding)) or await self._load(name, encoding)
        if content is None:
            request.hub.runtime.log.warning(MISSING, name)
            await respond(send, 404, (MISSING % name).encode())
            return
        headers = [
            (b"cache-control", b"public, max-age=0"),
            (b"etag", content.etag.encode()),
            (b"vary", b"Accept-Encoding, Origin"),
            *_readable(scope, request),
        ]
        if _is_known(content.etag, request.header(b"if-none-match")):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send_body(send, b"")
            return
        kind = b"json" if name.endswith(".map") else b"javascript"
        headers += [
            (b"content-type", b"application/" + kind + b"; charset=utf-8"),
            (b"content-length", b"%d" % len(content.body)),
        ]
        if encoding is not None:
            headers.append((b"content-encoding", encoding.encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send_body(send, b"" if request.method == "HEAD" else content.body)

    async def _load(self, name: str, encoding: str | None) -> Content | None:
        """Return a file's content in an encoding, and keep it; None if it is not installed."""
        path = await asyncio.to_thread(find, name)
        if path is None:
            return None
        body = await asyncio.to_thread(path.read_bytes)
        digest = hashlib.sha256(body).hexdigest()[:16]
        if encoding is None:
            content = Content(f'"{digest}"', body)
        else:
            content = Content(f'"{digest}-{encoding}"', await compress(body, encoding, SMALLEST))
        self._contents[name, encoding] = content
        return content


def _is_known(etag: str, known: str) -> bool:
    """Return whether an If-None-Match header names an entity tag (RFC 9110, section 13.1.2)."""
    tags = parse_etags(known)
    return tags == ["*"] or etag in (tag.removeprefix("W/") for tag in tags)


def _readable(scope: Scope, request: Request) -> list[tuple[bytes, bytes]]:
    """Return the headers that let a page of an origin that may use this server read a file.

    The files are no secret: others may run them as a script, as from any host.
    """
    host, secure = request.header(b"host"), is_secure(scope, request.headers)
    if request.origin is None or (
        access_of(request.origin, host, secure, request.hub.settings) is Access.REFUSED
    ):
        return []
    return [header for header in cors_headers(request) if header[0] != b"vary"]
