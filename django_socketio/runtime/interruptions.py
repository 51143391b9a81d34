"""Which exceptions end the running task, and which are an error of the code that it runs."""

from __future__ import annotations

import asyncio
import functools
import signal
import threading


def is_cut_off(error: BaseException) -> bool:
    """Return whether ``error`` ends the running task, and is no error of the code that it runs.

    That is: the task is cancelled, not only one that the code awaits; its coroutine is closed; or
    somebody has pressed Ctrl-C. SystemExit is an error: no handler may end the server.
    """
    if isinstance(error, Exception):
        return False
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        cancelling = getattr(task, "cancelling", None)  # Python 3.11
        return cancelling is None or cancelling() > 0
    if isinstance(error, KeyboardInterrupt):
        return _python_raises_on_ctrl_c()
    return isinstance(error, GeneratorExit)


def _python_raises_on_ctrl_c() -> bool:
    """Return whether KeyboardInterrupt can mean Ctrl-C; servers handle the signal themselves."""
    if threading.current_thread() is not threading.main_thread():
        return False
    handler = signal.getsignal(signal.SIGINT)
    # asyncio.run() wraps its own handler in a partial.
    return handler is signal.default_int_handler or isinstance(handler, functools.partial)
