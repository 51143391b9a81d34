"""The package's logger, with helpers for text from clients and for errors that come often."""

from __future__ import annotations

import logging
import math

logger = logging.getLogger("django_socketio")


def safe(value: object, limit: int = 100) -> str:
    """Return the first ``limit`` characters of ``value`` as text, with control characters escaped.

    Escapes make it at most four times as long.
    """
    text = str(value)
    cut = text[:limit]
    shown = ascii(cut)[1:-1] if not (cut.isprintable() and cut.isascii()) else cut
    return shown[: 4 * limit] + ("…" if len(text) > limit else "")


class Bursts:
    """Logs one line for each burst of errors; a burst ends after ``QUIET`` seconds without one."""

    QUIET = 10.0

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def error(self, key: str, text: str, now: float, error: BaseException | None = None) -> None:
        """Log ``text`` unless ``key`` had an error in the last ``QUIET`` seconds.

        ``now`` is the time in seconds of any monotonic clock. The traceback of ``error`` is logged,
        too, where one is given.
        """
        if now - self._last.get(key, -math.inf) > self.QUIET:
            self._last = {k: at for k, at in self._last.items() if now - at <= self.QUIET}
            logger.error("%s", text, exc_info=error)
        self._last[key] = now

    def forget(self, key: str) -> None:
        """End the burst of ``key``: its next error is logged."""
        self._last.pop(key, None)
