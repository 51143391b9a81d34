"""What this process says of its own messages, and which of them it sends again. Without I/O."""

from __future__ import annotations

from typing import Any, NamedTuple

from .kept import Kept
from .messages import PRIVATE, Kind, pack
from .outbox import Outbox, OutgoingMessage
from .progress import Milestone
from .sequence import NONE
from .signing import Signer

# Destinations that are named at a time.
MAX_NAMED = 200
# How many bytes are sent again at a time.
BATCH_SIZE = 500_000
# About how many bytes a name takes.
NAME_SIZE = 70


class Answer(NamedTuple):
    """What is sent to a process that misses something.

    First a message that is not numbered, ``again``, which holds so many ``messages`` (None for
    none), then an operation; and their sizes.
    """

    messages: int
    again: dict[str, Any] | None
    weight: int
    operation: list[Any]
    size: int


class Resending:
    """Keeps what is sent, at most about ``max_size`` bytes of it; ``node`` is this process's id."""

    def __init__(self, node: str, outbox: Outbox, signer: Signer, max_size: int) -> None:
        self.kept = Kept(max_size)
        self._node = node
        self._outbox = outbox
        self._signer = signer
        # Up to which position everybody has been told.
        self._told = 0
        # Our last answer to each process, until it is sent.
        self._answers: dict[str, Milestone] = {}

    def pack(self, message: OutgoingMessage, keep: bool) -> dict[str, Any] | None:
        """Return a message as the layer takes it, and keep it if others could ask for it.

        Returns None for what cannot be packed.
        """
        content = pack(self._node, message.group, message.numbers, message.operations)
        packed = self._signer.sign(content, message.channel)
        if keep:
            self.kept.add(message, packed)
        return packed

    def announcement(self, channel: str, now: float) -> tuple[list[Any], int]:
        """Return the operation that tells everybody where we stand, and its size.

        It names the destinations that were used since the last one. ``channel`` is our own.
        """
        self.kept.age(now)
        operation, size = self._said(channel, False, self._told, {})
        self._told = operation[4]
        return operation, size

    def position(self, channel: str) -> tuple[list[Any], int]:
        """Return the operation that tells where we stand who has missed nothing, and its size."""
        return self._said(channel, False, self._outbox.position, {})

    def answer(
        self, sender: str, asker: str, channel: str, since: int, missing: list[Any]
    ) -> Answer | None:
        """Return what a process is to be sent that asks for what is missing.

        ``asker`` is its channel. None while our last answer waits, or much else does.
        """
        answer = self._answers.get(sender)
        if (answer is not None and not answer.done) or self._outbox.room <= 0:
            return None
        wanted = (
            (group + asker if group in PRIVATE else group, after, until)
            for group, after, until in missing
        )
        batch, weight, gone = self.kept.find(wanted, min(self._outbox.room, BATCH_SIZE))
        again = None
        if batch:
            content = pack(self._node, "", NONE, [[Kind.RESENT, batch]])
            again = self._signer.sign(content, asker)
        return Answer(len(batch), again, weight, *self._said(channel, True, since, gone))

    def answered(self, sender: str, milestone: Milestone) -> None:
        """Note that an answer waits to be sent."""
        self._answers = {node: one for node, one in self._answers.items() if not one.done}
        self._answers[sender] = milestone

    def _said(
        self, channel: str, answer: bool, since: int, gone: dict[str, int]
    ) -> tuple[list[Any], int]:
        until, last = self._outbox.used_since(since, MAX_NAMED)
        named = [list(one) for one in last], [list(one) for one in gone.items()]
        size = NAME_SIZE * (len(last) + len(gone))
        return [Kind.SAID, channel, answer, since, until, *named], size
