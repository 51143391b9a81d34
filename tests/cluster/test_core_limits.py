"""The limits of channels_redis's core layer, reached: what is lost is sent again.

By default a channel of that layer holds 100 messages. What is sent to a group of which a channel is
full is dropped there without a word; what is sent to the channel itself is refused.
"""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections import Counter

import pytest

from tests.cluster.conftest import Join
from tests.cluster.members import NAMESPACE, Member, settle, use
from tests.conftest import MakeCluster
from tests.harness.cluster import Cluster
from tests.harness.servers import Server
from tests.harness.waiting import eventually

pytestmark = pytest.mark.redis

CAPACITY = 100


@pytest.fixture
def small(own_cluster: MakeCluster) -> Cluster:
    # Nobody is to be taken for dead here.
    return own_cluster(layer_config={"capacity": CAPACITY}, socketio={"HEARTBEAT_TIMEOUT": 60})


async def layer_counts(worker: Server) -> Counter[str]:
    counts = await asyncio.to_thread(worker.counts)
    return Counter(counts["layer"])


@pytest.mark.parametrize("own_cluster", ["core"], indirect=True)
async def test_a_process_that_does_not_keep_up(small: Cluster, member: Join) -> None:
    sender, paused, other = small.workers
    room = f"room {uuid.uuid4()}"
    slow, quick = await member(paused, room), await member(other, room)
    before = await layer_counts(paused)

    os.kill(paused.process.pid, signal.SIGSTOP)
    try:
        # Only neighbours share a message, so each number has one of its own.
        emits = [
            [["of", NAMESPACE], ["to", name], ["emit", "number", number]]
            for number in range(2 * CAPACITY)
            for name in (room, "nobody")
        ]
        await asyncio.to_thread(sender.several, *emits)
        for _ in range(3):
            await use(sender, ["to", slow.sid], ["emit", "directly"])
    finally:
        os.kill(paused.process.pid, signal.SIGCONT)

    # The sender is told only of what was meant for that one channel.
    assert (await layer_counts(sender))["full"] >= 3
    await eventually(
        lambda: "a channel of the layer is full: raise its capacity" in log(sender), "it"
    )

    # The others miss nothing.
    assert await numbers(small, quick) == list(range(2 * CAPACITY))

    # Who was too slow has what the channel could hold, and then, in order, what it could not.
    await use(sender, ["to", room], ["emit", "number", -1])
    got: list[int] = []
    while -1 not in got:
        got += await numbers(small, slow)
    assert got == [*range(2 * CAPACITY), -1]
    after = await layer_counts(paused)
    assert after["lost"] == before["lost"] == 0
    again = (await layer_counts(sender))["sent again"]
    # One or two may have been on their way into the process when it was paused.
    assert again >= CAPACITY - 10

    # And all is well again.
    await use(sender, ["to", slow.sid, quick.sid], ["emit", "number", 1])
    assert await numbers(small, slow) == [1]
    assert await numbers(small, quick) == [-1, 1]


def log(worker: Server) -> str:
    return worker.process.log


async def numbers(cluster: Cluster, one: Member) -> list[int]:
    """The numbers that it has heard until now."""
    await settle(cluster, [one])
    return [args[0] for event, *args in one.take() if event == "number"]
