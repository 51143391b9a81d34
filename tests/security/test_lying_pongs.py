"""A client that never reads and sends PONGs all the same: it is bounded, on every server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from tests.harness.servers import Server
from tests.harness.waiting import until
from tests.harness.wire import Peer, frame, open_peer, raw_websocket

MEGABYTE = 1024 * 1024
# MAX_WRITE_BUFFER_SIZE's default.
LIMIT = 16_000_000
# What is sent to a room at a time.
PIECE = 20_000
TIMES = 50
TOTAL = 100 * TIMES * PIECE
ROOM = "lied to"


def lie(sock: socket.socket) -> None:
    """Say that everything was read."""
    with suppress(OSError):
        sock.sendall(frame(b"3") * 10)


@pytest.mark.serial  # measures memory
def test_a_client_that_lies_about_what_it_reads(server: Server, bystander: Peer) -> None:
    sock = raw_websocket(server, receive_buffer=4096)
    sock.sendall(frame(b"40") + frame(f'42["enter","{ROOM}"]'.encode()))
    (member,) = until(lambda: bystander.call("who", ROOM)[0], "the liar to enter")
    before = server.memory()
    highest = 0
    with server.counting("limits", "slow client"):
        for sent in range(0, TOTAL, TIMES * PIECE):
            lie(sock)
            bystander.call("publish", ROOM, TIMES, PIECE)
            if sent % (8 * TIMES * PIECE) == 0:
                highest = max(highest, server.memory())
    assert server.reason(member["sid"]) == "transport error"
    # What waits for it, in one copy, and what the server and the allocator need beside it.
    assert highest - before < LIMIT + 16 * MEGABYTE
    sock.close()


def test_an_honest_client_that_is_sent_as_much(server: Server, bystander: Peer) -> None:
    """It gets everything, as fast as it reads."""
    with open_peer(server) as peer:
        assert peer.call("enter", ROOM + " no lies") == [2]
        received = 0

        def read() -> None:
            nonlocal received
            while received < TOTAL:
                received += len(peer.next()) - len('42["said",""]')

        reader = threading.Thread(target=read)
        reader.start()
        sent = 0
        while sent < TOTAL:
            bystander.call("publish", ROOM + " no lies", TIMES, PIECE)
            sent += TIMES * PIECE
            # A pong proves what was read before its ping. So who is always more than half of the
            # limit behind may be closed, whatever it reads.
            late = sent - LIMIT // 4
            until(lambda late=late: received > late, "the reader")  # type: ignore[misc]
        reader.join()
        assert received == TOTAL
        assert peer.echoes()
