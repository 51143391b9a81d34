"""A namespace that tells rooms numbers: see tests/chaos."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from django_socketio import SocketIOConsumer, event, register

# How many numbers are told at once, most often one.
BURSTS = [1] * 17 + [2, 5, 10]
MEAN = sum(BURSTS) / len(BURSTS)


@register("/chaos")
class Chaos(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        self.join(*auth["rooms"])

    @event(concurrent=True)
    async def begin(self, rooms: list[str], numbers: int, seconds: float, seed: int) -> None:
        """Tell rooms so many numbers, one every few seconds on average, and then who was told."""
        chance = random.Random(seed)
        node = self.sid[:8]
        told = dict.fromkeys(rooms, 0)
        overall = 0
        while overall < numbers:
            for _ in range(min(chance.choice(BURSTS), numbers - overall)):
                room = chance.choice(rooms)
                told[room] += 1
                overall += 1
                self.namespace.to(room).emit("number", node, room, told[room], overall)
            await asyncio.sleep(seconds * MEAN)
        self.emit("told", node, told)
