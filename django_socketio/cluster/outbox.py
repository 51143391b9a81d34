"""The queue of what is to be sent: operations go in, numbered messages come out. Without I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .messages import CARRIED
from .progress import Milestone, Progress
from .sequence import NONE, Numbers, Sender

# Operations that share a message, and about how large it may be in bytes.
MAX_OPERATIONS, MAX_MESSAGE_SIZE = 200, 262_144
# Messages that wait before the layer counts as congested, for volatile operations.
CONGESTED = 100
# The part of the room that tunnels may always take.
TUNNELS_SHARE = 1 / 8
# Bytes that an operation is taken to need beside its data.
OVERHEAD = 100


class OutgoingMessage:
    """Operations for one destination.

    That is ``group``, or one process by its ``channel``: then ``group`` is empty, or CARRIED for
    operations of tunnels.
    """

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

    What tunnels carry is never dropped. They ask :meth:`has_room` first, and wait.
    """

    def __init__(self, max_size: int) -> None:
        self.sent = Progress()
        self.size = 0
        self._max_size = max_size
        self._sender = Sender()
        self._newest: OutgoingMessage | None = None
        # What may be dropped, and what tunnels carry. ``last`` tells which of two is older.
        self._messages: deque[OutgoingMessage] = deque()
        self._carried: deque[OutgoingMessage] = deque()
        self._carried_size = 0
        self._room_made: Callable[[], None] = lambda: None
        self._room_wanted = False

    def has_room(self, size: int) -> bool:
        """Return whether a tunnel may add an operation of so many bytes.

        It may while less than half is taken, by whatever it is. Tunnels may always take a share of
        TUNNELS_SHARE, so that broadcasts without end do not stop them. If it may not, it is told
        later: :meth:`when_room_is_made`. Raises ValueError for an operation that never fits.
        """
        size += OVERHEAD
        if size > self._max_size:
            raise ValueError("an operation is larger than MAX_LAYER_BUFFER_SIZE")
        if not self.half_full and self.size + size <= self._max_size:
            return True
        if self._carried_size + size <= self._max_size * TUNNELS_SHARE:
            return True
        self._room_wanted = True
        return False

    @property
    def half_full(self) -> bool:
        """Whether what tunnels carry has to wait."""
        return self.room < 0

    def when_room_is_made(self, call: Callable[[], None]) -> None:
        """Call something whenever there is room again where :meth:`has_room` found none."""
        self._room_made = call

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
        return len(self._messages) + len(self._carried) > CONGESTED

    def put(self, group: str, channel: str, operation: list[Any], size: int) -> Milestone:
        """Add an operation for a group, or for a channel where ``group`` is empty or CARRIED.

        ``size`` is about the size of its data in bytes. The milestone is reached when it is sent.
        """
        message = self._newest
        if (
            message is None
            or message.group != group
            or message.channel != channel
            or len(message.operations) >= MAX_OPERATIONS
            or message.size + size > MAX_MESSAGE_SIZE
            or message.packed is not None
        ):
            message = OutgoingMessage(group, channel, self._sender.next(group + channel))
            self._newest = message
            (self._carried if group == CARRIED else self._messages).append(message)
        if group == CARRIED:
            self._carried_size += size + OVERHEAD
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
        self._newest = message
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
            dropped.append(self._take(self._messages))
        return dropped

    def take(self) -> OutgoingMessage:
        """Remove and return the oldest message. Raises IndexError if none waits."""
        carried, messages = self._carried, self._messages
        if carried and not (messages and messages[0].last < carried[0].last):
            return self._take(carried)
        return self._take(messages)

    def _take(self, messages: deque[OutgoingMessage]) -> OutgoingMessage:
        message = messages.popleft()
        self.size -= message.size
        if message is self._newest:
            self._newest = None  # it is closed
        if messages is self._carried:
            self._carried_size -= message.size
        if self._room_wanted and (
            not self.half_full or self._carried_size * 2 <= self._max_size * TUNNELS_SHARE
        ):
            self._room_wanted = False
            self._room_made()
        return message
