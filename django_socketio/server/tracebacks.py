"""Errors about a project's mistake, raised so that their traceback ends in the project's file."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType, FunctionType
from typing import Any, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured

F = TypeVar("F", bound=Callable[..., Any])

# The exceptions for a project's mistakes. Any other is an error of ours, and keeps its traceback.
MISTAKES = (TypeError, ValueError, ImproperlyConfigured, re.error)

OURS = __name__.rpartition(".")[0] + "."

# Functions of metaclasses and mixins that Python calls between a class statement and our code.
BETWEEN = ("__new__", "__init_subclass__")


def ends_in_project(function: F) -> F:
    """Make the mistakes that ``function`` raises end their traceback in the project's file.

    Django's autoreload watches the file of the last line of a traceback. Were that one of ours,
    ``runserver`` would not notice that the project's file has been mended.
    """

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MISTAKES as error:
            mistake = error
        return _raise_at(_project_frame(), mistake)

    return cast(F, wrapper)


def _project_frame() -> FrameType:
    """Return the frame of the project's class statement, decorator or call that came to us."""
    frame = sys._getframe()
    while frame.f_back is not None and (
        frame.f_globals.get("__name__", "").startswith(OURS) or frame.f_code.co_name in BETWEEN
    ):
        frame = frame.f_back
    return frame


def _raise_at(frame: FrameType, error: Exception) -> None:
    """Raise ``error`` from a function that claims the file and the line of ``frame``.

    Python can add a frame to the end of a traceback, but cannot remove one.
    """
    code = _raise.__code__.replace(
        co_filename=frame.f_code.co_filename,
        co_name=frame.f_code.co_name,
        co_firstlineno=frame.f_lineno - 1,
    )
    FunctionType(code, {})(error.with_traceback(None))


def _raise(error: Exception) -> None:
    raise error  # one line below the first
