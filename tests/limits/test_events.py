"""MAX_PENDING_EVENTS, MAX_PENDING_EVENTS_SIZE: events that wait for the handler before them."""

from __future__ import annotations

import json
import select
from collections.abc import Iterator

import pytest

from tests.harness.servers import Server
from tests.harness.waiting import until
from tests.harness.wire import Peer, Poller, frame, open_peer, raw_websocket

from .conftest import LIMITS

EVENTS = LIMITS["MAX_PENDING_EVENTS"]
SIZE = LIMITS["MAX_PENDING_EVENTS_SIZE"]
MEGABYTE = 1024 * 1024
LARGE = json.dumps(["note_it", "x" * 10_000])


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the first handler of a test waits; it goes on when the test is over."""
    name = request.node.name.replace("[", "-").replace("]", "").replace(" ", "-")
    yield name
    for fixture in ("server", "daphne", "uvicorn"):
        if fixture in request.fixturenames:
            request.getfixturevalue(fixture).release(name)


def flood(server: Server, gate: str, event: str, patience: float) -> tuple[bool, int]:
    """Send 40 MB of events behind one whose handler waits; whether all was taken, and how much.

    When nothing moves for ``patience`` seconds, no more is taken.
    """
    sock = raw_websocket(server)
    sock.sendall(frame(b"40") + frame(f'42["hold","{gate}"]'.encode()))
    data = memoryview(frame(f"42{event}".encode()) * (40 * MEGABYTE // len(event)))
    sock.setblocking(False)
    sent = 0
    try:
        while sent < len(data):
            if not select.select([], [sock], [], patience)[1]:
                return False, sent
            sent += sock.send(data[sent : sent + 65536])
    except OSError:
        pass
    finally:
        sock.close()
    return True, sent


@pytest.mark.parametrize("event", ['["note_it"]', LARGE], ids=["many", "large"])
def test_the_client_has_to_wait(server: Server, bystander: Peer, gate: str, event: str) -> None:
    """The server stops to read: nothing is lost, and nothing piles up."""
    before = server.memory()
    taken, sent = flood(server, gate, event, 2)
    assert not taken
    assert sent < 20 * MEGABYTE
    assert server.state()["held"]["queued"] <= SIZE + len(event) + 2
    assert server.memory() - before < 10 * MEGABYTE


def test_the_client_may_go_on_later(server: Server, bystander: Peer, gate: str) -> None:
    with open_peer(server) as peer:
        peer.emit("hold", gate)
        for number in range(5 * EVENTS):
            peer.send(f'42{number}["echo"]')
        server.until(lambda state: state["held"]["queued"] > 0, "events to wait")
        server.release(gate)
        assert [peer.next() for _ in range(5 * EVENTS)] == [f"43{n}[]" for n in range(5 * EVENTS)]


def test_the_handler_waits_for_the_clients_answer(
    server: Server, bystander: Peer, gate: str
) -> None:
    """To stop reading would keep that answer back: so the session is closed."""
    peer = open_peer(server)
    peer.emit("hold_and_ask", gate)
    assert "question" in str(peer.next())
    with server.counting("limits", "too many events wait for a handler"):
        for _ in range(EVENTS + 1):
            peer.emit("note_it")
        peer.frames_until_closed()
    assert server.reason(peer.sid) == "parse error"


def test_at_the_limit(server: Server, bystander: Peer, gate: str) -> None:
    with open_peer(server) as peer:
        peer.emit("hold_and_ask", gate)
        question = peer.next()
        assert isinstance(question, str)
        for number in range(EVENTS):
            peer.send(f'42{number}["echo"]')
        peer.send("43" + question[2:].partition("[")[0] + "[]")
        assert [peer.next() for _ in range(EVENTS)] == [f"43{n}[]" for n in range(EVENTS)]


def test_over_polling_the_post_has_to_wait(server: Server, bystander: Peer, gate: str) -> None:
    """Its answer comes when the handlers have caught up, so that no other POST comes before."""
    poller = Poller(server)
    poller.join()
    poller.post(f'42["hold","{gate}"]')
    poller.post(*['42["note_it"]'] * EVENTS)
    with poller.start("POST", '42["note_it"]') as post:
        server.until(lambda state: poller.id in state["posting"], "the POST to wait")
        server.release(gate)
        assert post.read().body == b"ok"
    until(lambda: server.log(poller.sid).count(["event", 0]) == EVENTS + 1, "the events")
