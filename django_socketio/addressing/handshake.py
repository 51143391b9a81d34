"""What is known of the request that a client connected with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from ..logs import safe


@dataclass(frozen=True, repr=False)
class Handshake(Mapping[str, Any]):
    """The request that a client connected with; also a read-only mapping with the same keys.

    ``headers`` has lower-case keys. ``query`` maps str to str. ``address`` is the client's, without
    the port, "" if the server does not know it. ``time`` is when it connected (aware, UTC).
    ``secure`` is True over TLS. ``auth`` is what it sent with CONNECT, or None. As in
    https://socket.io/docs/v4/server-socket-instance/#sockethandshake
    """

    headers: dict[str, str]
    query: dict[str, str]
    address: str
    time: datetime
    secure: bool
    auth: Any

    def __getitem__(self, key: str) -> Any:
        if key not in _FIELDS:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)

    def __repr__(self) -> str:
        """Leave out headers, query and ``auth``, which hold cookies, tokens and passwords."""
        return f"<Handshake {safe(self.address)} time={self.time} secure={self.secure}>"

    def as_dict(self) -> dict[str, Any]:
        """Return the same as a plain dict."""
        return asdict(self)


_FIELDS = tuple(field.name for field in fields(Handshake))


def read_headers(scope: dict[str, Any]) -> dict[str, str]:
    """Return the headers by lower-case name. The values of a repeated one are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


def address_of(scope: dict[str, Any]) -> str:
    """Return the client's address in an ASGI scope, "" if the server does not know it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def read_handshake(scope: dict[str, Any], auth: Any, time: datetime) -> Handshake:
    """Make the :class:`Handshake` of an ASGI scope."""
    query = scope.get("query_string", b"").decode("utf-8", "replace")
    return Handshake(
        headers=read_headers(scope),
        query=dict(parse_qsl(query, keep_blank_values=True, errors="replace")),
        address=address_of(scope),
        time=time,
        secure=scope.get("scheme") in ("https", "wss"),
        auth=auth,
    )
