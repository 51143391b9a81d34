"""What waits in a socket's queue when the server sends the socket away."""

from __future__ import annotations

import asyncio
from typing import Any

from django_socketio import SocketIOConsumer, event, register
from tests.harness.waiting import eventually

from .conftest import OpenFrames


async def test_events_behind_a_close_are_dropped(frames: OpenFrames) -> None:
    gate, handled, left = asyncio.Event(), [], []

    @register()
    class Kicking(SocketIOConsumer):
        @event
        async def first(self) -> None:
            await gate.wait()
            self.close()

        @event
        async def second(self) -> None:
            handled.append("second")

        async def disconnect(self, reason: str) -> None:
            left.append(reason)

    client = await frames()
    await client.send("40")
    await client.receive()
    await client.send('42["first"]')
    await client.send('42["second"]')
    gate.set()
    await eventually(lambda: left, "disconnect()")
    assert left == ["server namespace disconnect"]
    assert handled == []


async def test_what_is_held_during_connect_is_bounded(frames: OpenFrames, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_WRITE_BUFFER_SIZE": 1000}
    gate, left = asyncio.Event(), []

    @register()
    class Slow(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            for _ in range(20):
                self.emit("noise", "x" * 100)
            await gate.wait()

        async def disconnect(self, reason: str) -> None:
            left.append(reason)

    client = await frames()
    await client.send("40")
    gate.set()
    await eventually(lambda: left, "disconnect()")
    assert left == ["transport error"]
