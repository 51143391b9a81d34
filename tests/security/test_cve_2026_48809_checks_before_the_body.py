"""Method, origin, session and declared length are checked before a byte of the body is read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from django_socketio.cluster.cluster import Cluster
from django_socketio.server.hubs import current_hub
from tests.harness.cluster import Cluster as Workers
from tests.harness.protocol import PATH, POLLING
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_socket, read_answer
from tests.unit.cluster.layers import Exchange, Layer

from .inprocess import client_of, exchange, handshake, of_session

FOREIGN = (b"origin", b"http://evil.example")
LONG = (b"content-length", b"1000000")


@pytest.mark.parametrize(
    ("query", "method", "headers", "status"),
    [
        (POLLING, "POST", [LONG], 400),
        (POLLING, "PUT", [LONG], 400),
        ("", "POST", [LONG], 400),
        (POLLING + "&sid=unknown", "POST", [LONG], 400),
        (POLLING + "&sid=unknown", "PUT", [LONG], 400),
        (POLLING, "POST", [LONG, FOREIGN], 403),
        ("EIO=4&transport=websocket", "POST", [LONG], 400),
    ],
)
async def test_cve_2026_48809_checks_before_the_body(
    query: str, method: str, headers: Sequence[tuple[bytes, bytes]], status: int
) -> None:
    answer = await exchange(query, method, headers, [b"x" * 1000], ends=False)
    assert (answer.status, answer.taken) == (status, 0)


@pytest.mark.parametrize(
    ("method", "headers", "status", "lives"),
    [
        ("PUT", [LONG], 400, True),
        ("DELETE", [], 400, True),
        ("POST", [LONG, FOREIGN], 403, True),
        ("POST", [(b"content-length", b"1000001")], 413, False),
        ("POST", [LONG, (b"content-type", b"application/octet-stream")], 400, False),
    ],
)
async def test_cve_2026_48809_checks_before_the_body_of_a_session(
    method: str, headers: Sequence[tuple[bytes, bytes]], status: int, lives: bool
) -> None:
    sid = await handshake()
    answer = await exchange(of_session(sid), method, headers, [b"40"], ends=False)
    assert (answer.status, answer.taken) == (status, 0)
    assert (client_of(sid) is not None) is lives


async def test_cve_2026_48809_checks_before_the_body_of_a_process_that_nobody_knows() -> None:
    """The first eight characters of an id name a process, whoever made it up."""
    hub = current_hub()
    alone = hub.others
    cluster = Cluster(hub.runtime, hub.settings, Layer(Exchange()), hub.node, hub.members)
    hub.others = hub.local.others = cluster
    cluster.start(listen=True)
    try:
        answer = await exchange(of_session("x" * 28), "POST", [LONG], [b"x" * 1000], ends=False)
        assert (answer.status, answer.taken) == (400, 0)
    finally:
        await cluster.stop()
        hub.others = hub.local.others = alone


@pytest.mark.redis
def test_cve_2026_48809_checks_before_the_body_in_a_cluster(cluster: Workers) -> None:
    """Of a session that its owner does not know, and of one that refuses the request."""
    owner, gate = cluster.workers[:2]
    poller = Poller(owner)
    unknown = f"{POLLING}&sid={owner.counts()['node']}" + "x" * 20
    for query, headers, status in (
        (unknown, "Content-Length: 1000000\r\n", 400),
        (unknown, "Transfer-Encoding: chunked\r\n", 400),
        (poller.query, "Content-Length: 1000\r\nContent-Type: application/octet-stream\r\n", 400),
        (unknown, "Content-Length: 100000000000\r\n", 400),
    ):
        sock = open_socket(gate)
        head = f"POST {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"
        sock.sendall(head.encode())
        assert read_answer(sock).status == status
        sock.close()


def test_cve_2026_48809_checks_before_the_body_over_the_wire(
    uvicorn: Server, bystander: Peer
) -> None:
    """The answer comes although the body does not."""
    poller = Poller(uvicorn)
    for query, headers, status in (
        ("EIO=4&transport=polling", "Content-Length: 1000000\r\n", 400),
        ("EIO=4&transport=polling&sid=unknown", "Content-Length: 1000000\r\n", 400),
        ("EIO=4&transport=polling&sid=unknown", "Transfer-Encoding: chunked\r\n", 400),
        (poller.query, "Content-Length: 1000\r\nOrigin: http://evil.example\r\n", 403),
        (poller.query, "Content-Length: 100000000000\r\n", 413),
    ):
        sock = open_socket(uvicorn)
        head = f"POST {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"
        sock.sendall(head.encode())
        assert read_answer(sock).status == status
        sock.close()
