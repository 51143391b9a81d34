"""Run a coroutine up to where it first waits, without a task.

Most handlers and nearly all writes finish without waiting, and a task for each would cost more than
the work itself. So a coroutine is stepped once, and only one that waits is awaited further.
tests/unit/test_costs.py counts the tasks.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

FINISHED = object()


def start(coro: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine up to where it first waits.

    Returns what it waits for, to be given to :func:`resume`; FINISHED if it has ended. Raises what
    the coroutine raises.
    """
    try:
        return coro.send(None)
    except StopIteration:
        return FINISHED


@types.coroutine
def resume(coro: Coroutine[Any, Any, Any], waited_for: Any) -> Generator[Any, Any, Any]:
    """Await the rest of a coroutine that :func:`start` has begun and that waits for ``waited_for``.

    Returns and raises what the coroutine does.
    """
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
            # Not inside the except clause: there, what the coroutine raises later would get this
            # error, and all before it, as its context.
            waited_for = coro.send(value) if failure is None else coro.throw(failure)
    except StopIteration as finished:
        return finished.value
    finally:
        failure = None  # its traceback holds this frame


@types.coroutine
def resume_in(
    run: Callable[..., Any],
    coro: Coroutine[Any, Any, Any],
    waited_for: Any,
    failure: BaseException | None = None,
) -> Generator[Any, Any, Any]:
    """Do the same for a coroutine that began in a context, whose ``run`` this is.

    With ``failure`` it does not wait, for that is thrown into it first.
    """
    error: BaseException | None = None
    try:
        while True:
            value = None
            if failure is None:
                try:
                    value = yield waited_for
                except GeneratorExit:
                    run(coro.close)
                    raise
                except BaseException as caught:
                    failure = caught
            if failure is None:
                waited_for = run(coro.send, value)
            else:
                error, failure = failure, None
                waited_for = run(coro.throw, error)
    except StopIteration as finished:
        return finished.value
    finally:
        failure = error = None  # its traceback holds this frame
