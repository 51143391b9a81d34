"""What ALLOW_REQUEST names: refuses a handshake with the reason that the client asks for."""

from __future__ import annotations

from typing import Any


def allow(scope: dict[str, Any]) -> bool | str:
    reason = dict(scope["headers"]).get(b"x-refuse")
    return True if reason is None else reason.decode()
