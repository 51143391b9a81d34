"""The package's logger, and how it says what clients cause: escaped, shortened, and not too often.

Text from outside goes through :func:`safe`. A traceback shows what an exception says, which may be
a client's: the logger escapes its lines. What may come in bursts is logged through :class:`Bursts`.
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import NamedTuple

logger = logging.getLogger("django_socketio")

_ARGUMENT = re.compile("%[^ ]")
# What is shown of a traceback: so many characters of a line, and lines at its beginning and end.
MAX_LINE, FIRST_LINES, LAST_LINES = 300, 30, 90


def safe(value: object, limit: int = 100) -> str:
    """Return the first ``limit`` characters of ``value`` as text, with control characters escaped.

    Escapes make it at most four times as long.
    """
    text = str(value)
    cut = text[:limit]
    shown = ascii(cut)[1:-1] if not (cut.isprintable() and cut.isascii()) else cut
    return shown[: 4 * limit] + ("…" if len(text) > limit else "")


def printable(text: str) -> str:
    """Return ``text`` with what is not printable escaped: also NUL and half surrogate pairs.

    A database may not take these two.
    """
    return text if text.isprintable() else ascii(text)[1:-1]


def _escape_traceback(record: logging.LogRecord) -> bool:
    """Set the text of a record's traceback, which every formatter of ``logging`` shows.

    Each line is indented, so that none can look like a line of the log. ``exc_info`` stays for
    handlers that want the exception itself.
    """
    if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
        lines = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n").split("\n")
        omitted = len(lines) - FIRST_LINES - LAST_LINES
        if omitted > 0:
            lines[FIRST_LINES:-LAST_LINES] = [f"  … {omitted} lines …"]
        record.exc_text = "\n".join("  " + safe(line, MAX_LINE) for line in lines)
    return True


logger.addFilter(_escape_traceback)


class Rate(NamedTuple):
    """At most ``lines`` lines within ``period`` seconds."""

    lines: int
    period: float


# For what says the same each time, and for what says something new: who was refused, a traceback.
ONE = Rate(1, 10.0)
SOME = Rate(10, 1.0)


class _Kind:
    """The lines of one kind within a period, which ends at ``end``."""

    __slots__ = ("end", "left", "level", "omitted", "rate")

    def __init__(self, level: int, rate: Rate, now: float) -> None:
        self.level = level
        self.rate = rate
        self.left = rate.lines
        self.omitted = 0
        self.end = now + rate.period


class Bursts:
    """Logs the first lines of each kind within a period, and at its end how many were left out.

    Lines are of one kind that have the same ``text`` and ``kind``; both come from the program.
    ``now`` is the time in seconds of any monotonic clock. At most ``MAX_KINDS`` kinds are told
    apart at a time; further ones count as one.
    """

    MAX_KINDS = 500
    OTHER = "lines of many kinds", ""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        # Whether lines were left out of which nothing was said yet.
        self.omitting = False

    def log(
        self,
        now: float,
        level: int,
        rate: Rate,
        text: str,
        *args: object,
        kind: str = "",
        error: BaseException | None = None,
    ) -> None:
        """Log ``text % args``, unless too many lines of this kind were logged in this period.

        Each argument that is no number is made :func:`safe`. ``error`` is shown with its traceback.
        """
        if self._admits(now, level, rate, (text, kind)):
            shown = [arg if isinstance(arg, (int, float)) else safe(arg) for arg in args]
            logger.log(level, text, *shown, exc_info=error)

    def error(self, kind: str, text: str, now: float) -> None:
        """Log ``text`` as an error, at most once in ten seconds for each ``kind``."""
        self.log(now, logging.ERROR, ONE, text, kind=kind)

    def failure(self, error: BaseException, text: str, now: float) -> None:
        """Log an exception with its traceback, at most ten times a second."""
        self.log(now, logging.ERROR, SOME, text, error=error)

    def _admits(self, now: float, level: int, rate: Rate, key: tuple[str, str]) -> bool:
        kind = self._kinds.get(key)
        if kind is None or now >= kind.end:
            self.end_periods(now)
            if len(self._kinds) >= self.MAX_KINDS:
                key = self.OTHER
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._kinds[key] = _Kind(level, rate, now)
        if kind.left:
            kind.left -= 1
            return True
        kind.omitted += 1
        self.omitting = True
        return False

    def end_periods(self, now: float) -> float | None:
        """Log how many lines were left out in the periods that are over.

        Returns when the next period ends in which some were left out; None if there is none.
        """
        for (text, name), kind in list(self._kinds.items()):
            if now >= kind.end:
                del self._kinds[text, name]
                if kind.omitted:
                    like = _ARGUMENT.sub("...", text) + (f" ({name})" if name else "")
                    logger.log(
                        kind.level,
                        "%d more lines were left out within %g s: %s",
                        kind.omitted,
                        kind.rate.period,
                        safe(like, 200),
                    )
        ends = [kind.end for kind in self._kinds.values() if kind.omitted]
        self.omitting = bool(ends)
        return min(ends, default=None)

    def forget(self, kind: str) -> None:
        """Begin anew with a kind: its next line is logged."""
        for key in [key for key in self._kinds if key[1] == kind]:
            del self._kinds[key]
