"""Rates in the notation of Django REST framework: "10/s" is ten events in any second."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"([1-9][0-9]*)/(s|sec|second|m|min|minute|h|hour|d|day)")


@dataclass(frozen=True)
class Rate:
    """At most ``number`` events within any ``seconds``.

    https://www.django-rest-framework.org/api-guide/throttling/#setting-the-throttling-policy
    """

    number: int
    seconds: int

    def admit(self, passed: deque[float], now: float) -> float:
        """Return 0.0 if an event may pass, else the seconds after which one may.

        ``passed`` has the times of the events that have passed, ``number`` at most, and gets
        ``now`` if this one passes.
        """
        if len(passed) >= self.number:
            left = passed[0] + self.seconds - now
            if left > 0:
                return left
            passed.popleft()
        passed.append(now)
        return 0.0


def parse_rate(text: object) -> Rate:
    """Return the rate that ``text`` means. Raises ValueError for what is none."""
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f'{text!r} is no rate: write "10/s", a number of events and a time, /s, /m, /h or /d'
        )
    return Rate(int(match[1]), _SECONDS[match[2][0]])


def in_milliseconds(seconds: float) -> float:
    """Return ``seconds`` rounded up to thousandths, so that nobody comes too early."""
    return math.ceil(seconds * 1000) / 1000
