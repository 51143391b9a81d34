"""Tells the layer which groups this process is in, and knows when it hears what is sent to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..stats import counters
from .groups import Change, Groups
from .layer import Layer, Outcome

# How many groups are joined or left at the same time.
JOINS_AT_ONCE = 50
# How many seconds a message that this process sends to a group that it joins may take to come back,
# each time that one is sent.
PAUSES = 0.05, 0.2, 0.75


class Joining:
    """Carries out what changes in ``groups``.

    Some layers return from ``group_add()`` when they have asked their server, which may take
    another process's message first. Then a join holds when a message of our own has come back
    through the group: ``blank`` makes such a message, of no content, and whoever receives one calls
    :meth:`heard`. ``position`` returns that of the last message of this process.
    """

    def __init__(
        self,
        layer: Layer,
        groups: Groups,
        blank: Callable[[str], dict[str, Any] | None],
        position: Callable[[], int],
    ) -> None:
        self._layer = layer
        self._groups = groups
        self._blank = blank
        self._position = position
        self._changed = asyncio.Event()
        # By the groups that messages to ourselves are under way to.
        self._awaited: dict[str, asyncio.Future[None]] = {}

    def wake(self) -> None:
        """Note that groups have changed."""
        self._changed.set()

    def heard(self, group: str) -> None:
        """Note that a message of this process has come back through a group."""
        awaited = self._awaited.pop(group, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)

    async def run(self, channel: str) -> None:
        """Join and leave groups until the layer is closed."""
        while not self._layer.closed:
            while not self._groups.changed:
                self._changed.clear()
                await self._changed.wait()
            turns = self._groups.take_changes(JOINS_AT_ONCE)
            groups = dict.fromkeys(turn.group for turn in turns)  # in their order
            added: list[str] = []
            await asyncio.gather(*(self._tell(group, channel, added) for group in groups))
            await self._confirm(added)
            for turn in turns:
                turn.finish()

    async def _tell(self, group: str, channel: str, added: list[str]) -> None:
        change = self._groups.change(group)
        if change is Change.ADD:
            await self._layer.group_add(group, channel)
            added.append(group)
        elif change is Change.DISCARD:
            await self._layer.group_discard(group, channel)
        if change is not None:
            self._groups.told(group, change)
        if change is not Change.DISCARD:
            self._groups.settle(group, self._position())

    async def _confirm(self, added: list[str]) -> None:
        """Wait until this process hears what is sent to the groups that it has just joined."""
        if not added or self._layer.joins_at_once:
            return
        if self._layer.joins_in_order:
            await self._listen_to(added[-1])
        else:
            await asyncio.gather(*map(self._listen_to, added))

    async def _listen_to(self, group: str) -> None:
        blank = self._blank(group)
        if blank is None:
            return
        awaited = self._awaited[group] = asyncio.get_running_loop().create_future()
        for pause in PAUSES:
            if await self._layer.group_send(group, blank, 1) is not Outcome.TAKEN:
                break
            await asyncio.wait((awaited,), timeout=pause)
            if awaited.done():
                return
        # The layer is down, or does not bring us our own messages: both show in heartbeats.
        self._awaited.pop(group, None)
        counters.layer.add("joined unheard")
