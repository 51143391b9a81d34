"""A channel layer in this process that can be slow, down or forgetful, and buses on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgpack

from django_socketio.cluster.bus import Bus
from django_socketio.cluster.signing import Signer, site_secrets
from tests.harness.waiting import eventually, soon


class Exchange:
    """What the layers of several processes share: queues and groups."""

    def __init__(self) -> None:
        self.queues: dict[str, asyncio.Queue[bytes]] = {}
        self.groups: dict[str, set[str]] = {}

    def put(self, channel: str, message: Any) -> None:
        """As the layers on Redis do: a channel that nobody has takes nothing, nor tells."""
        packed = msgpack.packb(message)
        if channel in self.queues:
            self.queues[channel].put_nowait(packed)


class Layer:
    """One process's channel layer. ``calls`` are the names and first arguments of what worked."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.calls: list[tuple[str, str]] = []
        # Whether a message to a channel is lost.
        self.loses: Callable[[str, Any], bool] = lambda channel, message: False
        # Raised by every call while set; the calls that failed are counted.
        self.error: Exception | None = None
        self.failed = 0
        # While it is cleared, every call waits.
        self.open = asyncio.Event()
        self.open.set()

    async def _call(self, name: str, what: str) -> None:
        await self.open.wait()
        if self.error is not None:
            self.failed += 1
            raise self.error
        self.calls.append((name, what))

    async def new_channel(self) -> str:
        await self._call("new_channel", "")
        name = f"channel.{len(self.exchange.queues)}"
        self.exchange.queues[name] = asyncio.Queue()
        return name

    async def receive(self, channel: str) -> Any:
        return msgpack.unpackb(await self.exchange.queues[channel].get())

    async def send(self, channel: str, message: Any) -> None:
        await self._call("send", channel)
        self._put(channel, message)

    async def group_send(self, group: str, message: Any) -> None:
        await self._call("group_send", group)
        msgpack.packb(message)
        for channel in sorted(self.exchange.groups.get(group, ())):
            self._put(channel, message)

    def _put(self, channel: str, message: Any) -> None:
        if not self.loses(channel, message):
            self.exchange.put(channel, message)

    async def group_add(self, group: str, channel: str) -> None:
        await self._call("group_add", group)
        self.exchange.groups.setdefault(group, set()).add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._call("group_discard", group)
        self.exchange.groups.get(group, set()).discard(channel)

    def names(self, what: str) -> list[str]:
        """The calls of one group or channel."""
        return [name for name, first in self.calls if first == what]


# Whose group_add() returns when the group has been joined.
Layer.__module__ = "channels_redis.core"


class Station:
    """A bus on a layer of its own, what it has received and what it has noticed as lost.

    Its ``patience`` is such that it does not end on a slow machine, unless a test wants it to.
    """

    def __init__(
        self,
        exchange: Exchange,
        node: str,
        max_buffer: int = 1_000_000,
        max_kept: int = 1_000_000,
        patience: float = 100.0,
        layer: type[Layer] = Layer,
    ) -> None:
        self.layer = layer(exchange)
        self.received: list[tuple[str, list[Any]]] = []
        self.lost: list[tuple[str, str]] = []
        self.bus = Bus(self.layer, node, self._receive, self._lost, max_buffer, max_kept, patience)

    def _receive(self, sender: str, operation: list[Any]) -> None:
        kind, *items = operation
        if kind in self.bus.mending.handlers:
            self.bus.mending.handlers[kind](sender, *items)
        else:
            self.received.append((sender, operation))

    def _lost(self, sender: str, group: str) -> None:
        self.lost.append((sender, group))

    async def listen(self, *groups: str) -> str:
        """Start to send and to receive; the channel's name."""
        self.bus.start()
        self.bus.listen()
        for group in groups:
            await soon(self.bus.join(group))
        await eventually(lambda: self.bus.channel is not None)
        assert self.bus.channel is not None
        return self.bus.channel

    @property
    def numbers(self) -> list[int]:
        """What :func:`note` has put into the operations that were received."""
        return [operation[1] for _, operation in self.received]


def note(number: int) -> list[Any]:
    """An operation (DONE) that is well formed and carries a number."""
    return [8, number, 0, 0]


def signed(content: Any, channel: str = "") -> dict[str, Any]:
    """A message as this site's processes send it, for one process or for any."""
    message = Signer(site_secrets()).sign(content, channel)
    assert message is not None
    return message


def unsigned(message: Any, channel: str | None = None) -> Any:
    """What a message of this site's processes says."""
    return Signer(site_secrets()).open(message, channel)
