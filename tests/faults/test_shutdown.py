"""Server processes that are told to end, under their clients."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.conftest import MakeCluster
from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import DEFAULT, POLLING, WEBSOCKET, Member, nodes
from tests.harness import protocol
from tests.harness.protocol import Closed
from tests.harness.servers import SERVERS, Server
from tests.harness.sizes import sizes
from tests.harness.waiting import until
from tests.harness.wire import Peer, Poller, Request

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


@pytest.mark.serial
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
        assert sum(loss["seconds"] for loss in now.losses) < BACK_WITHIN, now
    assert took < 5
    staying.stop()


def test_a_poll_that_waits_at_a_process_that_ends(make_cluster: MakeCluster) -> None:
    """It is answered, and the session goes on at its own process. (daphne cuts it off.)"""
    cluster = make_cluster(workers=2)
    gate, owner = cluster.workers
    poller = Poller(owner)
    poller.join("/crowd")
    with Request(gate, poller.query) as poll:
        until(lambda: owner.counts()["tunnels"], "the poll to be carried")
        gate.stop()
        assert poll.read().packets == ["6"]
    owner.io(["of", "/crowd"], ["emit", "hello"])
    assert poller.poll() == ['42/crowd,["hello"]']
    assert poller.post("1").status == 200
    owner.stop()


@contextmanager
def probe(gate: Server, owner: Server) -> Iterator[Peer]:
    """A new session's WebSocket whose probe was answered; Closed where it was not."""
    with Peer(gate, f"{protocol.WEBSOCKET}&sid={Poller(owner).id}") as peer:
        peer.send("2probe")
        assert peer.next() == "3probe"
        yield peer


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("way", ["direct", "carried from here", "carried to here"])
def test_an_upgrade_in_a_process_that_ends(
    make_cluster: MakeCluster, server: str, way: str
) -> None:
    """A client whose probe was answered polls no more: it may finish. Others are not answered."""
    cluster = make_cluster(server=server, workers=2)
    ending, staying = cluster.workers
    gate = staying if way == "carried from here" else ending
    owner = staying if way == "carried to here" else ending

    def refused() -> bool:
        try:
            with probe(gate, owner) as socket:
                socket.send("5")
        except Closed:
            return True
        return False

    with ThreadPoolExecutor() as executor, probe(gate, owner) as socket:
        stopped = executor.submit(ending.stop)
        until(refused, "upgrades to be refused")
        assert socket.websocket.ping().wait(10)
        socket.send("5")
        socket.frames_until_closed()
        stopped.result()
    staying.stop()


def test_who_connects_to_a_process_that_ends(make_cluster: MakeCluster) -> None:
    """Another process takes the new client. (uvicorn is gone before anybody can come.)"""
    cluster = make_cluster(server="daphne", workers=2)
    ending, staying = cluster.workers
    (there,) = nodes([staying])
    Poller(staying)
    # A session whose client does not fetch its last packets holds the process up for a moment.
    Poller(ending).join("/crowd")
    with ThreadPoolExecutor() as executor:
        stopped = executor.submit(ending.stop)
        until(lambda: "has left: server shutting down" in ending.process.log, "it to end")
        assert Poller(ending).id.startswith(there)
        stopped.result()
    staying.stop()


@pytest.mark.serial
@pytest.mark.matrix  # a quarter of a minute
@pytest.mark.parametrize("each", sizes(30, 300))
def test_a_rolling_restart(make_cluster: MakeCluster, make_crowd: MakeCrowd, each: int) -> None:
    """Clients lose connections and find new ones, at the first try, and notice nothing else."""
    cluster = make_cluster()
    crowd = make_crowd([cluster.url], each=each, transports=TRANSPORTS, say=each * 5 / 3)
    for worker in cluster.workers:
        worker.stop()
        worker.start()
        cluster.wait_until_met()
        crowd.wait_until_back(nodes(cluster.workers))
    heard = [member.heard for member in crowd.members]
    crowd.wait_until_heard([number + 20 for number in heard])
    for member in crowd.members:
        check(member)
        assert member.errors == []
        assert member.losses
    for worker in cluster.workers:
        assert "skipped" not in worker.process.log
    cluster.stop()
