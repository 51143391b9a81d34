"""A time limit that only what is not linear can reach."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def linear(seconds: float = 10) -> Iterator[None]:
    """Fail when the block takes longer than a megabyte could take any linear algorithm.

    What is quadratic takes minutes for it, so the limit is far from both.
    """

    def give_up(*_: Any) -> None:
        raise AssertionError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    start = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    # A single call into C cannot be interrupted.
    assert time.monotonic() - start < seconds
