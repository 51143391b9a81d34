"""MAX_PENDING_ACKS, ACK_TIMEOUT."""

from __future__ import annotations

from tests.harness.servers import Server
from tests.harness.waiting import until
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS

LIMIT = LIMITS["MAX_PENDING_ACKS"]


def test_too_many_unanswered(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    with server.counting("limits", "too many unanswered acknowledgements"):
        peer.emit("ask", LIMIT + 1)
        peer.frames_until_closed()
    assert server.reason(peer.sid) == "parse error"
    # Who waited for the answers is told.
    until(lambda: ["asked", ["Disconnected"]] in server.log(peer.sid), "the handler")
    assert server.state()["held"]["pending_acks"] == 0


def test_too_many_unanswered_over_polling(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with server.counting("limits", "too many unanswered acknowledgements"):
        poller.post(f'42["ask",{LIMIT + 1}]')
    assert server.reason(poller.sid) == "parse error"


def test_not_answered_in_time(server: Server, bystander: Peer) -> None:
    """The handler gives up; the client stays, and owes nothing any more."""
    with open_peer(server) as peer:
        for _ in range(3):
            with server.counting("limits", "ack timeout", LIMIT):
                (timed_out,) = peer.call("ask", LIMIT)
            assert timed_out == [True] * LIMIT
            assert server.state()["held"]["pending_acks"] == 0
        assert peer.echoes()


def test_answered_in_time(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        for _ in range(3):
            peer.send(f'4277["ask",{LIMIT}]')
            for _ in range(LIMIT):
                question = peer.next()
                assert isinstance(question, str)
                peer.send("43" + question[2:].partition("[")[0] + "[]")
            assert peer.next() == "4377[[" + ",".join(["false"] * LIMIT) + "]]"
