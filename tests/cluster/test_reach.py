"""What is done to sockets of other processes: they join, leave and are disconnected."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.cluster.conftest import Join
from tests.cluster.members import Member, settle, use
from tests.harness.cluster import Cluster
from tests.harness.waiting import eventually, until

pytestmark = pytest.mark.redis

Trio = list[Member]


@pytest.fixture
def room() -> str:
    return f"room {uuid.uuid4()}"


@pytest.fixture
async def trio(cluster: Cluster, member: Join, room: str) -> Trio:
    """A member of the room in each process."""
    return [await member(worker, room) for worker in cluster.workers]


def connected(one: Member) -> bool:
    return one.client.eio.state != "disconnected"


async def members_of(cluster: Cluster, trio: Trio, *rooms: str) -> list[int]:
    """Which of them are in a room, seen from everywhere."""
    for worker in cluster.workers:
        await use(worker, ["to", *rooms], ["emit", "said", "x"])
    await settle(cluster, trio)
    return [len(one.take()) for one in trio]


async def test_sockets_join_and_leave(cluster: Cluster, trio: Trio, room: str) -> None:
    first, second, _ = cluster.workers
    more, yet_more = f"{room} 2", f"{room} 3"
    await use(first, ["to", room], ["sockets_join", more, yet_more])
    assert await members_of(cluster, trio, more) == [3, 3, 3]
    await use(second, ["to", more], ["exclude", trio[0].sid], ["sockets_leave", more])
    await settle(cluster, trio)
    assert await members_of(cluster, trio, more) == [3, 0, 0]
    assert await members_of(cluster, trio, yet_more) == [3, 3, 3]
    await use(second, ["to", trio[2].sid, trio[0].sid], ["sockets_leave", room, yet_more])
    await settle(cluster, trio)
    assert await members_of(cluster, trio, room, yet_more) == [0, 3, 0]


async def test_calls_take_effect_in_their_order(cluster: Cluster, trio: Trio, room: str) -> None:
    """Sockets elsewhere get what is sent to a room that they have just been told to join."""
    first = cluster.workers[0]
    for number in range(20):
        one, two = f"{room} {number} 1", f"{room} {number} 2"
        await asyncio.to_thread(
            first.several,
            [["of", "/fleet"], ["to", room], ["sockets_join", one]],
            [["of", "/fleet"], ["to", one], ["emit", "said", number, "joined"]],
            [["of", "/fleet"], ["to", one], ["sockets_join", two]],
            [["of", "/fleet"], ["to", two, one], ["emit", "said", number, "again"]],
            [["of", "/fleet"], ["to", room], ["sockets_leave", one]],
            [["of", "/fleet"], ["to", one], ["emit", "said", number, "left"]],
        )
    await settle(cluster, trio)
    for member in trio:
        heard = [["said", number, word] for number in range(20) for word in ("joined", "again")]
        assert member.take() == heard


async def test_in_a_thread(cluster: Cluster, trio: Trio, room: str) -> None:
    first = cluster.workers[0]
    await use(first, ["to", room], ["sockets_join", f"{room} 2"], thread=True)
    await settle(cluster, trio)
    assert await members_of(cluster, trio, f"{room} 2") == [3, 3, 3]


async def test_local_reaches_nobody_elsewhere(cluster: Cluster, trio: Trio, room: str) -> None:
    await use(cluster.workers[1], ["to", room], ["local"], ["sockets_join", f"{room} 2"])
    assert await members_of(cluster, trio, f"{room} 2") == [0, 3, 0]
    await use(cluster.workers[1], ["to", room], ["local"], ["disconnect_sockets"])
    await asyncio.wait_for(trio[1].left.wait(), 15)
    await settle(cluster, trio)
    assert [one.left.is_set() for one in trio] == [False, True, False]


async def test_disconnect_sockets(cluster: Cluster, trio: Trio, room: str) -> None:
    first, second, third = cluster.workers
    sids = [one.sid for one in trio]
    await use(first, ["to", sids[2]], ["disconnect_sockets"])
    await asyncio.wait_for(trio[2].left.wait(), 15)
    await settle(cluster, trio)
    assert [one.left.is_set() for one in trio] == [False, False, True]
    await use(third, ["to", room], ["disconnect_sockets"])
    for one in trio:
        await asyncio.wait_for(one.left.wait(), 15)
    for worker, sid in zip((first, second, third), sids, strict=True):
        gone = await asyncio.to_thread(worker.disconnect_of, sid)
        assert gone["reason"] == "server namespace disconnect"


async def test_disconnect_sockets_and_close(cluster: Cluster, trio: Trio, room: str) -> None:
    await use(cluster.workers[0], ["to", room], ["disconnect_sockets", True])
    await eventually(lambda: not any(map(connected, trio)), "the connections to end")


async def test_logging_out_closes_the_sockets_of_the_session(
    cluster: Cluster, member: Join
) -> None:
    """In all processes, whatever the process that serves the view; no other session's."""
    name = f"user {uuid.uuid4()}"
    cookie = await asyncio.to_thread(cluster.workers[0].log_in, name)
    other = await asyncio.to_thread(cluster.workers[1].log_in, name)
    mine = [await member(worker, cookie=cookie) for worker in cluster.workers]
    others = [await member(worker, cookie=other) for worker in cluster.workers]
    await asyncio.to_thread(cluster.workers[2].request, "/logout/", {}, cookie)
    await eventually(lambda: not any(map(connected, mine)), "the connections to end")
    await settle(cluster, others)
    assert not any(one.left.is_set() for one in others)


