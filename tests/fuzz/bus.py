"""Messages of other processes: each is carried out, or counted and dropped."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from django_socketio.addressing.ids import new_node
    from django_socketio.cluster.messages import EVERYONE, ITEMS, VERSION, Kind
    from django_socketio.conf import get_settings
    from django_socketio.server.hub import Hub
    from tests.fuzz.server import Failure, failure_of_log
    from tests.harness.waiting import eventually
    from tests.unit.cluster.layers import Exchange, Layer, Station

KINDS = list(Kind)
TURNS = 6


def text(data: Any, most: int) -> str:
    """A text that a layer can carry: without halves of surrogate pairs, which senders escape."""
    return fuzzing.text(data, most).encode("utf-8", "replace").decode()


def value(data: Any, wanted: Any) -> Any:
    """A value of the wanted type, most of the time."""
    if data.ConsumeIntInRange(0, 15) == 0:
        wanted = (str, int, bytes, list, dict, type(None), float)[data.ConsumeIntInRange(0, 6)]
    if isinstance(wanted, tuple):
        wanted = wanted[data.ConsumeIntInRange(0, len(wanted) - 1)]
    if wanted is str:
        return text(data, 4)
    if wanted is bool:
        return data.ConsumeBool()
    if wanted is int:
        return data.ConsumeIntInRange(-3, 2**60)
    if wanted is float:
        return data.ConsumeFloat()
    if wanted is bytes:
        return data.ConsumeBytes(8)
    if wanted is list:
        return [value(data, (str, bytes, int, list)) for _ in range(data.ConsumeIntInRange(0, 3))]
    if wanted is dict:
        return {text(data, 1): value(data, (str, list)) for _ in range(2)}
    return None


class Process:
    """A process on a layer in memory, and another one of this site that says anything to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        # ValueError is how an operation says that what it carries is malformed.
        self.failure: Failure = failure_of_log(ValueError)
        loop.run_until_complete(self._start())

    async def _start(self) -> None:
        self.exchange = Exchange()
        self.hub = Hub(self.loop, get_settings(), Layer(self.exchange))
        await eventually(lambda: self.exchange.groups.get(EVERYONE), "the process to listen")
        (self.channel,) = self.exchange.groups[EVERYONE]
        self.sender = Station(self.exchange, new_node())
        self.sender.bus.start()

    def take(self, to_group: bool, operations: list[list[Any]], junk: Any) -> None:
        """Let operations arrive, or ``junk``. Raises AssertionError for a traceback in the log."""
        self.loop.run_until_complete(self._take(to_group, operations, junk))
        assert not self.failure.found, self.failure.found

    async def _take(self, to_group: bool, operations: list[list[Any]], junk: Any) -> None:
        if junk is not None:
            self.exchange.put(self.channel, junk)
        for operation in operations:
            if to_group:
                taken = self.sender.bus.to_group(EVERYONE, operation)
            else:
                taken = self.sender.bus.to_channel(self.channel, operation)
        await taken
        for _ in range(TURNS):
            await asyncio.sleep(0)


def fuzz(data: Any) -> None:
    operations = []
    for _ in range(data.ConsumeIntInRange(1, 4)):
        kind = KINDS[data.ConsumeIntInRange(0, len(KINDS) - 1)]
        items = [value(data, wanted) for wanted in ITEMS[kind].values()]
        operations.append([int(kind), *items])
    junk = None
    if data.ConsumeIntInRange(0, 7) == 0:
        junk = {"type": "", "v": VERSION, "b": value(data, bytes), "m": value(data, bytes)}
    process.take(data.ConsumeBool(), operations, junk)


if __name__ == "__main__":
    process = Process(asyncio.new_event_loop())
    fuzzing.run(fuzz)
