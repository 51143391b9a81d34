"""What broadcasts, joins and connects cost Redis."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Join
from tests.cluster.members import Member, settle, use
from tests.cluster.watching import Watch, room_group, watching
from tests.conftest import MakeCluster
from tests.harness.cluster import LAYERS, Cluster
from tests.harness.sizes import sizes
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.redis, pytest.mark.serial]


@pytest.fixture(scope="module", params=LAYERS)
def cluster(request: pytest.FixtureRequest, _clusters: MakeCluster) -> Iterator[Cluster]:
    """A cluster whose Redis no other test uses.

    Groups are joined again when heartbeats are late, so these are slow enough for a busy machine.
    """
    times = {"HEARTBEAT_INTERVAL": 10, "HEARTBEAT_TIMEOUT": 40}
    cluster = _clusters(layer=request.param, socketio=times)
    yield cluster
    cluster.stop()


@pytest.fixture
def room() -> str:
    return f"room {uuid.uuid4()}"


async def watched(cluster: Cluster, *steps: object, worker: int = 0) -> Watch:
    """What Redis sees of something that is done in a process."""
    with watching(cluster.redis) as watch:
        await use(cluster.workers[worker], *steps)
    return watch


@pytest.mark.parametrize("each", sizes(8, 1000))
async def test_a_broadcast_costs_a_delivery_per_process(
    cluster: Cluster, member: Join, room: str, each: int
) -> None:
    """Whatever the number of members."""
    emit = [["to", room], ["emit", "said", "x"]]
    group = room_group(room)
    assert (await watched(cluster, *emit)).deliveries(group) == 0
    members: list[Member] = []
    for wanted, workers in enumerate(cluster.workers, 1):
        members.append(await member(workers, room))
        assert (await watched(cluster, *emit)).deliveries(group) == wanted
    with watching(cluster.redis) as joins:
        members += [
            await member(worker, room) for worker in cluster.workers for _ in range(each - 1)
        ]
    assert joins.about(group) == []
    for one in members:
        one.take()
    watch = await watched(cluster, *emit)
    assert watch.deliveries(group) == 3
    await settle(cluster, members)
    assert [len(one.take()) for one in members] == [1] * 3 * each


async def test_what_is_emitted_in_one_turn_shares_messages(
    cluster: Cluster, member: Join, room: str
) -> None:
    one, other = await member(cluster.workers[0]), await member(cluster.workers[1], room)
    with watching(cluster.redis) as watch:
        await one.ask("count", [room], 600)
        await eventually(lambda: len(other.heard) == 600, "all numbers")
    assert watch.deliveries(room_group(room)) == 3
    assert [number for _, number in other.take()] == list(range(600))


async def test_only_the_first_and_the_last_member_of_a_process_count(
    cluster: Cluster, member: Join, room: str
) -> None:
    worker, group = cluster.workers[0], room_group(room)
    first, second = await member(worker), await member(worker)
    enter, exit = {"pubsub": ("SUBSCRIBE", "UNSUBSCRIBE"), "core": ("ZADD", "ZREM")}[cluster.layer]
    with watching(cluster.redis) as watch:
        await first.join(room)
    assert enter in watch.about(group)
    with watching(cluster.redis) as watch:
        await second.join(room)
        await second.ask("leave", room)
        await second.join(room)
        await first.ask("leave", room)
    assert watch.about(group) == []
    with watching(cluster.redis) as watch:
        await second.ask("leave", room)
        await asyncio.to_thread(lambda: worker.io(["aserver_side_call", "settled"]))
        await member(worker, f"{room} 2")  # groups are joined and left in this order
    assert exit in watch.about(group)


async def test_a_second_socket_of_a_process_costs_nothing(cluster: Cluster, member: Join) -> None:
    """It connects, talks to its handler, gets what its process sends to it and leaves."""
    # What the tests before have left to be sent is not ours.
    await settle(cluster, [await member(cluster.workers[0])])
    with watching(cluster.redis) as watch:
        one = await member(cluster.workers[0])
        assert await one.ask("echo", 1, 2) == (1, 2)
        await use(cluster.workers[0], ["to", one.sid], ["emit", "said", "x"])
        await eventually(lambda: one.heard, "the event")
        await one.client.disconnect()
    assert watch.names() == set()


async def test_an_sid_is_addressed_directly(cluster: Cluster, member: Join) -> None:
    one = await member(cluster.workers[1])
    for worker in cluster.workers:
        with watching(cluster.redis) as watch:
            await use(worker, ["to", one.sid], ["emit", "said", "directly"])
            await eventually(lambda: one.heard, "the event")
        assert one.take() == [["said", "directly"]]
        sent = watch.about("directly")
        if worker is one.worker:
            assert sent == []
        elif cluster.layer == "pubsub":
            assert sent == ["PUBLISH"]
            assert watch.about("__group__") == watch.about("socketio.everyone")
        else:
            assert sent[0] == "ZADD"
