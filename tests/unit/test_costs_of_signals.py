"""What signals cost: nothing where nobody listens, and one task for a burst where somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.registry import registry
from django_socketio.signals import event_sent, room_joined, room_left
from tests.unit.peers import connect, counted_tasks, eventually, leave, make_application

MEMBERS = 200


class Consumer(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        self.join("room")

    @event
    async def change(self, *rooms: str) -> None:
        self.join(*rooms)
        self.leave(*rooms)
        self.emit("changed")


@pytest.fixture
def application() -> Iterator[SocketIOApplication]:
    registry.register("/")(Consumer)
    yield make_application()
    registry.unregister("/")


async def act(peers: list[Any]) -> None:
    await peers[0].send('42["change","a","b","c"]')
    await peers[0].heard(1)
    io.to("room").emit("news", 1)


async def test_nobody_listens(application: SocketIOApplication) -> None:
    peers = await connect(application, MEMBERS)
    with counted_tasks() as tasks:
        await act(peers)
        await asyncio.sleep(0)
    assert tasks == []
    assert all(peer.texts[-1] == '42["news",1]' for peer in peers)
    await leave(peers)


async def test_a_burst_makes_one_task_for_rooms_and_one_for_what_is_sent(
    application: SocketIOApplication,
) -> None:
    """However many members get an event."""
    peers = await connect(application, MEMBERS)
    seen: list[str] = []

    async def receiver(room: str = "", event: str = "", **kwargs: Any) -> None:
        seen.append(room or event)

    signals = room_joined, room_left, event_sent
    for signal in signals:
        signal.connect(receiver)
    with counted_tasks() as tasks:
        await act(peers)
        await eventually(lambda: len(seen) == 8, "all signals")
    for signal in signals:
        signal.disconnect(receiver)
    assert sorted(seen) == ["a", "a", "b", "b", "c", "c", "changed", "news"]
    assert tasks == ["Announcer._send"] * len(tasks)
    assert len(tasks) <= 3
    await leave(peers)
