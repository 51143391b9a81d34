"""MAX_ROOMS, MAX_ROOM_NAME_LENGTH."""

from __future__ import annotations

import json

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS

ROOMS = LIMITS["MAX_ROOMS"]
LENGTH = LIMITS["MAX_ROOM_NAME_LENGTH"]


def names(count: int) -> list[str]:
    return [f"room {number}" for number in range(count)]


def test_too_many(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    assert peer.call("enter", *names(ROOMS)) == [ROOMS + 1]  # its own is there besides
    assert peer.call("enter", *names(ROOMS)) == [ROOMS + 1]  # it is in these already
    with server.counting("limits", "too many rooms"):
        peer.emit("enter", "one more")
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"
    bystander.emit("say", "one more", "nobody is there")
    assert bystander.call("who", "one more") == [[]]


def test_too_many_at_once(server: Server, bystander: Peer) -> None:
    """None of them is entered."""
    poller = Poller(server)
    poller.join()
    with server.counting("limits", "too many rooms"):
        poller.post("42" + json.dumps(["enter", *names(ROOMS + 1)]))
    assert server.reason(poller.sid) == "parse error"
    assert bystander.call("who", "room 0") == [[]]


def test_name_too_long(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    assert peer.call("enter", "x" * LENGTH, "é" * LENGTH) == [3]
    with server.counting("limits", "room name too long"):
        peer.emit("enter", "x" * (LENGTH + 1))
        assert peer.echoes()
    server.expect_in_log("LimitExceeded: room name too long")  # join() raised in the handler


def test_while_connecting(server: Server, bystander: Peer) -> None:
    """Who goes past it in connect() is not admitted there, and stays elsewhere."""
    for rooms, message in (
        (names(ROOMS + 1), "too many rooms"),
        (["x" * (LENGTH + 1)], "room name too long"),
    ):
        with open_peer(server) as peer, server.counting("limits", message):
            peer.send("40/rooms-at-once," + json.dumps({"rooms": rooms}))
            assert peer.next() == f'44/rooms-at-once,{{"message":"{message}"}}'
            assert peer.echoes()


def test_made_by_others(server: Server, bystander: Peer) -> None:
    """A client that is in too many rooms does not keep the others from being moved."""
    with open_peer(server) as full, open_peer(server) as other:
        full.call("enter", *names(ROOMS - 1), "herd")
        other.call("enter", "herd")
        with server.counting("limits", "too many rooms"):
            assert bystander.call("herd", "herd", "stable") == []
        (members,) = bystander.call("who", "stable")
        assert [member["sid"] for member in members] == [other.sid]
        assert full.echoes()
