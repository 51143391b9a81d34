"""The official Redis emitter, in Node, and two server processes that hear it."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from tests.cluster.conftest import Join
from tests.cluster.members import Member, settle, use
from tests.conftest import MakeCluster
from tests.harness.cluster import Cluster
from tests.harness.node import Runner
from tests.harness.waiting import eventually

pytestmark = [pytest.mark.node, pytest.mark.redis]

Publish = Callable[..., Awaitable[None]]


@pytest.fixture
def pair(make_cluster: MakeCluster) -> Cluster:
    return make_cluster(workers=2, socketio={"REDIS_EMITTER": True, "MAX_ROOM_NAME_LENGTH": 20})


@pytest.fixture
def publish(pair: Cluster, node_runner: Runner) -> Publish:
    """Has the emitter do chains in the namespace of the members, and waits until it is done."""

    async def publish(*chains: Any, namespace: str = "/fleet", **options: Any) -> None:
        run = functools.partial(node_runner.run, "emitter", "", redis=pair.redis.url)
        wanted = [[namespace, *chain] for chain in chains]
        heard = await asyncio.to_thread(run, chains=wanted, options=options)
        # As in Node, every process hears it.
        assert heard == ([0] if options else [2]) * len(chains)

    return publish


async def heard(pair: Cluster, members: list[Member], total: int) -> list[list[list[Any]]]:
    """What each has heard, when all together have heard so much; and nothing comes behind that."""
    await eventually(lambda: sum(len(one.heard) for one in members) >= total, f"{total} events")
    await settle(pair, members)
    return [one.take() for one in members]


async def test_the_emitter(pair: Cluster, member: Join, publish: Publish) -> None:
    first, second = pair.workers
    members = [
        await member(first, "red", "blue"),
        await member(second, "red"),
        await member(second, "blue"),
        await member(first),
    ]

    # Everybody; values as JSON has them, and attachments.
    news = [1, "é", {"deep": [None, True]}]
    await publish([["emit", "news", *news, {"bytes": "0001ff"}]])
    assert await heard(pair, members, 4) == [[["news", *news, b"\0\1\xff"]]] * 4
    await publish([["emit", "date", {"date": "2026-01-02T03:04:05.678Z"}]])
    assert await heard(pair, members, 4) == [[["date", "2026-01-02T03:04:05.678Z"]]] * 4

    # Rooms, each socket once; without some; flags.
    await publish(
        [["to", "red"], ["emit", "one"]],
        [["to", ["red", "blue"]], ["emit", "two"]],
        [["to", "red"], ["except", ["blue"]], ["emit", "three"]],
        [["except", members[3].sid], ["volatile"], ["emit", "four"]],
        [["compress", False], ["to", members[3].sid], ["emit", "five"]],
        [["to", "nobody"], ["emit", "six"]],
    )
    assert await heard(pair, members, 10) == [
        [["one"], ["two"], ["four"]],
        [["one"], ["two"], ["three"], ["four"]],
        [["two"], ["four"]],
        [["five"]],
    ]
    # Another namespace, and another key.
    await publish([["emit", "elsewhere"]], namespace="/other")
    await publish([["emit", "elsewhere"]], key="other")
    assert await heard(pair, members, 0) == [[]] * 4

    # What sockets are made to do.
    await publish([["to", "red"], ["socketsJoin", ["green", "yellow"]]])
    await publish([["to", "green"], ["emit", "in"]])
    assert await heard(pair, members, 2) == [[["in"]], [["in"]], [], []]
    await publish([["to", "blue"], ["socketsLeave", "green"]], [["to", "green"], ["emit", "left"]])
    assert await heard(pair, members, 1) == [[], [["left"]], [], []]
    await publish([["serverSideEmit", "hello from Node", 1]])
    for worker in pair.workers:
        await eventually(functools.partial(worker.journal, "hello from Node"), "the signal")
        (entry,) = worker.journal("hello from Node")
        assert (entry["namespace"], entry["args"]) == ("/fleet", ["1"])
    await publish([["to", "yellow"], ["disconnectSockets", True]])
    await eventually(lambda: all(one.left.is_set() for one in members[:2]), "two to go")
    assert await use(first, ["acount"]) == 2
    # They end as they should.
    for worker in pair.workers:
        await asyncio.to_thread(worker.stop)


async def test_rubbish_and_an_outage(pair: Cluster, member: Join, publish: Publish) -> None:
    """What is no message of an emitter harms nobody, and Redis may restart."""
    one = await member(pair.workers[0])
    client = redis.Redis(port=pair.redis.port)
    rubbish: list[tuple[str, str | bytes]] = [
        ("socket.io#/fleet#", b""),
        ("socket.io#/fleet#", b"\xc1" * 100),
        ("socket.io#/fleet#", b"\xdd\xff\xff\xff\xff"),
        ("socket.io#/fleet#", json.dumps(["x", {"type": 2}, {}])),
        ("socket.io-request#/fleet#", '{"type":'),
        ("socket.io-request#/fleet#", '{"type": 2, "opts": {}, "rooms": [{}]}'),
        ("socket.io-request#/fleet#", json.dumps({"type": 2, "opts": {}, "rooms": ["x" * 21]})),
        ("socket.io-request#/fleet#", '{"type": 6, "data": []}'),
        ("socket.io-request#/fleet#", '{"type": ' + "[" * 100_000),
    ]
    for channel, data in rubbish * 20:
        client.publish(channel, data)
    # Node servers ask each other this.
    client.publish("socket.io-request#/fleet#", '{"type": 5, "requestId": "x", "opts": {}}')
    client.close()
    await publish([["emit", "after"]])
    assert await heard(pair, [one], 1) == [[["after"]]]
    counted = [worker.counts()["layer"] for worker in pair.workers]
    assert [found["emitter malformed"] for found in counted] == [len(rubbish) * 20] * 2
    assert [found["emitter received"] for found in counted] == [1] * 2
    assert pair.workers[0].process.log.count("of an emitter is malformed") < 60

    await asyncio.to_thread(pair.redis.stop)
    await eventually(
        lambda: all("emitters is down" in worker.process.log for worker in pair.workers), "an error"
    )
    await asyncio.to_thread(pair.redis.start)
    await eventually(
        lambda: all("emitters is up" in worker.process.log for worker in pair.workers), "an end"
    )
    await publish([["emit", "again"]])
    assert await heard(pair, [one], 1) == [[["again"]]]
