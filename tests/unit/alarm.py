"""A time limit that only what is not linear can reach."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def linear(seconds: float = 15) -> Iterator[None]:
    """Fail when the block computes longer than a megabyte could take any linear algorithm.

    What is quadratic takes minutes for it, so the limit is far from both. It counts the time of
    this process alone, for the machine may be busy.
    """

    def give_up(*_: Any) -> None:
        raise AssertionError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGPROF, give_up)
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    # A single call into C cannot be interrupted.
    assert time.process_time() - start < seconds
