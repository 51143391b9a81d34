"""The bus: all that this process sends and receives over the channel layer.

Each process has one channel and three loops: one sends what waits in the outbox, one tells the
layer which groups this process is in, one receives. While the layer is down, each call is repeated
until it works, and what waits takes memory up to ``max_buffer``. What is lost all the same is sent
once more when its receiver asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from contextlib import suppress
from typing import Any

from ..logs import Bursts
from ..stats import counters
from .groups import Groups
from .inbox import Inbox
from .joining import Joining
from .layer import Layer, Outcome
from .mending import Mending
from .messages import EVERYONE, Kind, pack
from .outbox import Outbox
from .progress import Milestone, Progress
from .sequence import NONE, Received
from .signing import Signer, site_secrets

# When a message has failed TRIES times, it waits, with all behind it, until this process can send
# to itself, and HEARING_TIME seconds longer. Other processes may notice only a second later that
# the layer is back (channels_redis, and our LONGEST_DELAY); what is sent before that is lost.
TRIES, HEARING_TIME = 2, 1.2


class Bus:
    """Sends operations to groups and processes, and receives those of others.

    ``receive(sender, operation)`` is called for each operation that arrives, ``lost(sender,
    group)`` when messages of a sender are missing for good (group "" for those to this process
    alone, CARRIED for those of tunnels). At most about ``max_buffer`` bytes wait for a layer that
    is slow or down, and ``max_kept`` bytes are kept to be sent again, or wait for what a sender has
    to send again: that long, without progress, as ``patience`` says, in seconds. ``has_room`` and
    ``when_room_is_made`` are those of the :class:`.Outbox`.
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
        self._signer = Signer(site_secrets())
        self._receive = receive
        self._lost = lost
        self._outbox = Outbox(max_buffer)
        self.has_room = self._outbox.has_room
        self.when_room_is_made = self._outbox.when_room_is_made
        self._inbox = Inbox(node)
        self._groups = Groups()
        self.mending = Mending(
            node,
            self._outbox,
            self._inbox,
            self._groups,
            self._signer,
            self._send,
            self._carry_out,
            lambda: self.up,
            max_kept,
            patience,
        )
        self._joining = Joining(self._layer, self._groups, self._blank, self._position)
        self._echoed = Progress()
        self._put = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._bursts = Bursts()

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
                everything = _all(self._outbox.sent.all(), *self._groups.untold())
                await asyncio.wait_for(everything, timeout)
        self._layer.close()
        self.mending.stop()
        # A library may swallow a cancellation, so the loops are asked again.
        pending = set(self._tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(coroutine))

    async def _listen(self) -> None:
        self.channel = self.mending.channel = channel = await self._layer.new_channel()
        await asyncio.gather(self._receive_loop(channel), self._joining.run(channel))

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

    def to_channel(
        self, channel: str, operation: list[Any], size: int = 0, group: str = ""
    ) -> Milestone:
        """Send an operation to one process; ``group`` is CARRIED for one of a tunnel."""
        return self._send(group, channel, operation, size)

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
        self._put.set()
        milestone = outbox.put(group, channel, operation, size)
        if outbox.overflows:
            counters.layer.add("dropped", self.mending.drop_overflow())
            self._burst("overflow", "the channel layer is too slow or down: messages are dropped")
        return milestone

    async def _send_loop(self) -> None:
        while not self._layer.closed:
            while not self._outbox.size:
                self._put.clear()
                await self._put.wait()
            message = self._outbox.take()
            packed = message.packed or self.mending.pack(message)
            send = self._layer.send if message.channel else self._layer.group_send
            destination, channel = message.channel or message.group, self.channel
            if packed is None:
                outcome = Outcome.REFUSED
            elif channel is None:
                outcome = await send(destination, packed)
            else:
                outcome = await send(destination, packed, TRIES)
                if outcome is Outcome.FAILED:
                    await self._recover(channel)
                    outcome = await send(destination, packed)
            if outcome is Outcome.REFUSED:
                self.mending.refuse(message)
            counters.layer.add("sent")
            self._outbox.sent.finish(message.last)

    async def _recover(self, channel: str) -> None:
        """Wait until the layer works again, then until the others have had time to notice."""
        if message := self._blank("", channel):
            await self._layer.send(channel, message)
        self.rejoin()
        await asyncio.sleep(HEARING_TIME)

    # Groups

    def join(self, group: str, causer: Hashable = None) -> Milestone:
        """Receive what is sent to a group. Those who cause joins take turns; see Groups."""
        if group not in self._groups:
            self.mending.receiver.forget_group(group)
        self._joining.wake()
        return self._groups.join(group, causer)

    def leave(self, group: str, causer: Hashable = None) -> Milestone:
        """Receive no more what is sent to a group."""
        self.mending.receiver.leave(group)
        self._joining.wake()
        return self._groups.leave(group, causer)

    def rejoin(self) -> None:
        """Join all groups again: the layer may have forgotten them."""
        self._layer.listen_again()
        self._joining.wake()
        self._groups.rejoin()

    def _position(self) -> int:
        """Return the position of this process's last message."""
        return self._outbox.position

    def _blank(self, group: str, channel: str = "") -> dict[str, Any] | None:
        """Return a message that counts for nothing, to a group or to one channel."""
        return self._signer.sign(pack(self.node, group, NONE, []), channel)

    # Receiving

    async def _receive_loop(self, channel: str) -> None:
        while not self._layer.closed:
            message = await self._layer.receive(channel)
            try:
                self._take(message)
            except Exception as error:
                text = "a message from the channel layer could not be handled"
                self._bursts.failure(error, text, asyncio.get_running_loop().time())

    def _take(self, message: Any) -> None:
        content = self._signer.open(message, self.channel)
        received = None if content is None else self._inbox.open(content, self._groups)
        if received is None:
            return
        if received.sender == self.node:
            self._hear_myself(received)
        else:
            self.mending.take(received)

    def _carry_out(self, messages: Iterable[Received]) -> None:
        """Pass on messages whose turn it is."""
        for sender, group, _, operations, lost in messages:
            if lost:
                self._burst(sender, "messages of another process were lost by the channel layer")
                self._lost(sender, group)
            for operation in operations:
                self._receive(sender, operation)

    def _hear_myself(self, received: Received) -> None:
        """Take a message of this process itself: it proves that the layer works both ways."""
        if received.numbers == NONE:
            self._joining.heard(received.group)
        elif received.group == EVERYONE:
            self.echoed_at = asyncio.get_running_loop().time()
            self.mending.receiver.own_position = received.numbers.position
        elif not received.group:
            for operation in received.operations:
                if operation[0] == Kind.ECHO:
                    self._echoed.finish(operation[1])

    def forget(self, node: str) -> None:
        """Forget a process that is gone."""
        self.mending.receiver.forget(node)
        self._bursts.forget(node)

    def _burst(self, key: str, text: str) -> None:
        self._bursts.error(key, text, asyncio.get_running_loop().time())


async def _all(*awaitables: Awaitable[Any]) -> None:
    for awaitable in awaitables:
        await awaitable
