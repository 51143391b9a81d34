"""Rooms with members in three processes: who gets an event, and who does not."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.cluster.conftest import Join
from tests.cluster.members import Member, settle, use
from tests.harness.cluster import Cluster
from tests.harness.waiting import eventually

pytestmark = pytest.mark.redis


@pytest.fixture
def room() -> str:
    """A room of this test's own, with a name that no layer would take as it is."""
    return f"room é/{uuid.uuid4()} *?"


class Fleet:
    """Four members in two rooms and one in neither, spread over three processes."""

    def __init__(self, cluster: Cluster, red: str, blue: str) -> None:
        self.cluster, self.red, self.blue = cluster, red, blue
        self.members: dict[str, Member] = {}

    async def gather(self, member: Join) -> Fleet:
        first, second, third = self.cluster.workers
        self.members = {
            "both here": await member(first, self.red, self.blue),
            "both there": await member(second, self.red, self.blue),
            "red": await member(third, self.red),
            "blue": await member(second, self.blue),
            "none": await member(third),
        }
        return self

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    async def emit(self, *steps: Any, worker: int = 0, thread: bool = False) -> list[str]:
        """Emit from a process; who got it."""
        emitted = [*steps, ["emit", "said", "x"]]
        await use(self.cluster.workers[worker], *emitted, thread=thread)
        await settle(self.cluster, self.members.values())
        return self.heard()

    def heard(self) -> list[str]:
        """Who heard, as often as it did."""
        return [name for name, one in self.members.items() for _ in one.take()]


@pytest.fixture
async def fleet(cluster: Cluster, member: Join, room: str) -> Fleet:
    return await Fleet(cluster, f"{room} red", f"{room} blue").gather(member)


EVERYBODY = ["both here", "both there", "red", "blue", "none"]


@pytest.mark.parametrize("thread", [False, True], ids=["loop", "thread"])
async def test_to_everybody(fleet: Fleet, thread: bool) -> None:
    assert await fleet.emit(thread=thread) == EVERYBODY


async def test_a_room(fleet: Fleet) -> None:
    for worker in range(3):
        assert await fleet.emit(["to", fleet.red], worker=worker) == EVERYBODY[:3]


async def test_a_union_of_rooms_reaches_each_member_once(fleet: Fleet) -> None:
    for worker in range(3):
        assert await fleet.emit(["to", fleet.red, fleet.blue], worker=worker) == EVERYBODY[:4]
    sids = [one.sid for one in fleet.members.values()]
    assert await fleet.emit(["to", fleet.red, *sids]) == EVERYBODY
    assert await fleet.emit(["to", fleet.blue], ["to", fleet["both there"].sid]) == [
        "both here",
        "both there",
        "blue",
    ]


async def test_a_room_of_nobody(fleet: Fleet) -> None:
    assert await fleet.emit(["to", fleet.red + "?"]) == []
    assert await fleet.emit(["to", fleet["none"].sid[:8] + "x" * 20]) == []
    assert await fleet.emit(["to", "x" * 28]) == []


async def test_a_socket_by_its_sid(fleet: Fleet) -> None:
    for name in EVERYBODY:
        for worker in range(3):
            assert await fleet.emit(["to", fleet[name].sid], worker=worker) == [name]


async def test_a_room_that_is_named_like_another_socket(fleet: Fleet) -> None:
    """As in Node: who has joined it is reached by that name, from everywhere, as the socket is."""
    visited, visitor = fleet["red"], fleet["both there"]
    await visitor.join(visited.sid)
    await settle(fleet.cluster, fleet.members.values())
    for worker in range(3):
        heard = await fleet.emit(["to", visited.sid], worker=worker)
        assert sorted(heard) == ["both there", "red"]
        heard = await fleet.emit(["to", fleet["none"].sid], worker=worker)
        assert heard == ["none"]
        found = await use(fleet.cluster.workers[worker], ["to", visited.sid], ["afetch_sockets"])
        assert sorted(one["sid"] for one in found) == sorted([visited.sid, visitor.sid])


async def test_exclude(fleet: Fleet) -> None:
    red, blue = fleet.red, fleet.blue
    for worker in range(3):
        assert await fleet.emit(["exclude", red], worker=worker) == ["blue", "none"]
        assert await fleet.emit(["to", red], ["exclude", blue], worker=worker) == ["red"]
        sids = [fleet["both there"].sid, fleet["red"].sid]
        left = await fleet.emit(["to", red, blue], ["exclude", *sids], worker=worker)
        assert left == ["both here", "blue"]


