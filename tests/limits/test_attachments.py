"""MAX_ATTACHMENTS, MAX_ATTACHMENTS_SIZE, ATTACHMENTS_TIMEOUT."""

from __future__ import annotations

import base64
import json

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS, TIMES

COUNT = LIMITS["MAX_ATTACHMENTS"]
SIZE = LIMITS["MAX_ATTACHMENTS_SIZE"]


def event(count: int, name: str = "note_it", ack: str = "") -> str:
    placeholders = [{"_placeholder": True, "num": number} for number in range(count)]
    return f"45{count}-{ack}" + json.dumps([name, *placeholders])


def test_too_many(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    with server.counting("limits", "too many attachments"):
        peer.send(event(COUNT + 1))
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_too_large(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    with server.counting("limits", "attachments too large"):
        peer.send(event(3), b"x" * (SIZE // 2), b"x" * (SIZE // 2), b"x")
        assert peer.frames_until_closed() == []
    assert server.log(peer.sid) == [["connect"], ["disconnect", "parse error"]]


def test_at_the_limits(server: Server, bystander: Peer) -> None:
    attachments = [b"x" * (SIZE // COUNT)] * COUNT
    with open_peer(server) as peer:
        # One packet after the other: what was counted is forgotten.
        for _ in range(3):
            peer.send(event(COUNT, "echo", "1"), *attachments)
            peer.next()
            assert [peer.next() for _ in attachments] == attachments


def test_over_polling(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    half = "b" + base64.b64encode(b"x" * (SIZE // 3)).decode()
    with server.counting("limits", "attachments too large"):
        for packets in ([event(4)], [half], [half], [half], ["bAAAA"]):
            assert poller.post(*packets).status == 200
    assert server.reason(poller.sid) == "parse error"


@pytest.mark.serial
def test_not_complete_in_time(impatient: Server, bystander: Peer) -> None:
    started = open_peer(impatient), open_peer(impatient)
    poller = Poller(impatient)
    poller.join()
    with impatient.counting("limits", "attachments overdue", 3):
        started[0].send(event(1))
        started[1].send(event(2), b"one")
        with poller.waiting_poll():
            poller.post(event(1))
            for peer in started:
                assert peer.frames_until_closed() == []
                assert impatient.reason(peer.sid) == "parse error"
            assert impatient.reason(poller.sid) == "parse error"


@pytest.mark.serial
def test_complete_in_time(impatient: Server, bystander: Peer) -> None:
    """The time begins anew with each packet, and ends with it."""
    with open_peer(impatient) as peer:
        for _ in range(3):
            peer.send(event(1, "echo", "1"), b"one")
            peer.next()
            assert peer.next() == b"one"
        # Two pings later, which is more than ATTACHMENTS_TIMEOUT, it is still there.
        assert TIMES["PING_INTERVAL"] > TIMES["ATTACHMENTS_TIMEOUT"]
        peer.until_pinged(2)
        assert peer.echoes()
