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
    failure: BaseException | None = None
    try:
        while True:
            value = failure = None
            try:
                value = yield waited_for
            except GeneratorExit:
                coro.close()
                raise
            except BaseException as error:
                failure = error
            # Outside of the except: what the coroutine raises later would be chained to this error,
            # and each further one to all before it.
            waited_for = coro.send(value) if failure is None else coro.throw(failure)
    except StopIteration as finished:
        return finished.value
    finally:
        failure = None  # its traceback holds this frame
