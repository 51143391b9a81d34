"""What becomes of a poll while a WebSocket takes over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from django_socketio.server.hubs import current_hub
from tests.harness.inprocess import Exchange, Frames, Poller
from tests.harness.protocol import WEBSOCKET
from tests.unit.peers import counted_timers, eventually, make_application


class Upgrading(Poller):
    """A client with a WebSocket beside its polls, and a poll that waits."""

    async def begin(self) -> None:
        await self.open()
        self.websocket = Frames(self.application, f"{WEBSOCKET}&sid={self.sid}")
        await self.websocket.accept()
        self.waiting: asyncio.Task[Exchange] = asyncio.ensure_future(self.poll())
        await eventually(lambda: self.link.poll is not None)

    @property
    def link(self) -> Any:
        return current_hub().clients[self.sid].transport


@pytest.fixture
async def client() -> AsyncIterator[Upgrading]:
    client = Upgrading(make_application())
    await client.begin()
    yield client
    await client.websocket.drop()


async def test_a_poll_that_waits_returns_when_a_websocket_probes(client: Upgrading) -> None:
    await client.websocket.send("2probe")
    assert (await client.waiting).packets == ["6"]
    # So does the next one; the client may not have stopped yet.
    assert await client.receive() == ["6"]
    await client.websocket.send("5")
    assert (await client.poll()).status == 400


async def test_a_poll_that_the_upgrade_overtakes_is_refused(client: Upgrading) -> None:
    """UPGRADE is right behind the probe: the poll came behind both, on another connection."""
    await client.websocket.send("2probe", "5")
    answer = await client.waiting
    assert (answer.status, answer.json["code"]) == (400, 3)


async def test_a_poll_still_brings_what_is_sent_meanwhile(client: Upgrading) -> None:
    await client.websocket.send("2probe")
    await client.send("40/nowhere,")
    assert (await client.waiting).packets == ['44/nowhere,{"message":"Invalid namespace"}']


async def test_a_thousand_probes_start_one_timer(client: Upgrading) -> None:
    with counted_timers() as timers:
        await client.websocket.send(*["2probe"] * 1000)
        await client.websocket.heard(1000)
    assert len(timers) == 1
    assert (await client.waiting).packets == ["6"]
