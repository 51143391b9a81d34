"""Server processes that die, or stop for a while, under their clients."""

from __future__ import annotations

import os
import signal
import time
from http.client import HTTPMessage

import pytest
from websockets.exceptions import InvalidStatus

from tests.conftest import MakeCluster
from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import DEFAULT, POLLING, WEBSOCKET, nodes
from tests.harness import protocol
from tests.harness.servers import Server
from tests.harness.sizes import sizes
from tests.harness.waiting import until
from tests.harness.wire import Answer, Peer, Poller, ask

pytestmark = [pytest.mark.node, pytest.mark.redis, pytest.mark.serial]

# The defaults of HEARTBEAT_INTERVAL and HEARTBEAT_TIMEOUT.
INTERVAL, TIMEOUT = 1.0, 4.0
# What a busy machine may take beyond what is promised.
SLACK = 2.0


@pytest.mark.parametrize("each", sizes(30, 300))
def test_a_killed_process_takes_only_its_own_clients_with_it(
    make_cluster: MakeCluster, make_crowd: MakeCrowd, each: int
) -> None:
    cluster = make_cluster()
    victim, *others = cluster.workers
    dead, *alive = nodes(cluster.workers)
    # Through the proxy, so that its clients find another process; the tickers are on two others.
    crowd = make_crowd([cluster.url], each=each, transports=[WEBSOCKET])
    tickers = make_crowd([worker.url for worker in others], each=1, tick=0.02)
    before = crowd.report()
    assert {member.node for member in before} == {dead, *alive}
    crowd.wait_for_more(alive)

    victim.process.kill()
    killed = time.monotonic()
    crowd.wait_until_back(alive)
    for was, now in zip(before, crowd.report(), strict=True):
        if was.node == dead:
            (loss,) = now.losses
            assert loss["reason"] == "transport close"
            # The client's own delay is 1 s, give or take a half.
            assert loss["seconds"] < 1.5 + SLACK
        else:
            assert (now.losses, now.errors) == ([], [])
            assert sum(now.missed(node) for node in alive) == 0

    def known() -> bool:
        sids = {found["sid"] for found in others[0].io(["of", "/crowd"], ["afetch_sockets"])}
        return sids == {member.sid for member in crowd.members + tickers.report()}

    until(
        known, "fetch_sockets to be right", killed + TIMEOUT + INTERVAL + SLACK - time.monotonic()
    )
    crowd.wait_for_more(alive)
    assert all(member.in_order for member in crowd.members)


def test_nothing_hangs_that_went_through_a_killed_process(
    make_cluster: MakeCluster, make_crowd: MakeCrowd
) -> None:
    cluster = make_cluster()
    victim, *_ = cluster.workers
    _, *alive = nodes(cluster.workers)
    # Without sticky sessions, most of these are carried from one process to another.
    crowd = make_crowd([cluster.url], each=30, transports=[DEFAULT, POLLING, DEFAULT])
    victim.process.kill()
    crowd.wait_until_back(alive, TIMEOUT + INTERVAL + 1.5 + SLACK)
    for member in crowd.members:
        assert all(loss["reason"].startswith("transport ") for loss in member.losses), member
    make_crowd([cluster.workers[1].url], each=1, tick=0.02)
    crowd.wait_for_more(alive[:1])


@pytest.mark.matrix  # a quarter of a minute, most of it a pause
@pytest.mark.parametrize("pause", sizes(10, 60))
def test_a_process_that_was_stopped_and_goes_on(
    make_cluster: MakeCluster, make_crowd: MakeCrowd, pause: int
) -> None:
    """For longer than the others wait for it."""
    # Its own clients are to wait for it.
    cluster = make_cluster(socketio={"PING_TIMEOUT": 20 + pause})
    victim, *others = cluster.workers
    paused, *alive = nodes(cluster.workers)
    direct = make_crowd([worker.url for worker in cluster.workers], each=2, tick=0.05)
    carried = make_crowd([cluster.url], each=12, transports=[DEFAULT, POLLING])
    crowds = direct, carried
    os.kill(victim.process.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    try:

        def forgotten() -> bool:
            found = others[0].io(["of", "/crowd"], ["afetch_sockets"])
            return not any(socket["sid"].startswith(paused) for socket in found)

        until(forgotten, "the others to forget it", TIMEOUT + INTERVAL + SLACK)
        until(lambda: time.monotonic() - stopped > pause, "the pause to end", pause + 5)
        direct.wait_for_more(alive, places=(1, 2))
    finally:
        os.kill(victim.process.pid, signal.SIGCONT)
    cluster.wait_until_met()
    for crowd in crowds:
        crowd.wait_for_more([paused, *alive])
    for member in direct.report():
        # Those that were connected to it directly have noticed a delay and nothing else.
        assert (member.losses, member.errors) == ([], [])
    members = [member for crowd in crowds for member in crowd.report()]
    for member in members:
        assert member.in_order
        assert sum(member.missed(node) for node in [paused, *alive]) == 0, member
    sids = {found["sid"] for found in others[1].io(["of", "/crowd"], ["afetch_sockets"])}
    # A session that polled may have been left behind by its client; its ping will tell.
    assert {member.sid for member in members} <= sids


def poll(worker: Server, sid: str) -> Answer:
    return ask(worker, f"{protocol.POLLING}&sid={sid}")


def post(worker: Server, sid: str) -> Answer:
    return ask(worker, f"{protocol.POLLING}&sid={sid}", "POST", b"40")


def upgrade(worker: Server, sid: str) -> Answer:
    with pytest.raises(InvalidStatus) as refused, Peer(worker, f"{protocol.WEBSOCKET}&sid={sid}"):
        pass
    response = refused.value.response
    return Answer(response.status_code, HTTPMessage(), bytes(response.body or b""))


@pytest.fixture
def orphans(make_cluster: MakeCluster) -> tuple[Server, list[str]]:
    """A worker, and the ids of sessions of another worker, which has just been killed."""
    survivor, victim = make_cluster(workers=2).workers
    sids = [Poller(victim).id for _ in range(3)]
    victim.process.kill()
    return survivor, sids


def test_a_dead_owner_is_told_of_within_a_second(orphans: tuple[Server, list[str]]) -> None:
    survivor, sids = orphans
    for state in ("not known to be dead", "forgotten"):
        for way, sid in zip((poll, post, upgrade), sids, strict=True):
            began = time.monotonic()
            answer = way(survivor, sid)
            assert answer.status == 400
            assert answer.json == {"code": 1, "message": "Session ID unknown"}
            assert time.monotonic() - began < 1, (way, state)
        until(lambda: not survivor.counts()["peers"], "it to be forgotten")
