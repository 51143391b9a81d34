"""The bus: everything that is said over the channel layer goes through here.

One channel and one receive loop per process. What is sent goes through one queue in calling order;
operations for the same destination that stand next to each other share a message. A layer that is
down costs nobody anything but memory up to a bound: sending is tried again until it works.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

from channels.exceptions import ChannelFull

from ..logs import logger, safe
from ..stats import counters
from .messages import TYPE, VERSION, Kind, is_well_formed
from .sequence import Receiver, Sender

# How long the layer may take for one call; after it the call is tried again.
CALL_TIMEOUT = 5.0
# Seconds between tries while the layer is down.
FIRST_DELAY, LONGEST_DELAY = 0.05, 1.0
# Operations that share a message, and about how large it may be.
MAX_OPERATIONS, MAX_MESSAGE_SIZE = 200, 262_144
# Entries that wait before the layer counts as congested, for volatile operations.
CONGESTED = 100
# Groups that are joined or left at the same time.
JOINS_AT_ONCE = 50


class Taken:
    """An awaitable: the layer has taken (or, after too long, lost) what was given to the bus."""

    __slots__ = ("_counter", "_number")

    def __init__(self, counter: Counter, number: int) -> None:
        self._counter = counter
        self._number = number

    @property
    def done(self) -> bool:
        """Whether that has happened."""
        return self._counter.done >= self._number

    def __await__(self) -> Generator[Any, Any, None]:
        while not self.done:
            yield from self._counter.wait().__await__()


class Counter:
    """Counts what goes into a queue and what has come out, for those who wait for their own."""

    def __init__(self) -> None:
        self.given = 0
        self.done = 0
        self._waiters: list[asyncio.Future[None]] = []

    def give(self) -> Taken:
        """Something goes in."""
        self.given += 1
        return self.all()

    def all(self) -> Taken:
        """For who waits for all that has gone in."""
        return Taken(self, self.given)

    def finish(self, number: int) -> None:
        """Everything up to ``number`` has come out."""
        self.done = number
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def wait(self) -> asyncio.Future[None]:
        """A future that is done when something has come out."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter


class _Entry:
    """A message that waits to be sent. ``channel`` is where to, unless ``group`` says so."""

    __slots__ = ("channel", "first", "group", "number", "operations", "sequence", "size")

    def __init__(self, group: str, channel: str, first: int, sequence: int) -> None:
        self.group = group
        self.channel = channel
        self.first = first
        self.sequence = sequence
        self.operations: list[list[Any]] = []
        self.size = 0
        self.number = 0


