"""MAX_WRITE_BUFFER_SIZE: a client that does not read, in a room of others that do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.harness.servers import Server
from tests.harness.waiting import until
from tests.harness.wire import Peer, Poller, frame, open_peer, raw_websocket, read_to_close

from .conftest import LIMITS

LIMIT = LIMITS["MAX_WRITE_BUFFER_SIZE"]
MEGABYTE = 1024 * 1024
# Much more than the limit and what the system keeps between two ends.
TOTAL = 24 * MEGABYTE
# Not so much at once that those who read have no time to say so.
PIECE = 20_000
TIMES = 10
READERS = 4
# What a client asks for, alone: so many are answered before the rest waits, and so many wait before
# a POST does.
ECHO = '421["echo","' + "x" * 15_000 + '"]'
LOW_WATER = 65_536
ANSWERED = LOW_WATER // 15_000 + 1
WAITING = LIMITS["MAX_PENDING_EVENTS_SIZE"] // 15_000


class Reader:
    """Reads what its room gets, in a thread, and counts it."""

    def __init__(self, server: Server, room: str) -> None:
        self.peer = open_peer(server)
        self.peer.call("enter", room)
        self.bytes = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            piece = self.peer.next(60)
            assert isinstance(piece, str)
            if "last" in piece:
                return
            self.bytes += len(piece) - len('42["said",""]')

    def ends(self) -> bool:
        self._thread.join(15)
        alive = self._thread.is_alive()
        self.peer.leave()
        return not alive


@pytest.mark.parametrize("how", ["websocket", "polling"])
def test_slow_reader_in_a_room(server: Server, bystander: Peer, how: str) -> None:
    """Many times the limit goes to the room: the others get it all, the slow one is let go."""
    room = f"slow {how}"
    readers = [Reader(server, room) for _ in range(READERS)]
    slow_sid = ""
    if how == "polling":
        poller = Poller(server)
        slow_sid = poller.join()
        poller.post(f'42["enter","{room}"]')
    else:
        sock = raw_websocket(server, receive_buffer=4096)
        sock.sendall(frame(b"40") + frame(f'42["enter","{room}"]'.encode()))
    (members,) = until(lambda: has(bystander.call("who", room), READERS + 1), "the slow client")
    (slow_sid,) = {member["sid"] for member in members} - {reader.peer.sid for reader in readers}

    before = server.memory()
    sent = 0
    with server.counting("limits", "slow client"):
        while sent < TOTAL:
            bystander.call("publish", room, TIMES, PIECE)
            sent += TIMES * PIECE
            until_all_have(readers, sent)
            if sent % (20 * TIMES * PIECE) == 0:
                assert server.state()["held"]["buffered"] <= LIMIT + PIECE
    assert server.reason(slow_sid) == "transport error"
    bystander.call("say", room, "last")
    assert all(reader.ends() for reader in readers)
    assert {reader.bytes for reader in readers} == {sent}
    assert server.memory() - before < 16 * MEGABYTE
    if how == "websocket":
        # Not only its session ends: when it reads on, so does its connection.
        assert read_to_close(sock)
        sock.close()


def until_all_have(readers: list[Reader], size: int) -> None:
    until(lambda: all(reader.bytes == size for reader in readers), "the readers to have it all")


def has(members: list[list[Any]], count: int) -> list[list[Any]]:
    return members if len(members[0]) == count else []


def test_a_slow_reader_that_catches_up(server: Server, bystander: Peer) -> None:
    """A pause that fits into the buffer harms nobody."""
    poller = Poller(server)
    poller.join()
    poller.post('42["enter","pause"]')
    until(lambda: has(bystander.call("who", "pause"), 1), "the room")
    for _ in range(5):
        with poller.waiting_poll():
            bystander.call("publish", "pause", 1, 10)
        bystander.call("publish", "pause", 9, LIMIT // 10)
        packets: list[str] = []
        while len(packets) < 9:
            packets += [packet for packet in poller.poll() if packet.startswith("42")]
        assert {len(packet) for packet in packets} == {LIMIT // 10 + len('42["said",""]')}
    assert server.log(poller.sid) == [["connect"]]


def test_what_is_held_back_while_connecting(server: Server, bystander: Peer) -> None:
    """What connect() sends waits for its end, and counts."""
    with open_peer(server) as peer:
        peer.send('40/generous,{"name":"moderate","pieces":9,"size":100000}')
        assert str(peer.next()).startswith("40/generous,{")
        for _ in range(9):
            assert len(peer.next()) > 100_000
        with server.counting("limits", "too much was sent while connect() ran"):
            peer.send("41/generous,", '40/generous,{"name":"excessive","pieces":11,"size":100000}')
            assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "transport error"
    assert server.reason(server.tag("excessive")) == "transport error"


def test_what_is_sent_to_one_alone(server: Server, bystander: Peer) -> None:
    """Answers to a client that asks and asks and never reads."""
    before = server.memory()
    with server.counting("limits", "slow client"):
        sock = raw_websocket(server, receive_buffer=4096)
        sock.sendall(frame(b"40"))
        sock.settimeout(15)
        try:
            for _ in range(TOTAL // len(ECHO)):
                sock.sendall(frame(ECHO.encode()))
        except OSError:
            pass
        sock.close()
    assert server.memory() - before < 16 * MEGABYTE


def test_what_a_poller_asks_for_waits_until_it_reads(server: Server, bystander: Peer) -> None:
    """Its events wait, then its POST; it polls, and gets all of it."""
    poller = Poller(server)
    poller.join()
    for _ in range(ANSWERED + WAITING):
        assert poller.post(ECHO).status == 200
    with poller.start("POST", ECHO + "\x1e3") as post:
        most = LIMITS["MAX_PENDING_EVENTS_SIZE"]
        server.until(lambda state: state["held"]["queued"] > most, "the POST to be read")
        state = server.state()
        assert state["posting"] == [poller.id]
        assert LOW_WATER < state["held"]["buffered"] < LOW_WATER + len(ECHO)
        sizes: list[int] = []
        while len(sizes) < ANSWERED + WAITING + 1:
            packets = [packet for packet in poller.poll() if packet.startswith("43")]
            assert sum(map(len, packets)) < LOW_WATER + len(ECHO)
            sizes += map(len, packets)
        assert post.read().status == 200
    assert set(sizes) == {len(ECHO) - len('"echo",')}
