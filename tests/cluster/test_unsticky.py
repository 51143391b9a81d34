"""No sticky sessions: each request of a client reaches another process."""

from __future__ import annotations

import asyncio
import time
import urllib.parse
from typing import Any

import pytest
import socketio

from tests.cluster.members import NAMESPACE, use
from tests.conftest import MakeCluster
from tests.harness.cluster import Cluster
from tests.harness.node import Runner
from tests.harness.protocol import POLLING
from tests.harness.sizes import sizes
from tests.harness.waiting import DEADLINE, eventually
from tests.harness.wire import Answer, Poller, ask

pytestmark = [pytest.mark.node, pytest.mark.redis]


UNKNOWN = {"code": 1, "message": "Session ID unknown"}


def test_a_session_is_answered_wherever_it_asks(cluster: Cluster) -> None:
    poller = Poller(cluster)
    answers = [poller.opened, poller.post("40/lab,"), poller.ask()]
    assert answers[1].text == "ok"
    assert answers[2].text.startswith('40/lab,{"sid":"')
    for number in range(30):
        posted = poller.post(f'42/lab,{number}["echo","é{number}"]')
        assert (posted.status, posted.text) == (200, "ok")
        answers.append(poller.ask())
        assert answers[-1].text == f'43/lab,{number}["é{number}"]'
    # The proxy's turns: POSTs and polls by themselves reach all three.
    assert len({answer.headers["X-Backend"] for answer in answers}) == 3
    posted = poller.post("1")
    assert (posted.status, posted.text) == (200, "ok")
    for _ in range(3):
        assert is_unknown(poller.ask())


def is_unknown(answer: Answer) -> bool:
    return answer.status == 400 and bool(answer.json == UNKNOWN)


def test_answers_of_the_owner_come_as_they_are(cluster: Cluster) -> None:
    """Errors, CORS headers and compression are the owner's business."""
    poller = Poller(cluster)
    poller.join("/lab")
    poller.post('42/lab,1["echo","' + "x" * 5000 + '"]')
    answer = poller.ask(headers={"Origin": cluster.url, "Accept-Encoding": "gzip"})
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Access-Control-Allow-Origin"] == cluster.url
    assert len(answer.body) == int(answer.headers["Content-Length"]) < 5000
    for _ in range(3):
        for query, headers, status in (
            (poller.query.replace("EIO=4", "EIO=5"), {}, 400),
            (poller.query.replace("polling", "websocket"), {}, 400),
            (poller.query, {"Origin": "https://elsewhere.example"}, 403),
        ):
            assert ask(cluster, query, headers=headers).status == status


def test_a_body_that_is_too_large(cluster: Cluster) -> None:
    """Whoever is asked refuses it, and the session ends, wherever it is."""
    for _ in range(3):
        poller = Poller(cluster)
        # The proxy itself may be cut off while it still sends.
        assert poller.post("4" + "x" * 1_000_001).status in (413, 502)
        assert is_unknown(poller.ask())


def test_a_session_that_nobody_knows(cluster: Cluster) -> None:
    known = cluster.workers[0].counts()["node"]
    start = time.monotonic()
    for sid in ("x", "x" * 28, known + "x" * 20, "é" * 28):
        query = f"{POLLING}&sid={urllib.parse.quote(sid)}"
        for _ in range(3):
            assert is_unknown(ask(cluster, query))
            assert is_unknown(ask(cluster, query, "POST", b"4"))
    assert time.monotonic() - start < 12


@pytest.mark.parametrize("clients", sizes(20, 200))
@pytest.mark.parametrize("transport", ["polling", "websocket", "default"])
def test_many_clients_connect_at_once(
    node_runner: Runner, cluster: Cluster, transport: str, clients: int
) -> None:
    """At the first try, and fifty messages each way and client arrive, once and in order."""
    options: dict[str, Any] = {"clients": clients, "each": 50, "settle": 60_000}
    seen = node_runner.run("swarm", cluster.url, transport=transport, **options)
    assert seen["errors"] == []
    assert seen["connected"] == seen["toServer"] == seen["toClient"] == clients


@pytest.mark.parametrize("transport", ["polling", "websocket", "default"])
def test_an_older_client(node_runner: Runner, cluster: Cluster, transport: str) -> None:
    options: dict[str, Any] = {"clients": 3, "each": 50, "settle": 60_000}
    seen = node_runner.run("swarm", cluster.url, client="3", transport=transport, **options)
    assert seen["errors"] == []
    assert seen["connected"] == seen["toServer"] == seen["toClient"] == 3


async def test_a_websocket_that_its_owner_closes_leaves_nothing(cluster: Cluster) -> None:
    """Neither at the owner nor at the gate: it is over for both."""

    def tunnels() -> int:
        return sum(int(worker.counts()["tunnels"]) for worker in cluster.workers)

    clients = [socketio.AsyncClient(reconnection=False) for _ in range(6)]
    try:
        for client in clients:
            await client.connect(cluster.url, namespaces=[NAMESPACE], wait_timeout=DEADLINE)
        assert {client.transport() for client in clients} == {"websocket"}
        # Each tunnel has two ends.
        assert tunnels() >= 2
        await use(cluster.workers[0], ["disconnect_sockets", True])
        await eventually(lambda: not any(client.connected for client in clients), "the closes")
        await eventually(lambda: tunnels() == 0, "the tunnels to end")
    finally:
        await asyncio.gather(*(client.shutdown() for client in clients))


@pytest.mark.serial
@pytest.mark.parametrize("own_cluster", ["pubsub"], indirect=True)
def test_heartbeats(node_runner: Runner, own_cluster: MakeCluster) -> None:
    """Pings and pongs go through the tunnels as everything else does."""
    cluster = own_cluster(workers=2, socketio={"PING_INTERVAL": 2.5, "PING_TIMEOUT": 2.5})
    transports = ("polling", "default")
    runs = [node_runner.start("heartbeat", cluster.url, transport=name) for name in transports]
    for run in runs:
        assert run.result() == {"gone": [], "sum": [2]}
