"""Makes the cookie that the answer to a handshake may set."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any


def bake(wanted: dict[str, Any], sid: str) -> str:
    """Return the value of a Set-Cookie header that carries ``sid``.

    ``wanted`` is ``SOCKETIO["COOKIE"]`` as a dict, with keys in capitals or not and with
    underscores or not (``cookie`` in https://socket.io/docs/v4/server-options/). Raises
    CookieError, TypeError, ValueError or AttributeError for what a cookie cannot have.
    """
    attributes: dict[str, Any] = {"name": "io", "path": "/", "httponly": True, "samesite": "Lax"}
    for key, value in wanted.items():
        key = key.lower().replace("_", "")
        attributes["max-age" if key == "maxage" else key] = value
    name = attributes.pop("name")
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = sid
    for key, value in attributes.items():
        if value is not None and value is not False:
            if isinstance(value, str) and (not value.isprintable() or set(value) & set(";,")):
                raise ValueError(f"invalid cookie attribute {key}")
            cookie[name][key] = value
    return cookie[name].OutputString()
