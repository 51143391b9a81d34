"""Server processes that are told to end, under their clients."""

from __future__ import annotations

import re
import time

import pytest

from tests.faults.conftest import MakeCluster, MakeCrowd
from tests.faults.crowd import DEFAULT, POLLING, WEBSOCKET, Member, nodes
from tests.harness.servers import SERVERS

pytestmark = [pytest.mark.node, pytest.mark.redis]

TRANSPORTS = [DEFAULT, POLLING, WEBSOCKET]
# What a client waits before it connects again: 0.2 s, give or take a half, and what a busy machine
# may add.
DELAY = 200
BACK_WITHIN = 0.3 + 2.0
# Errors of attempts to connect: the connection that is tried is one to a server that ends.
TRIED_IN_VAIN = re.compile(r"xhr (poll|post) error|websocket error|timeout|server error")


def check(member: Member) -> None:
    """Nothing but lost connections and new ones has come to a client's notice."""
    assert all(loss["reason"].startswith("transport ") for loss in member.losses), member
    assert all(TRIED_IN_VAIN.fullmatch(str(error)) for error in member.errors), member
    assert member.in_order


@pytest.mark.parametrize("server", SERVERS)
def test_sigterm_lets_clients_go(
    make_cluster: MakeCluster, make_crowd: MakeCrowd, server: str
) -> None:
    cluster = make_cluster(server=server, workers=2)
    ending, staying = cluster.workers
    ended, alive = nodes(cluster.workers)
    crowd = make_crowd([cluster.url], each=18, transports=TRANSPORTS, reconnectionDelay=DELAY)
    before = crowd.members
    began = time.monotonic()
    ending.stop()
    took = time.monotonic() - began
    assert staying.counts()["peers"] == []
    crowd.wait_until_back([alive])
    log = ending.process.log
    for was, now in zip(before, crowd.members, strict=True):
        check(now)
        if was.node == ended:
            assert f"{was.sid} has left: server shutting down" in log, log
            assert now.losses
        elif was.transport == "polling":
            # A poll that waited at the ending process is answered, the next one goes elsewhere.
            assert now.losses == []
        assert sum(loss["seconds"] for loss in now.losses) < BACK_WITHIN, now
    assert took < 5
    staying.stop()


def test_a_rolling_restart(make_cluster: MakeCluster, make_crowd: MakeCrowd) -> None:
    cluster = make_cluster()
    crowd = make_crowd(
        [cluster.url], each=30, transports=TRANSPORTS, say=50, reconnectionDelay=DELAY
    )
    for worker in cluster.workers:
        worker.stop()
        worker.start()
        cluster.wait_until_met()
        crowd.wait_until_back(nodes(cluster.workers))
    heard = [member.heard for member in crowd.members]
    crowd.wait_until_heard([number + 20 for number in heard])
    for member in crowd.members:
        check(member)
        assert member.losses
    for worker in cluster.workers:
        assert "skipped" not in worker.process.log
    cluster.stop()