class Bus:
    """See the module's docstring.

    ``receive(sender, operation)`` is called for each operation that arrives, ``lost(sender,
    group)`` when messages of a sender are missing (group "" for those to this process alone).
    """

    def __init__(
        self,
        layer: Any,
        node: str,
        receive: Callable[[str, list[Any]], None],
        lost: Callable[[str, str], None],
        max_buffer: int,
    ) -> None:
        self.node = node
        self.channel: str | None = None
        self.up = True
        # When this process last heard itself in a group.
        self.echoed_at = 0.0
        self._echoed = Counter()
        self._layer = layer
        self._receive = receive
        self._lost = lost
        self._max_buffer = max_buffer
        self._sender = Sender()
        self._receiver = Receiver()
        self._outbox: deque[_Entry] = deque()
        self._size = 0
        self._sent = Counter()
        self._wake = asyncio.Event()
        # In the order in which they were joined: that of all processes comes first.
        self._wanted: dict[str, None] = {}
        self._joined: set[str] = set()
        self._changes: dict[str, None] = {}
        self._synced = Counter()
        self._changed = asyncio.Event()
        self._connected = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = asyncio.Event()
        self._gaps: dict[str, float] = {}

    def start(self) -> None:
        """Start to send."""
        self._tasks.append(asyncio.get_running_loop().create_task(self._send_loop()))

    def listen(self) -> None:
        """Start to receive, and to join groups."""
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._receive_loop()))
        self._tasks.append(loop.create_task(self._join_loop()))

    async def stop(self, timeout: float = 1.0) -> None:
        """Send what waits, as far as that works within ``timeout`` seconds, and end the loops."""
        if self.up:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(_until(self._sent.all(), self._synced.all()), timeout)
        # A library may swallow a cancellation, as wait_for() does before Python 3.12: so the loops
        # look at this, too, and are asked again.
        self._stopped.set()
        pending = set(self._tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)

    # Sending

    @property
    def congested(self) -> bool:
        """Whether volatile operations should be dropped."""
        return not self.up or len(self._outbox) > CONGESTED

    def to_group(self, group: str, operation: list[Any], size: int = 0) -> Taken:
        """Send an operation to all processes in a group. ``size`` is about its size in bytes."""
        return self._put(group, "", operation, size)

    def to_channel(self, channel: str, operation: list[Any], size: int = 0) -> Taken:
        """Send an operation to one process."""
        return self._put("", channel, operation, size)

    def echo(self) -> Taken | None:
        """Send something to this process itself; None where it cannot be reached yet.

        When that is done, what the layer took before has arrived (from the same Redis server).
        """
        if self.channel is None:
            return None
        echoed = self._echoed.give()
        self.to_channel(self.channel, [Kind.ECHO, self._echoed.given])
        return echoed

    def _put(self, group: str, channel: str, operation: list[Any], size: int) -> Taken:
        entry = self._outbox[-1] if self._outbox else None
        if (
            entry is None
            or entry.group != group
            or entry.channel != channel
            or len(entry.operations) >= MAX_OPERATIONS
            or entry.size + size > MAX_MESSAGE_SIZE
        ):
            entry = _Entry(group, channel, *self._sender.next(group or channel))
            self._outbox.append(entry)
            self._wake.set()
        entry.operations.append(operation)
        entry.size += size + 100
        self._size += size + 100
        taken = self._sent.give()
        entry.number = self._sent.given
        while self._size > self._max_buffer and len(self._outbox) > 1:
            # The receivers notice by the sequence number that is never sent.
            dropped = self._outbox.popleft()
            self._size -= dropped.size
            counters.layer.add("dropped", len(dropped.operations))
            self._burst("overflow", "the channel layer is too slow or down: messages are dropped")
        return taken

    async def _send_loop(self) -> None:
        while not self._stopped.is_set():
            while not self._outbox:
                self._wake.clear()
                await self._wake.wait()
            entry = self._outbox.popleft()
            self._size -= entry.size
            message = {
                "type": TYPE,
                "v": VERSION,
                "n": self.node,
                "g": entry.group,
                "f": entry.first,
                "s": entry.sequence,
                "o": entry.operations,
            }
            if entry.group:
                await self._persist(self._layer.group_send, entry.group, message)
            else:
                await self._persist(self._layer.send, entry.channel, message)
            counters.layer.add("sent")
            self._sent.finish(entry.number)

    async def _persist(self, call: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Make a call to the layer, again and again until it works."""
        delay = FIRST_DELAY
        while True:
            try:
                await _within(CALL_TIMEOUT, call(*args))
            except ChannelFull:
                counters.layer.add("full")
                self._burst("full", "a channel of the layer is full: raise its capacity")
                return
            except (TypeError, ValueError, OverflowError):
                # It is not the layer's fault, and would not work the next time either.
                counters.layer.add("malformed")
                logger.exception("the channel layer cannot carry a message")
                return
            except Exception as error:
                if self._stopped.is_set():
                    return
                self._failed(error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY)
            else:
                self._worked()
                return

    def _failed(self, error: Exception) -> None:
        counters.layer.add("failed")
        if self.up:
            self.up = False
            logger.error("the channel layer is down: %s: %s", type(error).__name__, safe(error))

    def _worked(self) -> None:
        if not self.up:
            self.up = True
            logger.warning("the channel layer is up again")

    # Groups

    def join(self, group: str) -> Taken:
        """Receive what is sent to a group."""
        if group not in self._wanted:
            self._wanted[group] = None
            self._receiver.left(group)
        return self._change(group)

    def leave(self, group: str) -> Taken:
        """Receive it no more."""
        self._wanted.pop(group, None)
        return self._change(group)

    def rejoin(self) -> None:
        """Join all groups again: the layer may have forgotten them."""
        self._joined.difference_update(self._wanted)
        for group in self._wanted:
            self._change(group)

    def _change(self, group: str) -> Taken:
        self._changes[group] = None
        self._changed.set()
        return self._synced.give()

    async def _join_loop(self) -> None:
        while not self._stopped.is_set():
            while not self._changes:
                self._changed.clear()
                await self._changed.wait()
            await self._connected.wait()
            given = self._synced.given
            changes, self._changes = list(self._changes), {}
            for start in range(0, len(changes), JOINS_AT_ONCE):
                batch = changes[start : start + JOINS_AT_ONCE]
                await asyncio.gather(*(self._sync(group) for group in batch))
            self._synced.finish(given)

    async def _sync(self, group: str) -> None:
        if group in self._wanted:
            if group not in self._joined:
                await self._persist(self._layer.group_add, group, self.channel)
                self._joined.add(group)
        elif group in self._joined:
            await self._persist(self._layer.group_discard, group, self.channel)
            self._joined.discard(group)

    # Receiving

    async def _receive_loop(self) -> None:
        delay = FIRST_DELAY
        while not self._stopped.is_set():
            try:
                if self.channel is None:
                    self.channel = await self._layer.new_channel()
                    self._connected.set()
                message = await self._layer.receive(self.channel)
            except Exception as error:
                if self._stopped.is_set():
                    return
                if self.channel is not None and _is_timeout(error):
                    # Nothing has come, and the library would not wait longer. A layer that is down
                    # shows in what is sent, heartbeats at least.
                    delay = FIRST_DELAY
                else:
                    self._failed(error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY)
                continue
            delay = FIRST_DELAY
            self._worked()
            try:
                self._take(message)
            except Exception:
                logger.exception("a message from the channel layer could not be handled")

    def _take(self, message: Any) -> None:
        counters.layer.add("received")
        if not isinstance(message, dict) or message.get("v") != VERSION:
            counters.layer.add("unknown version")
            return
        sender, group, operations = message.get("n"), message.get("g"), message.get("o")
        first, number = message.get("f"), message.get("s")
        if not (
            isinstance(sender, str)
            and isinstance(group, str)
            and isinstance(first, int)
            and isinstance(number, int)
            and isinstance(operations, (list, tuple))
        ):
            counters.layer.add("malformed")
            return
        if sender == self.node:
            # What this process does it has done already; but the layer works, both ways.
            if group:
                self.echoed_at = asyncio.get_running_loop().time()
                return
            for operation in operations:
                if is_well_formed(operation) and operation[0] == Kind.ECHO:
                    self._echoed.finish(operation[1])
            return
        if group and group not in self._wanted:
            return  # left meanwhile: nobody is here for it, and nothing is missed
        lost = self._receiver.lost(sender, group, first, number)
        if lost is None:
            counters.layer.add("duplicate")
            return
        if lost:
            counters.layer.add("lost", lost)
            self._burst(sender, "messages of another process were lost by the channel layer")
            self._lost(sender, group)
        for operation in operations:
            if is_well_formed(operation):
                self._receive(sender, operation)
            else:
                counters.layer.add("malformed")

    def forget(self, node: str) -> None:
        """A peer is gone."""
        self._receiver.forget(node)
        self._gaps.pop(node, None)

    def _burst(self, key: str, message: str) -> None:
        """Log something that comes in bursts, once per burst."""
        now = asyncio.get_running_loop().time()
        if now - self._gaps.get(key, -60.0) > 10:
            logger.error("%s", message)
        self._gaps[key] = now


if sys.version_info >= (3, 11):

    async def _within(seconds: float, awaitable: Awaitable[Any]) -> None:
        """Await something for at most so long; it costs no task."""
        async with asyncio.timeout(seconds):
            await awaitable

else:

    async def _within(seconds: float, awaitable: Awaitable[Any]) -> None:
        await asyncio.wait_for(awaitable, seconds)


def _is_timeout(error: Exception) -> bool:
    """Whether a read has waited long enough. redis-py's own class is not Python's."""
    return any(base.__name__ == "TimeoutError" for base in type(error).__mro__)


async def _until(*awaitables: Awaitable[Any]) -> None:
    for awaitable in awaitables:
        await awaitable
