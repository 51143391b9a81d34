"""A logout in one process ends the connections of its session in all of them."""

from __future__ import annotations

import uuid

import pytest

from tests.harness.cluster import Cluster
from tests.harness.protocol import WEBSOCKET
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

pytestmark = pytest.mark.redis

NAMESPACE = "/fleet"
REFUSED = '44/fleet,{"message":"Connection refused"}'


@pytest.fixture
def cookie(cluster: Cluster) -> str:
    """A session of a user of the test's own."""
    return cluster.workers[0].log_in(f"user {uuid.uuid4()}")


def change_password(worker: Server, cookie: str) -> str:
    """Change it in the browser of that session, which gets another key; the new cookie."""
    _, cookies = worker.request("/password/", {}, cookie)
    new = f"sessionid={cookies['sessionid'].value}"
    assert new != cookie
    return new


def joined(worker: Server, cookie: str) -> Peer:
    return open_peer(worker, NAMESPACE, headers={"Cookie": cookie})


def test_after_the_password_has_changed(cluster: Cluster, cookie: str) -> None:
    before = [joined(worker, cookie) for worker in cluster.workers]
    cookie = change_password(cluster.workers[0], cookie)
    after = [joined(worker, cookie) for worker in cluster.workers]
    cluster.workers[1].request("/logout/", {}, cookie)
    for peer in (*before, *after):
        assert peer.frames_until_closed() == ["41/fleet,"]


def test_connections_without_a_namespace(cluster: Cluster, cookie: str) -> None:
    peers = [Peer(worker, headers={"Cookie": cookie}) for worker in cluster.workers]
    for peer in peers:
        peer.handshake()
    cluster.workers[2].request("/logout/", {}, cookie)
    for peer in peers:
        peer.send("40/fleet,")
        # In other processes the logout may arrive only behind the CONNECT; nobody is let in.
        assert peer.frames_until_closed() in ([], [REFUSED])


def test_connections_that_are_carried(cluster: Cluster, cookie: str) -> None:
    """Each process has a session whose WebSocket is at the next one."""
    owners, gates = cluster.workers, [*cluster.workers[1:], cluster.workers[0]]
    peers = []
    for owner, gate in zip(owners, gates, strict=True):
        poller = Poller(owner, {"Cookie": cookie})
        poller.join(NAMESPACE)
        peer = Peer(gate, f"{WEBSOCKET}&sid={poller.id}")
        peer.send("2probe")
        assert peer.next() == "3probe"
        poller.poll()
        peer.send("5")
        peer.send('42/fleet,1["echo",1]')
        assert peer.next() == "43/fleet,1[1]"
        peers.append(peer)
    cluster.workers[1].request("/logout/", {}, cookie)
    for peer in peers:
        assert peer.frames_until_closed() == ["41/fleet,"]


def test_polling_sessions(cluster: Cluster, cookie: str) -> None:
    """Whether they have joined a namespace or not, and whichever process their polls reach."""
    idle = [Poller(worker, {"Cookie": cookie}) for worker in cluster.workers]
    pollers = [Poller(worker, {"Cookie": cookie}) for worker in cluster.workers]
    for poller in pollers:
        poller.join(NAMESPACE)
        poller.server = cluster
    cluster.workers[0].request("/logout/", {}, cookie)
    for poller in (*idle, *pollers):
        packets = poller.poll()
        while packets[-1] != "1":
            assert packets == ["41/fleet,"]
            packets = poller.poll()
        assert poller.is_gone()
