"""The bus: all that this process sends and receives over the channel layer.

Each process has one channel and three loops: one sends what waits in the outbox, one tells the
layer which groups this process is in, one receives. While the layer is down, each call is repeated
until it works, and what waits takes memory up to ``max_buffer``. What is lost all the same is sent
once more when its receiver asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from ..logs import Bursts, logger
from ..stats import counters
from .groups import Change, Groups
from .healing import TICK, Gap, Said
from .inbox import Inbox
from .layer import Layer, Outcome
from .messages import EVERYONE, PRIVATE, Kind, pack
from .outbox import Outbox, OutgoingMessage
from .progress import Milestone, Progress
from .receiver import Receiver
from .resending import Resending
from .sequence import NONE, Received

# How many groups are joined or left at the same time.
JOINS_AT_ONCE = 50
# When a message has failed TRIES times, it waits, with all behind it, until this process can send
# to itself, and HEARING_TIME seconds longer. Other processes may notice only a second later that
# the layer is back (channels_redis, and our LONGEST_DELAY); what is sent before that is lost.
TRIES, HEARING_TIME = 2, 1.2


class Bus:
    """Sends operations to groups and processes, and receives those of others.

    ``receive(sender, operation)`` is called for each operation that arrives, ``lost(sender,
    group)`` when messages of a sender are missing for good (group "" for those to this process
    alone). At most about ``max_buffer`` bytes wait for a layer that is slow or down, and
    ``max_kept`` bytes are kept to be sent again, or wait for what a sender has to send again: that
    long, without progress, as ``patience`` says, in seconds.
    """

    def __init__(
        self,
        layer: Any,
        node: str,
        receive: Callable[[str, list[Any]], None],
        lost: Callable[[str, str], None],
        max_buffer: int,
        max_kept: int,
        patience: float,
    ) -> None:
        self.node = node
        self.channel: str | None = None
        # When this process last heard itself in the group of all processes, in the loop's time.
        self.echoed_at = 0.0
        self._layer = Layer(layer)
        self._receive = receive
        self._lost = lost
        self._outbox = Outbox(max_buffer)
        self._inbox = Inbox(node)
        self._groups = Groups()
        self._receiver = Receiver(self._groups, self._ask_again, max_kept, patience)
        self._resending = Resending(node, self._outbox, max_kept)
        # What we have asked other processes for, by their channels, until it is sent.
        self._questions: dict[str, Milestone] = {}
        # Set while something is missing.
        self._ticking: asyncio.TimerHandle | None = None
        self._echoed = Progress()
        self._put = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._bursts = Bursts()
        # What to do with the operations of other processes' buses, by their kind.
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.SAID: self._on_said,
            Kind.AGAIN: self._on_again,
        }

    def start(self) -> None:
        """Start to send."""
        self._spawn(self._send_loop())

    def listen(self) -> None:
        """Start to receive, and to join groups."""
        self._spawn(self._listen())

    async def stop(self, timeout: float = 1.0) -> None:
        """Send what waits, as far as that works within ``timeout`` seconds, and end the loops."""
        if self.up:
            with suppress(asyncio.TimeoutError):
                everything = _all(self._outbox.sent.all(), self._groups.synced.all())
                await asyncio.wait_for(everything, timeout)
        self._layer.close()
        if self._ticking is not None:
            self._ticking.cancel()
        # A library may swallow a cancellation, so the loops are asked again.
        pending = set(self._tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(coroutine))

    async def _listen(self) -> None:
        self.channel = channel = await self._layer.new_channel()
        await asyncio.gather(self._receive_loop(channel), self._join_loop(channel))

    @property
    def up(self) -> bool:
        """Whether the layer works, as far as is known."""
        return self._layer.up

    # Sending

    @property
    def congested(self) -> bool:
        """Whether volatile operations should be dropped."""
        return not self.up or self._outbox.congested

    def to_group(self, group: str, operation: list[Any], size: int = 0) -> Milestone:
        """Send an operation to all processes in a group. ``size`` is about its size in bytes."""
        return self._send(group, "", operation, size)

    def to_channel(self, channel: str, operation: list[Any], size: int = 0) -> Milestone:
        """Send an operation to one process."""
        return self._send("", channel, operation, size)

    def echo(self) -> Milestone | None:
        """Send a message to this process itself. Returns None before the bus has its channel.

        When the milestone is reached, all that the layer took before has arrived, as far as it
        came through the same Redis server.
        """
        if self.channel is None:
            return None
        echoed = self._echoed.give()
        self.to_channel(self.channel, [Kind.ECHO, self._echoed.given])
        return echoed

    def _send(self, group: str, channel: str, operation: list[Any], size: int) -> Milestone:
        outbox = self._outbox
        if not outbox.size:
            self._put.set()
        milestone = outbox.put(group, channel, operation, size)
        if outbox.overflows:
            self._drop_overflow()
        return milestone

    def _drop_overflow(self) -> None:
        """Drop the oldest messages that wait; those that are still kept can be asked for."""
        for message in self._outbox.drop_overflow():
            if message.packed is None:
                counters.layer.add("dropped", len(message.operations))
                self._pack(message)
        self._burst("overflow", "the channel layer is too slow or down: messages are dropped")

    def _pack(self, message: OutgoingMessage) -> dict[str, Any]:
        return self._resending.pack(message, keep=self.channel is not None)

    async def _send_loop(self) -> None:
        while not self._layer.closed:
            while not self._outbox.size:
                self._put.clear()
                await self._put.wait()
            message = self._outbox.take()
            packed = message.packed or self._pack(message)
            send = self._layer.send if message.channel else self._layer.group_send
            destination, channel = message.channel or message.group, self.channel
            if channel is None:
                outcome = await send(destination, packed)
            else:
                outcome = await send(destination, packed, TRIES)
                if outcome is Outcome.FAILED:
                    await self._recover(channel)
                    outcome = await send(destination, packed)
            if outcome is Outcome.REFUSED:
                self._resending.kept.refuse(message.numbers.position)
            counters.layer.add("sent")
            self._outbox.sent.finish(message.last)

    async def _recover(self, channel: str) -> None:
        """Wait until the layer works again, then until the others have had time to notice."""
        await self._layer.send(channel, pack(self.node, "", NONE, []))
        self.rejoin()
        await asyncio.sleep(HEARING_TIME)

    # Groups

    def join(self, group: str) -> Milestone:
        """Receive what is sent to a group."""
        if group not in self._groups:
            self._receiver.forget_group(group)
        self._changed.set()
        return self._groups.join(group)

    def leave(self, group: str) -> Milestone:
        """Receive no more what is sent to a group."""
        self._receiver.leave(group)
        self._changed.set()
        return self._groups.leave(group)

    def rejoin(self) -> None:
        """Join all groups again: the layer may have forgotten them."""
        self._changed.set()
        self._groups.rejoin()

    async def _join_loop(self, channel: str) -> None:
        while not self._layer.closed:
            while not self._groups.changed:
                self._changed.clear()
                await self._changed.wait()
            given = self._groups.synced.given
            changes = self._groups.take_changes()
            for start in range(0, len(changes), JOINS_AT_ONCE):
                batch = changes[start : start + JOINS_AT_ONCE]
                await asyncio.gather(*(self._tell(group, channel) for group in batch))
            self._groups.synced.finish(given)

    async def _tell(self, group: str, channel: str) -> None:
        change = self._groups.change(group)
        if change is Change.ADD:
            await self._layer.group_add(group, channel)
        elif change is Change.DISCARD:
            await self._layer.group_discard(group, channel)
        if change is not None:
            self._groups.told(group, change)
        if change is not Change.DISCARD:
            self._groups.settle(group, self._outbox.position)

    # Receiving

    async def _receive_loop(self, channel: str) -> None:
        while not self._layer.closed:
            message = await self._layer.receive(channel)
            try:
                self._take(message)
            except Exception:
                logger.exception("a message from the channel layer could not be handled")

    def _take(self, message: Any) -> None:
        received = self._inbox.open(message, self._groups)
        if received is None:
            return
        if received.sender == self.node:
            self._hear_myself(received)
        elif received.numbers == NONE:
            self._take_again(received.operations)
        else:
            self._carry_out(self._receiver.put(received))

    def _carry_out(self, messages: Iterable[Received]) -> None:
        """Pass on messages whose turn it is."""
        for sender, group, _, operations, lost in messages:
            if lost:
                self._burst(sender, "messages of another process were lost by the channel layer")
                self._lost(sender, group)
            for operation in operations:
                self._receive(sender, operation)
        if self._receiver.healing and self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _take_again(self, operations: list[list[Any]]) -> None:
        """Take what a process sends again: whole messages, each as it was."""
        for operation in operations:
            for message in operation[1] if operation[0] == Kind.RESENT else ():
                received = self._inbox.open(message, self._groups)
                if received is not None and received.numbers != NONE:
                    self._carry_out(self._receiver.put(received))

    def _hear_myself(self, received: Received) -> None:
        """Take a message of this process itself: it proves that the layer works both ways."""
        if received.group == EVERYONE:
            self.echoed_at = asyncio.get_running_loop().time()
            self._receiver.own_position = received.numbers.position
        elif not received.group:
            for operation in received.operations:
                if operation[0] == Kind.ECHO:
                    self._echoed.finish(operation[1])

    # What was lost

    def say_where_we_stand(self) -> None:
        """Tell everybody the last positions of what was sent since this was said last."""
        if self.channel is not None:
            now = asyncio.get_running_loop().time()
            self.to_group(EVERYONE, *self._resending.announcement(self.channel, now))

    def say_where_we_stand_to(self, channel: str) -> None:
        """Tell one process that does not know yet."""
        if self.channel is not None:
            self.to_channel(channel, *self._resending.position(self.channel))

    def _tick(self) -> None:
        self._ticking = None
        # While the layer is down nothing comes, so nobody's patience ends.
        self._carry_out(self._receiver.tick() if self.up else ())

    def _ask_again(self, channel: str, since: int, gaps: list[Gap]) -> None:
        """Ask a process, by its channel, for what is missing, unless such a question waits."""
        questions = self._questions = {
            to: question for to, question in self._questions.items() if not question.done
        }
        if self.channel is not None and channel not in questions:
            missing = [list(gap) for gap in gaps]
            question = [Kind.AGAIN, self.channel, since, missing]
            questions[channel] = self.to_channel(channel, question, 100 * len(gaps))

    def _on_said(
        self,
        sender: str,
        channel: str,
        answer: bool,
        since: int,
        until: int,
        last: list[Any],
        gone: list[Any],
    ) -> None:
        ours, lacking = self._ours(last), self._ours(gone)
        said = Said(channel, answer, since, until, ours, lacking)
        self._carry_out(self._receiver.said(sender, said))

    def _ours(self, positions: list[Any]) -> dict[str, int]:
        """Return the positions of destinations that we are, by their groups."""
        private = {group + (self.channel or ""): group for group in PRIVATE}
        return {
            private.get(name, name): position
            for name, position in positions
            if name in private or name in self._groups
        }

    def _on_again(self, sender: str, channel: str, since: int, missing: list[Any]) -> None:
        answer = self._resending.answer(sender, channel, self.channel or "", since, missing)
        if answer is None:
            return  # it asks once more, if it is still in need
        if answer.again is not None:
            counters.layer.add("sent again", answer.messages)
            self._put.set()
            self._outbox.put_packed(channel, answer.again, answer.weight)
        answered = self.to_channel(channel, answer.operation, answer.size)
        self._resending.answered(sender, answered)

    def forget(self, node: str) -> None:
        """Forget a process that is gone."""
        self._receiver.forget(node)
        self._bursts.forget(node)

    def _burst(self, key: str, text: str) -> None:
        self._bursts.error(key, text, asyncio.get_running_loop().time())


async def _all(*awaitables: Awaitable[Any]) -> None:
    for awaitable in awaitables:
        await awaitable
