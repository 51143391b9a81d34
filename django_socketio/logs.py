"""The package's logger, and how to write into it what comes from outside or comes often."""

from __future__ import annotations

import logging
import math

logger = logging.getLogger("django_socketio")


def safe(value: object, limit: int = 100) -> str:
    """``value`` without line breaks or other control characters, and no longer than ``limit``."""
    text = str(value)
    cut = text[:limit]
    shown = ascii(cut)[1:-1] if not (cut.isprintable() and cut.isascii()) else cut
    return shown[: 4 * limit] + ("…" if len(text) > limit else "")


class Bursts:
    """Errors that come in bursts: one line for each burst, which ends after 10 quiet seconds."""

    QUIET = 10.0

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def error(self, key: str, text: str, now: float) -> None:
        """Log ``text`` unless something was logged under ``key`` in the last seconds."""
        if now - self._last.get(key, -math.inf) > self.QUIET:
            self._last = {k: at for k, at in self._last.items() if now - at <= self.QUIET}
            logger.error("%s", text)
        self._last[key] = now

    def forget(self, key: str) -> None:
        """Begin a new burst the next time."""
        self._last.pop(key, None)
