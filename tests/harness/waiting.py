"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

DEADLINE = 15.0


def until(condition: Callable[[], Result | None], what: str, deadline: float = DEADLINE) -> Result:
    """The first true answer of `condition`; AssertionError where it stays false too long."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        time.sleep(0.01)
