"""The outcome of a question to clients, and acknowledgements as Python values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..exceptions import AckTimeout, Disconnected


def as_arguments(result: Any) -> list[Any]:
    """Return the arguments of an acknowledgement for what a handler returned.

    No argument for None, several for a tuple, else one.
    """
    if result is None:
        return []
    return list(result) if type(result) is tuple else [result]


def as_result(arguments: list[Any]) -> Any:
    """Return what ``call`` returns for these arguments: None, the only one, or a tuple of them."""
    if not arguments:
        return None
    return arguments[0] if len(arguments) == 1 else tuple(arguments)


# Is called with a socket's sid and its answer, as :func:`as_result` returns it.
Answered = Callable[[str, Any], None]


class Outcome(NamedTuple):
    """The outcome of a question to clients.

    ``answers`` are the answers in any order. ``gone`` is how many sockets left without one,
    ``silent`` how many have not answered in time.
    """

    answers: list[Any]
    gone: int
    silent: int

    def one(self) -> Any:
        """Return the one socket's answer. Raises Disconnected or AckTimeout if there is none."""
        if self.answers:
            return self.answers[0]
        if self.silent:
            raise AckTimeout
        raise Disconnected("the socket has left")

    def all(self) -> list[Any]:
        """Return the answers of all sockets. Raises AckTimeout if any is missing."""
        missing = self.gone + self.silent
        if missing:
            raise AckTimeout(self.answers, missing)
        return self.answers

    def __add__(self, other: Any) -> Outcome:
        return Outcome(
            self.answers + other.answers, self.gone + other.gone, self.silent + other.silent
        )


NOBODY = Outcome([], 0, 0)
