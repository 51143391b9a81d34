"""Sessions for tests, past their handshake."""

from __future__ import annotations

import json
from typing import Any

from django_socketio.engineio import Session, SessionOptions

# Whole numbers, so that sums of them are exact, and so long that pings fall on whole seconds.
INTERVAL = 40.0
TIMEOUT = 20.0
UPGRADE_TIMEOUT = 8.0


def make_session(transport: str = "websocket", now: float = 0, **options: Any) -> Session:
    """A session whose OPEN packet has been written."""
    session = new_session(transport, now, **options)
    session.set_writable(True)
    session.take()
    session.unheard = 0
    session.set_writable(transport == "websocket")
    return session


def new_session(transport: str = "websocket", now: float = 0, **options: Any) -> Session:
    defaults = {
        "ping_interval": INTERVAL,
        "ping_timeout": TIMEOUT,
        "upgrade_timeout": UPGRADE_TIMEOUT,
    }
    return Session("the-sid", SessionOptions(**{**defaults, **options}), transport, now)


def messages(session: Session, payload: str | bytes) -> list[str | bytes]:
    """The messages of a payload, which the session takes."""
    return [data for data in session.receive_payload(payload) if data is not None]


def written(session: Session, size: int) -> bool:
    """Write past the buffer as the owner does. Returns whether it has to ask then."""
    session.unheard += size
    return session.unheard > session.unheard_mark


def texts(session: Session) -> list[str]:
    """What waits in the buffer, taken out of it."""
    session.set_writable(True)
    return [frame.text for frame in session.take()]


def handshake(session: Session) -> dict[str, Any]:
    """The data of the OPEN packet."""
    (packet,) = texts(session)
    assert packet[0] == "0"
    data: dict[str, Any] = json.loads(packet[1:])
    return data