async def test_fetch_sockets(cluster: Cluster, trio: Trio, room: str, member: Join) -> None:
    """Each process gives the same picture of all sockets, its own and the others'."""
    data = {"colour": "blue", "deep": [1, {"é": None}]}
    await trio[1].ask("remember", data)
    name = f"user {uuid.uuid4()}"
    cookie = await asyncio.to_thread(cluster.workers[0].log_in, name)
    user = await member(cluster.workers[2], room, f"{room} 2", cookie=cookie, auth={"token": ["x"]})
    pictures = [
        sorted(await use(worker, ["to", room], ["afetch_sockets"]), key=lambda item: item["sid"])
        for worker in cluster.workers
    ]
    for picture in pictures:
        for item in picture:
            item["rooms"].sort()
    # Only the process that has a socket knows what its client proves itself with.
    proofs = [
        (item["handshake"].pop("auth"), item["handshake"]["headers"].pop("cookie", None))
        for picture in pictures
        for item in picture
        if item["sid"] == user.sid
    ]
    assert proofs == [(None, None), (None, None), ({"token": ["x"]}, cookie)]
    for picture in pictures:
        for item in picture:
            item["handshake"].pop("auth", None)
    assert pictures[0] == pictures[1] == pictures[2]
    found: dict[str, Any] = {item["sid"]: item for item in pictures[0]}
    assert set(found) == {one.sid for one in (*trio, user)}
    assert found[trio[1].sid]["data"] == data
    one = found[user.sid]
    assert one["rooms"] == sorted([user.sid, room, f"{room} 2"])
    assert one["namespace"] == "/fleet"
    assert one["transport"] == "websocket"
    assert isinstance(one["user_id"], int)
    assert found[trio[0].sid]["user_id"] is None
    handshake = one["handshake"]
    assert handshake["query"]["EIO"] == "4"
    assert handshake["address"] == "127.0.0.1"
    assert handshake["secure"] is False
    assert handshake["time"].endswith("Z") or "+00:00" in handshake["time"]

    for worker in cluster.workers:
        by_sid = await use(worker, ["to", user.sid], ["afetch_sockets"])
        assert [item["sid"] for item in by_sid] == [user.sid]
        blocking = await use(worker, ["to", room], ["fetch_sockets"], thread=True)
        assert len(blocking) == 4
        local = await use(worker, ["to", room], ["local"], ["afetch_sockets"])
        assert len(local) == (2 if worker is cluster.workers[2] else 1)
        excluded = await use(worker, ["to", room], ["exclude", user.sid], ["afetch_sockets"])
        assert len(excluded) == 3
        assert await use(worker, ["to", f"{room} 0"], ["afetch_sockets"]) == []


async def test_a_socket_that_has_left_is_not_found(cluster: Cluster, trio: Trio, room: str) -> None:
    await trio[0].client.disconnect()

    def found() -> bool:
        return len(cluster.workers[1].io(["of", "/fleet"], ["to", room], ["afetch_sockets"])) == 2

    await asyncio.to_thread(until, found, "the socket to be gone")
