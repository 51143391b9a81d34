"""How much one page may ask for in a while."""

from __future__ import annotations

import time


class Allowance:
    """`burst` events at once, then `per_second` of them each second (a token bucket)."""

    def __init__(self, burst: float, per_second: float) -> None:
        self.burst = burst
        self.per_second = per_second
        self.left = burst
        self.at = time.monotonic()

    def take(self) -> bool:
        """Use up one event. False when there is none left at the moment."""
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
