"""What became of a question to clients, and acknowledgements as values of Python."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..exceptions import AckTimeout, Disconnected


def as_arguments(result: Any) -> list[Any]:
    """What a handler returned, as the arguments of an acknowledgement."""
    if result is None:
        return []
    return list(result) if type(result) is tuple else [result]


def as_result(arguments: list[Any]) -> Any:
    """The arguments of an acknowledgement, as what ``call`` returns: None, one value or a tuple."""
    if not arguments:
        return None
    return arguments[0] if len(arguments) == 1 else tuple(arguments)


class Outcome(NamedTuple):
    """What became of a question: the answers, how many sockets left, how many are silent."""

    answers: list[Any]
    gone: int
    silent: int

    def one(self) -> Any:
        """The answer of the one socket that was asked; raises Disconnected or AckTimeout."""
        if self.answers:
            return self.answers[0]
        if self.silent:
            raise AckTimeout
        raise Disconnected("the socket has left")

    def all(self) -> list[Any]:
        """The answers of all that were asked; raises AckTimeout where some are missing."""
        missing = self.gone + self.silent
        if missing:
            raise AckTimeout(self.answers, missing)
        return self.answers

    def __add__(self, other: Any) -> Outcome:
        return Outcome(
            self.answers + other.answers, self.gone + other.gone, self.silent + other.silent
        )


NOBODY = Outcome([], 0, 0)
