"""The package's logger, and how to write what a client sent into a log line."""

from __future__ import annotations

import logging

logger = logging.getLogger("django_socketio")


def safe(value: object, limit: int = 100) -> str:
    """``value`` without line breaks or other control characters, and no longer than ``limit``."""
    text = str(value)
    cut = text[:limit]
    shown = ascii(cut)[1:-1] if not (cut.isprintable() and cut.isascii()) else cut
    return shown[: 4 * limit] + ("…" if len(text) > limit else "")
