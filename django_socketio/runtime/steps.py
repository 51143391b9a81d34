"""Running a coroutine up to where it first waits, without a task.

Most handlers and nearly all writes finish without ever waiting. A task for each would cost more
than the work itself; so a coroutine is stepped once, and only one that waits gets further
machinery.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from typing import Any

FINISHED = object()


def start(coro: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine up to where it first waits.

    Returns what it waits for, for :func:`resume`; FINISHED where it has ended. Raises what it
    raises.
    """
    try:
        return coro.send(None)
    except StopIteration:
        return FINISHED


@types.coroutine
def resume(coro: Coroutine[Any, Any, Any], waited_for: Any) -> Generator[Any, Any, Any]:
    """Await the rest of a coroutine that was started by hand and waits for ``waited_for``."""
    try:
        while True:
            try:
                value = yield waited_for
            except GeneratorExit:
                coro.close()
                raise
            except BaseException as error:
                waited_for = coro.throw(error)
            else:
                waited_for = coro.send(value)
    except StopIteration as finished:
        return finished.value
