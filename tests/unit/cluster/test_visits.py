"""Rooms that are named like a socket of another process: everybody who has joined is reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from django_socketio.addressing.delivery import NORMAL, Action
from django_socketio.addressing.ids import new_id, new_node
from django_socketio.addressing.target import Target
from django_socketio.cluster.cluster import Cluster
from django_socketio.cluster.routing import group_of
from django_socketio.conf import get_settings
from django_socketio.packets import EncodedPacket
from django_socketio.runtime.runtime import Runtime
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.layers import Exchange, Layer

NAMESPACE = "/chat"


class Members:
    """Notes the rooms of what others send to this process, and answers what they ask."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def deliver(self, target: Target, *rest: Any) -> Any:
        self.told.append(target.rooms)

    def act(self, target: Target, action: Action, rooms: list[Any]) -> None:
        self.told.append((action.value, *target.rooms))

    def describe(self, target: Target) -> list[Any]:
        self.told.append(("described", *target.rooms))
        return []


class Process:
    def __init__(self, exchange: Exchange) -> None:
        settings = replace(get_settings(), heartbeat_interval=0.02)
        self.node = new_node()
        self.members = Members()
        self.layer = Layer(exchange)
        runtime = Runtime(asyncio.get_running_loop(), settings)
        members: Any = self.members
        self.cluster = Cluster(runtime, settings, self.layer, self.node, members)
        self.cluster.start(listen=True)

    async def emit(self, *rooms: str) -> None:
        packet = EncodedPacket(f'2{NAMESPACE},["x"]', ())
        taken = self.cluster.emit(Target(NAMESPACE, rooms), packet, NORMAL)
        if taken is not None:
            await soon(taken)

    async def join(self, room: str) -> None:
        await soon(self.cluster.room_opened(NAMESPACE, room, "sid"))

    def take(self) -> list[tuple[Any, ...]]:
        told, self.members.told = self.members.told, []
        return told


MakeProcesses = Callable[[], Any]


@pytest.fixture
async def processes() -> AsyncIterator[list[Process]]:
    """Three that know each other: the owner of a socket, who joins its room, a third."""
    exchange = Exchange()
    made = [Process(exchange) for _ in range(3)]
    for one in made:
        await eventually(lambda one=one: len(one.cluster.peers) == 2)  # type: ignore[misc]
    yield made
    for one in made:
        await one.cluster.stop(0)


async def quiet(processes: list[Process]) -> None:
    """Wait until what was sent has arrived."""
    for one in processes:
        for other in processes:
            if other is not one:
                echo = other.cluster.bus.echo()
                assert echo is not None
                await soon(echo)


async def known(processes: list[Process], visitor: Process, expected: bool = True) -> None:
    for one in processes:
        if one is not visitor:
            await eventually(
                lambda one=one: (  # type: ignore[misc]
                    (visitor.node in one.cluster.visits.visitors) is expected
                )
            )


async def test_nobody_visits(processes: list[Process]) -> None:
    """What is sent to a sid goes to its owner, as one message."""
    owner, _, third = processes
    sid = new_id(owner.node)
    third.layer.calls.clear()
    await third.emit(sid)
    await quiet(processes)
    assert [one.take() for one in processes] == [[(sid,)], [], []]
    assert ("group_send", group_of(NAMESPACE, sid)) not in third.layer.calls


async def test_a_visitor_is_reached_from_everywhere(processes: list[Process]) -> None:
    owner, visitor, third = processes
    sid = new_id(owner.node)
    await visitor.join(sid)
    await known(processes, visitor)
    for sender, expected in (
        (third, [[(sid,)], [(sid,)], []]),
        (owner, [[], [(sid,)], []]),
        (visitor, [[(sid,)], [], []]),
    ):
        await sender.emit(sid)
        await quiet(processes)
        assert [one.take() for one in processes] == expected


async def test_a_visitor_is_reached_once(processes: list[Process]) -> None:
    """Also as a member of another room, and where the owner's process has visitors of its own."""
    owner, visitor, third = processes
    sid = new_id(owner.node)
    for one in (owner, visitor):
        await one.join(sid)
        await one.join("room")
    await known(processes, visitor)
    await third.emit(sid, "room")
    await quiet(processes)
    assert [one.take() for one in processes] == [[(sid, "room")], [(sid, "room")], []]


async def test_questions_go_to_visitors(processes: list[Process]) -> None:
    owner, visitor, third = processes
    sid = new_id(owner.node)
    target = Target(NAMESPACE, (sid,))
    for one in (owner, third):
        await soon(one.cluster.fetch(target))
    assert [one.take() for one in processes] == [[("described", sid)], [], []]
    await visitor.join(sid)
    await known(processes, visitor)
    for one in (owner, third):
        _, missing = await soon(one.cluster.fetch(target))
        assert missing == set()
    assert ("described", sid) in owner.take()
    assert visitor.take() == [("described", sid)] * 2


async def test_who_was_told_to_visit_is_reached_at_once(processes: list[Process]) -> None:
    """Before its process can have said so: by who told it, as with any room."""
    owner, visitor, third = processes
    sid, other = new_id(owner.node), new_id(visitor.node)
    await visitor.join("")
    await soon(visitor.cluster.room_opened(NAMESPACE, None, "sid"))
    taken = third.cluster.act(Target(NAMESPACE, (other,)), Action.JOIN, [sid])
    assert taken is not None
    await third.emit(sid)
    await quiet(processes)
    assert visitor.take() == [("join", other), (sid,)]


async def test_the_last_visit_ends(processes: list[Process]) -> None:
    owner, visitor, _ = processes
    first, second = new_id(owner.node), new_id(owner.node)
    for sid in (first, second):
        await visitor.join(sid)
    await known(processes, visitor)
    visitor.cluster.room_closed(NAMESPACE, first, "sid")
    visitor.cluster.room_closed(NAMESPACE, "never opened", "sid")
    await quiet(processes)
    await known(processes, visitor)
    visitor.cluster.room_closed(NAMESPACE, second, "sid")
    await known(processes, visitor, expected=False)
    await test_nobody_visits(processes)


@pytest.mark.parametrize("orderly", [True, False])
async def test_a_visitor_s_process_ends(processes: list[Process], orderly: bool) -> None:
    owner, visitor, third = processes
    await visitor.join(new_id(owner.node))
    await known(processes, visitor)
    if orderly:
        await visitor.cluster.stop()
        await known(processes, visitor, expected=False)
    else:
        third.cluster._departed(visitor.node)
        assert third.cluster.visits.visitors == set()


async def test_who_comes_later_is_told(processes: list[Process]) -> None:
    owner, visitor, _ = processes
    await visitor.join(new_id(owner.node))
    late = Process(owner.layer.exchange)
    try:
        await known([late, *processes], visitor)
    finally:
        await late.cluster.stop(0)


async def test_rooms_that_only_look_like_ids(processes: list[Process]) -> None:
    """28 characters, as many services' ids of users have."""
    _, visitor, third = processes
    room = "x" * 28
    await visitor.join(room)
    await third.emit(room)
    await quiet(processes)
    assert [one.take() for one in processes] == [[], [(room,)], []]
    assert third.cluster.visits.visitors == set()
