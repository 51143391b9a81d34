"""Redis that is not there, goes away, comes back or forgets everything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeCluster
from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import WEBSOCKET, nodes
from tests.harness.redis import Redis
from tests.harness.servers import Server, copy_database
from tests.harness.sizes import sizes
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis, pytest.mark.serial]

# Cross-process delivery is back so soon after Redis is.
BACK_WITHIN = 5.0
# Bytes that may wait for a layer that is down, times the clients of a process.
BUFFER = 200_000
# What a process's memory may change by without a reason that interests us.
MEMORY = 20_000_000


@pytest.fixture
def redis() -> Iterator[Redis]:
    redis = Redis()
    yield redis
    redis.close()


@pytest.fixture
def lonely(redis: Redis, database_template: Path, tmp_path: Path) -> Iterator[list[Server]]:
    """Two workers that were started without their Redis."""
    redis.stop()
    database = copy_database(database_template, tmp_path.name)
    workers = [Server("uvicorn", database, redis=redis.url) for _ in range(2)]
    yield workers
    for worker in workers:
        worker.stop()


def test_redis_that_is_down_at_the_start(
    lonely: list[Server], redis: Redis, make_crowd: MakeCrowd
) -> None:
    here, there = nodes(lonely)
    crowd = make_crowd([worker.url for worker in lonely], each=2, tick=0.05)
    crowd.wait_for_more([here], places=(0,))
    crowd.wait_for_more([there], places=(1,))
    assert not lonely[0].counts()["up"]
    redis.start()
    began = time.monotonic()
    crowd.wait_for_more([here, there])
    assert time.monotonic() - began < BACK_WITHIN + 1
    assert len(lonely[0].io(["of", "/crowd"], ["afetch_sockets"])) == 4
    for worker in lonely:
        assert worker.process.log.count("the channel layer is down") == 1, worker.process.log


@pytest.mark.parametrize("each", sizes(10, 100))
def test_redis_that_is_restarted_under_load(
    make_cluster: MakeCluster, make_crowd: MakeCrowd, each: int
) -> None:
    # What is dropped from the queue is not kept either.
    cluster = make_cluster(
        socketio={"MAX_LAYER_BUFFER_SIZE": BUFFER // each, "MAX_RESEND_BUFFER_SIZE": 0}
    )
    known = nodes(cluster.workers)
    crowd = make_crowd(
        [worker.url for worker in cluster.workers],
        each=each,
        transports=[WEBSOCKET],
        # The same number of deliveries, whatever the number of clients.
        tick=each / 500,
    )
    crowd.wait_for_more(known)
    before = [worker.counts() for worker in cluster.workers]

    cluster.redis.stop()
    for place, node in enumerate(known):
        crowd.wait_for_more([node], places=(place,))
    until(
        lambda: all(worker.counts()["layer"].get("dropped") for worker in cluster.workers),
        "more to wait than may",
    )
    cluster.redis.start()
    began = time.monotonic()
    crowd.wait_for_more(known)
    assert time.monotonic() - began < BACK_WITHIN + 1

    for member in crowd.report():
        assert (member.losses, member.errors) == ([], [])
        assert member.in_order
        # Only what came from elsewhere has a gap.
        assert member.missed(member.node) == 0
        assert all(member.missed(node) for node in known if node != member.node)
    cluster.wait_until_met()
    for worker, was in zip(cluster.workers, before, strict=True):
        counts = worker.counts()
        assert counts["pid"] == was["pid"]
        assert counts["layer"]["failed"] > 0
        assert counts["layer"]["lost"] >= 1
        assert counts["memory"] - was["memory"] < MEMORY
        log = worker.process.log
        assert log.count("the channel layer is down") == 1, log
        assert log.count("messages are dropped") == 1, log
        assert 1 <= log.count("messages of another process were lost") <= 2, log


def test_what_waits_during_an_outage_arrives(
    make_cluster: MakeCluster, make_crowd: MakeCrowd
) -> None:
    """It is held back until the others hear again; what is lost all the same is sent again."""
    cluster = make_cluster()
    known = nodes(cluster.workers)
    tick, outage = 0.02, 1.5
    crowd = make_crowd([worker.url for worker in cluster.workers], each=3, tick=tick)
    crowd.wait_for_more(known)
    cluster.redis.stop()
    time.sleep(outage)
    cluster.redis.start()
    crowd.wait_for_more(known)
    members = crowd.report()
    assert sum(member.missed(node) for member in members for node in known) == 0
    assert all(member.in_order for member in members)


def test_a_core_layer_that_is_flushed(make_cluster: MakeCluster, make_crowd: MakeCrowd) -> None:
    """Its groups are gone; they are joined again before a process is taken for dead."""
    cluster = make_cluster(layer="core")
    known = nodes(cluster.workers)
    crowd = make_crowd([worker.url for worker in cluster.workers], each=3, tick=0.05)
    crowd.wait_for_more(known)
    cluster.redis.client.flushall()
    began = time.monotonic()
    crowd.wait_for_more(known)
    assert time.monotonic() - began < BACK_WITHIN + 1
    for member in crowd.report():
        assert (member.losses, member.errors) == ([], [])
        assert sum(member.missed(node) for node in known) == 0
        assert member.in_order
    # What was missed may be sent again even before.
    until(
        lambda: all(worker.counts()["layer"].get("rejoined") for worker in cluster.workers),
        "all groups to be joined again",
    )
    for worker in cluster.workers:
        assert "taken for dead" not in worker.process.log
