"""What a client brought along when it connected."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Handshake:
    """The handshake's request, as in Socket.IO's ``socket.handshake``; also readable as a mapping.

    ``headers`` has lower-case keys, ``query`` maps str to str, ``address`` is the client's without
    the port ("" where the server does not know it), ``time`` is when it connected (aware, UTC),
    ``secure`` whether it came over TLS, ``auth`` what it sent with CONNECT, or None.
    """

    headers: dict[str, str]
    query: dict[str, str]
    address: str
    time: datetime
    secure: bool
    auth: Any

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self, key)
        except AttributeError:
            raise KeyError(key) from None

    def as_dict(self) -> dict[str, Any]:
        """The same as a plain dict."""
        return asdict(self)


def read_headers(scope: dict[str, Any]) -> dict[str, str]:
    """Headers by lower-case name; one that is repeated has its values joined, as HTTP has it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


def read_handshake(scope: dict[str, Any], auth: Any, time: datetime) -> Handshake:
    """Make the :class:`Handshake` of an ASGI scope."""
    query = scope.get("query_string", b"").decode("utf-8", "replace")
    client = scope.get("client")
    return Handshake(
        headers=read_headers(scope),
        query=dict(parse_qsl(query, keep_blank_values=True, errors="replace")),
        address=client[0] if client else "",
        time=time,
        secure=scope.get("scheme") in ("https", "wss"),
        auth=auth,
    )
