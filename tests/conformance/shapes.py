"""What a scenario may show, built from its parts."""

from __future__ import annotations

from typing import Any

Observed = dict[str, Any]


def error(code: int, message: str, status: int = 400) -> Observed:
    return {
        "status": status,
        "type": "application/json",
        "json": {"code": code, "message": message},
    }


MESSAGES = {
    "Transport unknown": 0,
    "Session ID unknown": 1,
    "Bad handshake method": 2,
    "Bad request": 3,
    "Forbidden": 4,
    "Unsupported protocol version": 5,
}
BAD_REQUEST = error(3, "Bad request")
UNKNOWN_TRANSPORT = error(0, "Transport unknown")
UNKNOWN_SID = error(1, "Session ID unknown")
UNSUPPORTED = error(5, "Unsupported protocol version")
FORBIDDEN = error(4, "Forbidden", 403)
OK = {"status": 200, "type": "text/html", "packets": ["ok"]}
CLOSED = {"closed": 1000}


def poll(*packets: str) -> Observed:
    return {"status": 200, "type": "text/plain; charset=UTF-8", "packets": list(packets)}


def log(*entries: Any) -> list[Any]:
    return [["connect"], *entries]


CREDENTIALS = "access-control-allow-credentials"
METHODS = "access-control-allow-methods"
ORIGIN = "access-control-allow-origin"
HEADERS = "access-control-allow-headers"
METHODS_OF_NODE = "GET,HEAD,PUT,PATCH,POST,DELETE"
HANDSHAKE = (
    '0{"sid":"*","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,'
    '"maxPayload":1000000}'
)


def answer(kind: str, *packets: str, **headers: str) -> Observed:
    """A 200 with its headers."""
    shown: Observed = {
        "status": 200,
        "cache-control": "no-store",
        "content-type": kind,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return {**shown, "packets": list(packets)} if packets else shown


def error_of_node(shown: Observed, **headers: str) -> Observed:
    """An error with its headers, as Node shows it."""
    return {
        "status": shown["status"],
        "content-type": shown["type"],
        **{name.replace("_", "-"): value for name, value in headers.items()},
        "json": shown["json"],
    }


def error_of_ours(shown: Observed, **headers: str) -> Observed:
    return {**error_of_node(shown, **headers), "cache-control": "no-store"}


TEXT = "text/plain; charset=UTF-8"
COOKIE = {"set_cookie": "io=*; HttpOnly; Path=/; SameSite=Lax"}
LISTED = {"access_control_allow_credentials": "true", "vary": "Origin"}
VARIES = {"vary": "Origin"}
OWN = {"access_control_allow_origin": "http://OWN", "vary": "Origin"}
