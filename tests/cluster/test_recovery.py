"""A client that lost its connection in one process gets its state back in another."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.cluster import LAYERS, Cluster
from tests.harness.servers import Server
from tests.harness.wire import Peer

pytestmark = pytest.mark.redis

SOCKETIO = {"CONNECTION_STATE_RECOVERY": {"MAX_SESSION_SIZE": 50_000}}


@pytest.fixture(scope="module", params=LAYERS)
def cluster(request: pytest.FixtureRequest, _clusters: Callable[..., Cluster]) -> Any:
    cluster = _clusters(layer=request.param, socketio=SOCKETIO)
    yield cluster
    cluster.stop()


class Client:
    """A client of a worker in "/recovery", that knows what the official one does."""

    def __init__(
        self, worker: Server, auth: dict[str, Any] | None = None, cookie: str = ""
    ) -> None:
        self.worker = worker
        self.peer = Peer(worker, headers={"Cookie": cookie} if cookie else {})
        self.peer.handshake()
        self.peer.send("40/recovery," + json.dumps(auth or {}))
        answer = self.peer.next()
        assert isinstance(answer, str)
        self.data: dict[str, str] = json.loads(answer.removeprefix("40/recovery,"))
        self.offset: str | None = None

    def told(self, number: int) -> list[Any]:
        """What came with the next events."""
        found = []
        for _ in range(number):
            frame = self.peer.next()
            assert isinstance(frame, str)
            _, what, self.offset = json.loads(frame.removeprefix("42/recovery,"))
            found.append(what)
        return found

    def tell(self, sid: str, what: Any) -> None:
        self.peer.send("42/recovery," + json.dumps(["tell", sid, what]))
        self.state()  # it was told

    def state(self) -> Any:
        self.peer.send('42/recovery,7["state"]')
        answer = self.peer.next()
        assert isinstance(answer, str)
        assert answer.startswith("43/recovery,7"), answer
        return json.loads(answer.removeprefix("43/recovery,7"))[0]

    @property
    def auth(self) -> dict[str, Any]:
        return {"pid": self.data["pid"], **({"offset": self.offset} if self.offset else {})}


def come(client: Client, worker: Server, **options: Any) -> Client:
    """The same client at another worker."""
    client.peer.leave()
    return Client(worker, client.auth, **options)


def test_from_process_to_process(cluster: Cluster) -> None:
    one, two, three = cluster.workers
    client, other = Client(one), Client(three)
    sid = client.data["sid"]
    other.tell(sid, 1)
    assert client.told(1) == [1]
    for number, worker in enumerate([two, three, one, one, two], 1):
        client.peer.leave()
        other.tell(sid, [number, "missed"])
        client = come(client, worker)
        assert client.data["sid"] == sid
        other.tell(sid, [number, "there"])
        assert client.told(2) == [[number, "missed"], [number, "there"]]
        state = client.state()
        assert state["recovered"]
        assert state["rooms"] == ["lobby"]
        assert state["data"] == {"name": sid, "times": number}
    client.peer.leave()
    other.peer.leave()


def test_another_user(cluster: Cluster) -> None:
    one, two, three = cluster.workers
    ann, bob = (one.log_in(f"user {uuid.uuid4()}") for _ in range(2))
    client = Client(one, cookie=ann)
    thief = come(client, two, cookie=bob)
    assert thief.data["sid"] != client.data["sid"]
    assert not thief.state()["recovered"]
    thief.peer.leave()
    back = come(client, three, cookie=ann)
    assert back.data == client.data
    back.peer.leave()


def test_a_logout_elsewhere(cluster: Cluster) -> None:
    one, two, three = cluster.workers
    cookie = one.log_in(f"user {uuid.uuid4()}")
    client = Client(one, cookie=cookie)
    client.peer.leave()
    two.request("/logout/", {}, cookie)
    again = come(client, three)
    assert again.data["sid"] != client.data["sid"]
    again.peer.leave()


def test_too_much_was_missed(cluster: Cluster) -> None:
    one, two, three = cluster.workers
    client, other = Client(one), Client(two)
    other.tell(client.data["sid"], 0)
    assert client.told(1) == [0]
    client.peer.leave()
    with one.counting("limits", "a session has missed too much to be recovered"):
        for _ in range(6):
            other.tell(client.data["sid"], "x" * 10_000)
    again = come(client, three)
    assert again.data["sid"] != client.data["sid"]
    again.peer.leave()
    other.peer.leave()
