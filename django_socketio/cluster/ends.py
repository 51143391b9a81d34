"""The two ends of a tunnel: messages in order, and a window for each direction.

A message is a list of plain values whose meaning only the two users of a tunnel know. What counts
is its size: a sender waits while more than :data:`WINDOW` bytes are on their way, and the receiver
gives credit for what it has processed. The credit for an HTTP answer is called its receipt.

All ends of a process share one :class:`Exit`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from ..runtime.patience import Patience
from ..stats import counters
from .messages import Kind

# Bytes that may be on their way in one direction.
WINDOW = 1_000_000
# What each message counts for beside its data, in bytes.
OVERHEAD = 64
# An owner that has said nothing for so many seconds is taken for dead.
FIRST_ANSWER = 0.8
# How many seconds a gate waits for an owner that is slow, but not dead.
PATIENCE = 5.0

Message = list[Any]
# Sends an operation, whose data has a size in bytes, to a process. None: the process is unknown.
SendOperation = Callable[[str, list[Any], int], object | None]
# Whether an operation with so many bytes of data may be sent now. Raises ValueError: it never may.
HasRoom = Callable[[int], bool]
# When a process last said something, in the loop's time.
LastSign = Callable[[str], float]

# The message by which the gate asks for an answer now, with whatever there is.
RELEASE: Message = ["release", None]


class OwnerGone(ConnectionError):
    """The process that owns a session does not answer."""


class Exit:
    """The way out of this process: who wants to send through a tunnel waits until there is room."""

    def __init__(self, send: SendOperation, has_room: HasRoom) -> None:
        self.send = send
        self._has_room = has_room
        # In the order in which they began to wait, so that each gets its turn.
        self._waiting: dict[End, None] = {}

    async def wait_for_room(self, end: End, size: int) -> None:
        """Wait until an end may send so many bytes.

        Raises ConnectionError if its tunnel is broken. One that can never send breaks.
        """
        end.raise_if_broken()
        try:
            while not self._has_room(size):
                self._waiting[end] = None
                await end.wait_to_send()
        except ValueError as error:
            counters.layer.add("too large for a tunnel")
            end.break_off()
            raise ConnectionError(str(error)) from None

    def go_on(self) -> None:
        """There is room again."""
        waiting, self._waiting = self._waiting, {}
        for end in waiting:
            end.wake()

    def forget(self, end: End) -> None:
        """An end is over."""
        self._waiting.pop(end, None)


class End:
    """One end of a tunnel: sends messages within the window, and queues those that arrive."""

    # The kinds of the operations by which this end sends a message and gives credit.
    message_kind: Kind
    credit_kind: Kind

    def __init__(self, exit: Exit, node: str, number: int) -> None:
        self.node = node
        self.number = number
        self.broken = False
        self._exit = exit
        self._send = exit.send
        # Messages are sent in the order of the calls, though the first one waits.
        self._turn = asyncio.Lock()
        self._inbox: deque[Message] = deque()
        # Set when the inbox may be read or the tunnel is broken.
        self._arrived = asyncio.Event()
        # Bytes on their way to the other end; the event is set when they have become fewer, and
        # when there is room in the way out.
        self._in_flight = 0
        self._may_send = asyncio.Event()
        # Bytes that this end has processed and the other end has had no credit for.
        self._owed = 0

    async def send_message(self, message: Message) -> None:
        """Send a message when there is room, then wait while the window is full.

        Raises ConnectionError if the tunnel is broken or the other process is unknown.
        """
        size = size_of(message)
        async with self._turn:
            await self._exit.wait_for_room(self, size)
            self._in_flight += size + OVERHEAD
            operation = [self.message_kind, self.number, message]
            if self._send(self.node, operation, size) is None:
                raise ConnectionError("the process is not known any more")
        await self._wait_until_in_flight(WINDOW)

    async def wait_for_receipt(self, timeout: float) -> None:
        """Wait until the other end has given credit for everything.

        After ``timeout`` seconds the tunnel breaks. Raises ConnectionError if it is broken.
        """
        timer = asyncio.get_running_loop().call_later(timeout, self.break_off)
        try:
            await self._wait_until_in_flight(0)
        finally:
            timer.cancel()

    async def _wait_until_in_flight(self, most: int) -> None:
        while self._in_flight > most:
            await self.wait_to_send()

    async def wait_to_send(self) -> None:
        """Wait until something has changed. Raises ConnectionError if the tunnel is broken."""
        self.raise_if_broken()
        self._may_send.clear()
        await self._may_send.wait()
        self.raise_if_broken()

    def wake(self) -> None:
        """Let those who wait to send look again."""
        self._may_send.set()

    async def read_message(self) -> Message:
        """Return the next message from the other end, and give credit for it.

        Raises ConnectionError if the tunnel is broken and nothing is left to read.
        """
        message = await self.read_without_credit()
        self.give_credit(message)
        return message

    async def read_without_credit(self) -> Message:
        """Return the next message, for which :meth:`give_credit` is to be called."""
        while not self._inbox:
            self.raise_if_broken()
            self._arrived.clear()
            await self._arrived.wait()
        return self._inbox.popleft()

    def give_credit(self, message: Message) -> None:
        """Note that a message was processed; the other end is told when a quarter is owed."""
        self._owed += size_of(message) + OVERHEAD
        if self._owed > WINDOW // 4:
            self.send_credit()

    def send_credit(self) -> None:
        """Tell the other end how many bytes were processed."""
        if self._owed:
            self._send(self.node, [self.credit_kind, self.number, self._owed], 0)
            self._owed = 0

    def break_off(self) -> None:
        """Break the tunnel at this end: nothing arrives any more, and nobody waits."""
        self.broken = True
        self._arrived.set()
        self.wake()

    def raise_if_broken(self) -> None:
        """Raise ConnectionError if the tunnel is broken."""
        if self.broken:
            raise ConnectionError("the tunnel is broken")

    # Called for operations of the other end

    def message_arrived(self, message: Message) -> None:
        """Queue a message. Nothing counts after a break: it would be the message behind a gap."""
        if not self.broken:
            self._inbox.append(message)
            self._arrived.set()

    def credit_arrived(self, size: int) -> None:
        """The other end has processed so many bytes."""
        self._in_flight -= size
        self.wake()


class OutgoingEnd(End):
    """The end at the process that opens the tunnel: the gate, which the client has reached."""

    message_kind = Kind.IN
    credit_kind = Kind.RECEIPT
    # True while this process must not end: a client is about to go on over this tunnel.
    upgrading = False
    # True while the other end knows nothing of the tunnel: not yet, or not any more.
    finished = True

    def __init__(
        self, exit: Exit, node: str, number: int, last_sign: LastSign, is_request: bool
    ) -> None:
        super().__init__(exit, node, number)
        # Whether the other end is to send an answer, and nothing behind it.
        self.is_request = is_request
        self._last_sign = last_sign
        self._answered = False

    def release(self) -> None:
        """Ask the owner to answer a waiting request now."""
        if not self.finished:
            self._send(self.node, [Kind.IN, self.number, RELEASE], 0)

    def confirm_answer(self, answer: Message) -> None:
        """Send the receipt for the answer to a request."""
        self.give_credit(answer)
        self.send_credit()
        self.finished = True

    async def read_first_message(self) -> Message:
        """Return the owner's first message, for which :meth:`give_credit` is to be called.

        Raises OwnerGone if the owner shows no sign of life in time, ConnectionError if the tunnel
        is broken.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        end = asked + PATIENCE
        patience = Patience(FIRST_ANSWER)
        while not (self._inbox or self._answered or self.broken):
            self._arrived.clear()
            await patience.wait(self._arrived.wait())
            if not (patience or self._inbox):
                # An owner that has said anything at all meanwhile is not dead, only slow.
                now = loop.time()
                if now >= end or self._last_sign(self.node) < asked:
                    counters.layer.add("unanswered")
                    raise OwnerGone
                asked, patience = now, Patience(FIRST_ANSWER)
        return await self.read_without_credit()

    def owner_is_alive(self) -> None:
        """The owner takes its time, and an answer will come."""
        self._answered = True
        self._arrived.set()


class IncomingEnd(End):
    """The end at the process that owns the session, with the head that has opened it."""

    message_kind = Kind.OUT
    credit_kind = Kind.CREDIT

    def __init__(self, exit: Exit, node: str, number: int, head: dict[str, Any]) -> None:
        super().__init__(exit, node, number)
        self.head = head

    def say_alive(self) -> None:
        """Tell the gate that an answer will come."""
        if not self.broken:
            self._send(self.node, [Kind.ALIVE, self.number], 0)


def size_of(message: Message) -> int:
    """Return the length of a message's data: its last item behind the first, if text or bytes."""
    last = message[-1] if len(message) > 1 else None
    return len(last) if isinstance(last, (str, bytes)) else 0
