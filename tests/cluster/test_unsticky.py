"""No sticky sessions: each request of a client reaches another process."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
import socketio

from tests.cluster.members import DEADLINE, NAMESPACE, until, use
from tests.conftest import MakeCluster
from tests.harness.cluster import Cluster
from tests.harness.node import Runner
from tests.harness.sizes import sizes

pytestmark = [pytest.mark.node, pytest.mark.redis]


def request(url: str, body: bytes | None = None) -> tuple[int, str, str]:
    """The status, the body and the backend of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers["X-Backend"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["X-Backend"]


POLLING = "/socket.io/?EIO=4&transport=polling"
UNKNOWN = (400, {"code": 1, "message": "Session ID unknown"})


def test_a_session_is_answered_wherever_it_asks(cluster: Cluster) -> None:
    base = cluster.url + POLLING
    backends = []
    _, opened, backend = request(base)
    backends.append(backend)
    sid = json.loads(opened[1:])["sid"]
    url = f"{base}&sid={sid}"
    status, body, backend = request(url, b"40/lab,")
    assert (status, body) == (200, "ok")
    backends.append(backend)
    _, body, backend = request(url)
    assert body.startswith('40/lab,{"sid":"')
    backends.append(backend)
    for number in range(30):
        event = f'42/lab,{number}["echo","é{number}"]'
        assert request(url, event.encode())[:2] == (200, "ok")
        _, body, backend = request(url)
        assert body == f'43/lab,{number}["é{number}"]'
        backends.append(backend)
    # The proxy's turns: POSTs and polls by themselves reach all three.
    assert len(set(backends)) == 3
    assert request(url, b"1")[:2] == (200, "ok")
    for _ in range(3):
        status, body, _ = request(url)
        assert (status, json.loads(body)) == UNKNOWN


def test_answers_of_the_owner_come_as_they_are(cluster: Cluster) -> None:
    """Errors, CORS headers and compression are the owner's business."""
    base = cluster.url + POLLING
    _, opened, _ = request(base)
    url = f"{base}&sid={json.loads(opened[1:])['sid']}"
    request(url, b"40/lab,")
    request(url)
    request(url, b'42/lab,1["echo","' + b"x" * 5000 + b'"]')
    headers = {"Origin": cluster.url, "Accept-Encoding": "gzip"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Access-Control-Allow-Origin"] == cluster.url
        assert len(answer.read()) == int(answer.headers["Content-Length"]) < 5000
    for _ in range(3):
        for wrong, headers, status in (
            (url.replace("EIO=4", "EIO=5"), {}, 400),
            (url.replace("polling", "websocket"), {}, 400),
            (url, {"Origin": "https://elsewhere.example"}, 403),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(wrong, headers=headers))
            with refused.value:
                assert refused.value.code == status


def test_a_body_that_is_too_large(cluster: Cluster) -> None:
    """Whoever is asked refuses it, and the session ends, wherever it is."""
    base = cluster.url + POLLING
    for _ in range(3):
        _, opened, _ = request(base)
        url = f"{base}&sid={json.loads(opened[1:])['sid']}"
        # The proxy itself may be cut off while it still sends.
        assert request(url, b"4" + b"x" * 1_000_001)[0] in (413, 502)
        status, body, _ = request(url)
        assert (status, json.loads(body)) == UNKNOWN


def test_a_session_that_nobody_knows(cluster: Cluster) -> None:
    known = cluster.workers[0].counts()["node"]
    start = time.monotonic()
    for sid in ("x", "x" * 28, known + "x" * 20, "é" * 28):
        url = f"{cluster.url}{POLLING}&sid={urllib.parse.quote(sid)}"
        for _ in range(3):
            for body in (None, b"4"):
                status, answer, _ = request(url, body)
                assert (status, json.loads(answer)) == UNKNOWN
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
        await until(lambda: not any(client.connected for client in clients), "the closes")
        await until(lambda: tunnels() == 0, "the tunnels to end")
    finally:
        await asyncio.gather(*(client.shutdown() for client in clients))


@pytest.mark.parametrize("own_cluster", ["pubsub"], indirect=True)
def test_heartbeats(node_runner: Runner, own_cluster: MakeCluster) -> None:
    """Pings and pongs go through the tunnels as everything else does."""
    cluster = own_cluster(workers=2, socketio={"PING_INTERVAL": 2.5, "PING_TIMEOUT": 2.5})
    transports = ("polling", "default")
    runs = [node_runner.start("heartbeat", cluster.url, transport=name) for name in transports]
    for run in runs:
        assert run.result() == {"gone": [], "sum": [2]}
