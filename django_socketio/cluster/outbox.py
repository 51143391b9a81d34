"""The queue of what is to be sent: operations go in, numbered messages come out. Without I/O."""

from __future__ import annotations

from collections import deque
from typing import Any

from .progress import Milestone, Progress
from .sequence import NONE, Numbers, Sender

# Operations that share a message, and about how large it may be in bytes.
MAX_OPERATIONS, MAX_MESSAGE_SIZE = 200, 262_144
# Messages that wait before the layer counts as congested, for volatile operations.
CONGESTED = 100
# Bytes that an operation is taken to need beside its data.
OVERHEAD = 100


class OutgoingMessage:
    """Operations for one destination: ``group``, or ``channel`` where that is empty."""

    __slots__ = ("channel", "group", "last", "numbers", "operations", "packed", "size")

    def __init__(self, group: str, channel: str, numbers: Numbers) -> None:
        self.group = group
        self.channel = channel
        self.numbers = numbers
        # The message as the layer takes it, where that is known already.
        self.packed: dict[str, Any] | None = None
        self.operations: list[list[Any]] = []
        # Its size in bytes, about; and the number of its last operation among all ever put.
        self.size = 0
        self.last = 0

    @property
    def destination(self) -> str:
        """What the message is numbered by."""
        return self.group + self.channel


class Outbox:
    """A queue in calling order, bounded to about ``max_size`` bytes.

    Operations for the same destination that stand next to each other share a message. Each message
    gets the next sequence number of its destination. ``sent`` counts operations: whoever takes a
    message and has sent it calls ``sent.finish(message.last)``. ``size`` is about how many bytes
    wait, 0 where nothing does.
    """

    def __init__(self, max_size: int) -> None:
        self.sent = Progress()
        self.size = 0
        self._max_size = max_size
        self._sender = Sender()
        self._messages: deque[OutgoingMessage] = deque()

    @property
    def overflows(self) -> bool:
        """Whether more waits than may."""
        return self.size > self._max_size

    @property
    def room(self) -> int:
        """How many bytes may be sent again: half of the queue is for what is new."""
        return self._max_size // 2 - self.size

    @property
    def position(self) -> int:
        """The position of the last message that was put."""
        return self._sender.position

    @property
    def congested(self) -> bool:
        """Whether so many messages wait that volatile operations should be dropped."""
        return len(self._messages) > CONGESTED

    def put(self, group: str, channel: str, operation: list[Any], size: int) -> Milestone:
        """Add an operation for a group, or for a channel where ``group`` is empty.

        ``size`` is about the size of its data in bytes. The milestone is reached when it is sent.
        """
        message = self._messages[-1] if self._messages else None
        if (
            message is None
            or message.group != group
            or message.channel != channel
            or len(message.operations) >= MAX_OPERATIONS
            or message.size + size > MAX_MESSAGE_SIZE
            or message.packed is not None
        ):
            message = OutgoingMessage(group, channel, self._sender.next(group + channel))
            self._messages.append(message)
        message.operations.append(operation)
        message.size += size + OVERHEAD
        self.size += size + OVERHEAD
        milestone = self.sent.give()
        message.last = self.sent.given
        return milestone

    def put_packed(self, channel: str, packed: dict[str, Any], size: int) -> None:
        """Add a message for one process that is not numbered."""
        message = OutgoingMessage("", channel, NONE)
        message.packed = packed
        message.size = size
        message.last = self.sent.given
        self.size += size
        self._messages.append(message)

    def used_since(self, position: int, limit: int) -> tuple[int, list[tuple[str, int]]]:
        """See :meth:`.sequence.Sender.used_since`."""
        return self._sender.used_since(position, limit)

    def drop_overflow(self) -> list[OutgoingMessage]:
        """Remove and return the oldest messages until the rest fits.

        One message is kept whatever its size. Receivers notice the numbers that are never sent.
        """
        dropped: list[OutgoingMessage] = []
        while self.overflows and len(self._messages) > 1:
            dropped.append(self.take())
        return dropped

    def take(self) -> OutgoingMessage:
        """Remove and return the oldest message. Raises IndexError if none waits."""
        message = self._messages.popleft()
        self.size -= message.size
        return message
