"""Whether work grows in proportion to its input."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def seconds(work: Callable[[], Any], repeats: int = 3) -> float:
    """CPU seconds of one call, at best."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def grows_linearly(work: Callable[[int], Callable[[], Any]], size: int, factor: int = 8) -> bool:
    """Whether ``factor`` times the input takes about ``factor`` times as long.

    ``work(n)`` prepares what is to be measured. Work that is quadratic takes the square of
    ``factor``; what is nearer to that than to ``factor`` is too long. What takes less than a
    millisecond takes no time.
    """
    small = max(seconds(work(size)), 0.001)
    return seconds(work(size * factor)) < small * factor**1.75
