"""Coroutines that nobody awaits: with ``DEBUG`` Python's warning of them is seen on any server.

daphne gives all warnings to Twisted's log, and that to nobody.
"""

from __future__ import annotations

import warnings
from typing import Any

from ..logs import logger, safe

_MARK = "was never awaited"


def show_forgotten_awaits() -> None:
    """Log Python's warnings of coroutines that were never awaited. Safe to call again."""
    before = warnings.showwarning
    if getattr(before, "shows_forgotten_awaits", False):
        return

    def show(
        message: Any, category: type[Warning], filename: str, lineno: int, *args: Any, **kwargs: Any
    ) -> None:
        if issubclass(category, RuntimeWarning) and _MARK in str(message):
            logger.warning(
                "%s: did you forget “await”? (%s, line %d)",
                safe(str(message).partition("\n")[0], 200),
                safe(filename, 200),
                lineno,
            )
        else:
            before(message, category, filename, lineno, *args, **kwargs)

    show.shows_forgotten_awaits = True  # type: ignore[attr-defined]
    warnings.showwarning = show
