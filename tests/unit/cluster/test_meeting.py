"""How processes come to know each other before a client's requests reach the wrong one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from django_socketio.addressing.delivery import NORMAL
from django_socketio.addressing.ids import new_node
from django_socketio.addressing.target import Target
from django_socketio.cluster import membership
from django_socketio.cluster.alone import Alone
from django_socketio.cluster.cluster import Cluster
from django_socketio.cluster.messages import EVERYONE
from django_socketio.cluster.progress import Milestone
from django_socketio.conf import get_settings
from django_socketio.packets import EncodedPacket
from django_socketio.runtime.runtime import Runtime
from django_socketio.sockets.local import Local
from django_socketio.sockets.members import LocalMembers
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.layers import Exchange, Layer

MakeProcess = Callable[[], Cluster]


class SlowLayer(Layer):
    """What has come is handed over only while ``arrives`` is set."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.arrives = asyncio.Event()
        self.arrives.set()

    async def receive(self, channel: str) -> Any:
        message = await super().receive(channel)
        await self.arrives.wait()
        return message


SlowLayer.__module__ = Layer.__module__


@pytest.fixture
async def make() -> AsyncIterator[MakeProcess]:
    """Makes processes that share an exchange; they are not started."""
    exchange = Exchange()
    made: list[Cluster] = []

    def process() -> Cluster:
        settings = replace(get_settings(), heartbeat_interval=0.02)
        loop = asyncio.get_running_loop()
        runtime, node = Runtime(loop, settings), new_node()
        members = LocalMembers(Local(runtime, settings, node, Alone(node, runtime)))
        made.append(Cluster(runtime, settings, SlowLayer(exchange), node, members))
        return made[-1]

    yield process
    for one in made:
        await one.stop(0)


def layer(process: Cluster) -> SlowLayer:
    found: SlowLayer = process.bus._layer._backend
    return found


async def experienced(process: Cluster) -> Cluster:
    """A process that is started, and no longer new."""
    process.start(listen=True)
    await eventually(lambda: not process.membership._new)
    return process


async def test_a_process_that_has_only_just_come(make: MakeProcess) -> None:
    """It has greeted, but the greeting has not been read yet."""
    gate, owner = await experienced(make()), make()
    layer(gate).arrives.clear()
    owner.start(listen=True)
    await soon(owner.greeted())
    met = asyncio.ensure_future(gate.membership.meet(owner.bus.node))
    await asyncio.sleep(0.05)
    assert not met.done()
    layer(gate).arrives.set()
    assert await soon(met)


async def test_a_process_that_does_not_know_the_others_yet(make: MakeProcess) -> None:
    owner, gate = await experienced(make()), make()
    layer(owner).open.clear()
    gate.start(listen=True)
    await soon(gate.greeted())
    met = asyncio.ensure_future(gate.membership.meet(owner.bus.node))
    await asyncio.sleep(0.05)
    assert not met.done()
    layer(owner).open.set()
    assert await soon(met)


async def test_one_that_nobody_knows(make: MakeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs a message to oneself, not the time that a slow layer may take."""
    monkeypatch.setattr(membership, "MEETING_TIME", 1000.0)
    gate = await experienced(make())
    other = await experienced(make())
    before = len(layer(gate).names(str(gate.bus.channel)))
    assert not await soon(gate.membership.meet("nobody!!"))
    assert await soon(gate.membership.meet(other.bus.node))
    assert len(layer(gate).names(str(gate.bus.channel))) == before + 1


@pytest.mark.parametrize("down", [False, True])
async def test_patience_with_a_layer_ends(
    make: MakeProcess, monkeypatch: pytest.MonkeyPatch, down: bool
) -> None:
    monkeypatch.setattr(membership, "MEETING_TIME", 0.1)
    gate = await experienced(make())
    layer(gate).arrives.clear()
    if down:
        layer(gate).error = OSError()
        await eventually(lambda: not gate.bus.up)
    assert not await soon(gate.membership.meet("nobody!!"))


async def test_nobody_is_served_before_the_greeting(make: MakeProcess) -> None:
    process = make()
    layer(process).open.clear()
    process.start(listen=True)
    greeted = asyncio.ensure_future(process.greeted())
    await asyncio.sleep(0.02)
    assert not greeted.done()
    layer(process).open.set()
    await soon(greeted)
    assert "socketio.everyone" in [group for name, group in layer(process).calls if "send" in name]


async def test_a_layer_that_is_down_holds_nobody_up(
    make: MakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "GREETING_TIME", 0.05)
    process = make()
    layer(process).error = OSError()
    process.start(listen=True)
    await soon(process.greeted())
    assert layer(process).calls == []


async def test_a_layer_that_was_flushed_while_a_room_is_busy(make: MakeProcess) -> None:
    """A room that was joined since is heard; that says nothing about the group of everyone."""
    process = await experienced(make())
    process.membership._patience = 0.5
    layer(process).exchange.groups.clear()
    await soon(process.room_opened("/", "busy", "sid"))

    def is_known() -> bool:
        process.emit(Target("/", ("busy",)), EncodedPacket('2["news"]', ()), NORMAL)
        return EVERYONE in layer(process).exchange.groups

    await eventually(is_known)


async def test_groups_that_do_not_end_are_not_joined_again(
    make: MakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group_expiry of 0, as in channels_postgres, means that memberships stay."""
    monkeypatch.setattr(SlowLayer, "group_expiry", 0, raising=False)
    process = await experienced(make())
    rejoined: list[None] = []
    monkeypatch.setattr(process.bus, "rejoin", lambda: rejoined.append(None))
    outbox = process.bus._outbox
    after = outbox.position + 5
    await eventually(lambda: outbox.position > after, "heartbeats")
    assert rejoined == []


@pytest.mark.parametrize("hears", [True, False])
async def test_a_process_that_does_not_hear_itself_greets_again(
    make: MakeProcess, monkeypatch: pytest.MonkeyPatch, hears: bool
) -> None:
    monkeypatch.setattr(membership, "SETTLE_TIME", 0.05)
    process = make()
    hello = process.membership._hello
    greetings: list[bool] = []

    def note(wanted: bool) -> Milestone:
        greetings.append(wanted)
        return hello(wanted)

    monkeypatch.setattr(process.membership, "_hello", note)
    if not hears:
        layer(process).arrives.clear()
    process.start(listen=True)
    await soon(process.membership.settled())
    assert greetings.count(True) == (1 if hears else 1 + membership.GREETINGS)
    layer(process).arrives.set()