async def test_a_socket_leaves_itself_out(fleet: Fleet) -> None:
    await fleet["both there"].ask("say", fleet.blue, "x")
    await settle(fleet.cluster, fleet.members.values())
    assert fleet.heard() == ["both here", "blue"]


async def test_local(fleet: Fleet) -> None:
    assert await fleet.emit(["to", fleet.red], ["local"]) == ["both here"]
    assert await fleet.emit(["local"], worker=1) == ["both there", "blue"]


async def test_volatile(fleet: Fleet) -> None:
    assert await fleet.emit(["to", fleet.red], ["volatile"]) == EVERYBODY[:3]


async def test_binary_and_large_arguments(fleet: Fleet) -> None:
    values: list[Any] = [b"\0\xff", {"deep": [b"x" * 100_000, "é" * 1000]}, None, 1.5, []]
    await fleet["blue"].ask("say", fleet.red, *values)
    await settle(fleet.cluster, fleet.members.values())
    for name in EVERYBODY[:3]:
        assert fleet[name].take() == [["said", *values]]


async def test_half_of_a_surrogate_pair_in_a_name(fleet: Fleet) -> None:
    """JavaScript may send one; the layers' serializers take none."""
    odd = f"{fleet.red} \ud83d"
    await fleet["red"].join(odd)
    await fleet["blue"].join(odd)
    await fleet["none"].join(odd + "\ude00")
    assert await fleet.emit(["to", odd]) == ["red", "blue"]
    assert await fleet.emit(["exclude", odd]) == ["both here", "both there", "none"]
    await use(fleet.cluster.workers[0], ["to", fleet["none"].sid], ["sockets_join", odd + "2"])
    assert await fleet.emit(["to", odd + "2"]) == ["none"]


async def test_order_over_rooms(fleet: Fleet) -> None:
    """What one process sends arrives in order, to whichever of a socket's rooms it goes."""
    rooms = [fleet.red, fleet.blue, fleet["both there"].sid]
    await fleet["both here"].ask("count", rooms, 600)
    one = fleet["both there"]
    await eventually(lambda: len(one.heard) == 600, "all numbers")
    assert one.take() == [["number", number] for number in range(600)]


async def test_a_user_is_a_room(cluster: Cluster, member: Join, room: str) -> None:
    first, second, third = cluster.workers
    name = f"user {uuid.uuid4()}"
    cookie = await asyncio.to_thread(first.log_in, name)
    other = await asyncio.to_thread(second.log_in, f"{name} 2")
    members = [
        await member(first, cookie=cookie),
        await member(second, cookie=cookie),
        await member(third, cookie=cookie),
        await member(third, cookie=other),
        await member(second),
    ]
    for worker in cluster.workers:
        await use(worker, ["to", {"user": name}], ["emit", "said", "you"], thread=True)
    await settle(cluster, members)
    assert [len(one.take()) for one in members] == [3, 3, 3, 0, 0]
    await use(first, ["exclude", {"user": name}], ["emit", "said", "not you"], thread=True)
    await settle(cluster, members)
    assert [len(one.take()) for one in members] == [0, 0, 0, 1, 1]


async def test_a_join_that_is_acknowledged_holds_for_all_processes(
    cluster: Cluster, member: Join, room: str
) -> None:
    """What another process sends from then on arrives."""
    first, second, _ = cluster.workers
    one = await member(first)
    for number in range(40):
        await one.join(f"{room} {number}")
        await use(second, ["to", f"{room} {number}"], ["emit", "said", number])
    await settle(cluster, [one])
    assert one.take() == [["said", number] for number in range(40)]


async def test_a_socket_that_is_connected_hears_all_processes(
    cluster: Cluster, member: Join
) -> None:
    """Even the first one of its namespace in its process, and the first one of its user."""
    first, second, _ = cluster.workers
    for number in range(10):
        name = f"user {uuid.uuid4()}"
        cookie = await asyncio.to_thread(second.log_in, name)
        one = await member(first, cookie=cookie)
        await use(second, ["emit", "said", number])
        await use(second, ["to", {"user": name}], ["emit", "said", "you"], thread=True)
        await settle(cluster, [one])
        assert one.take() == [["said", number], ["said", "you"]]
        await one.client.disconnect()


async def test_leaving(fleet: Fleet) -> None:
    await fleet["red"].ask("leave", fleet.red)
    assert await fleet.emit(["to", fleet.red]) == ["both here", "both there"]
    await fleet["red"].join(fleet.red)
    assert await fleet.emit(["to", fleet.red]) == EVERYBODY[:3]
