"""Makes the cookie that the answer to a handshake may set."""

from __future__ import annotations

from datetime import datetime
from http.cookies import Morsel
from typing import Any

from django.utils.http import http_date, parse_http_date

_PRIORITIES = ("low", "medium", "high")


class _Morsel(Morsel):
    """A cookie with the attributes that ``http.cookies`` does not know, or not on old Pythons."""

    _reserved = {  # noqa: RUF012
        **Morsel._reserved,  # type: ignore[attr-defined]
        "partitioned": "Partitioned",
        "priority": "Priority",
    }
    _flags = {*Morsel._flags, "partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012


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
    cookie = _Morsel()
    cookie.set(attributes.pop("name"), sid, sid)
    for key, value in attributes.items():
        if value is None or value is False or value == "":
            continue
        if key == "expires":
            value = _date(value)
        elif isinstance(value, str) and (not value.isprintable() or set(value) & set(";,")):
            raise ValueError(f"invalid cookie attribute {key}")
        elif key == "priority":
            value = value.capitalize()
            if value.lower() not in _PRIORITIES:
                raise ValueError("an unknown priority")
        elif key == "partitioned" and value is not True:
            raise ValueError("neither partitioned nor not")
        cookie[key] = value
    return cookie.OutputString()


def _date(value: Any) -> str:
    """Return a date as HTTP writes it.

    ``value`` is an aware datetime, or text of that form. Raises ValueError for any other.
    """
    if isinstance(value, str):
        return http_date(parse_http_date(value))
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise ValueError("no date with a time zone")
    return http_date(value.timestamp())
