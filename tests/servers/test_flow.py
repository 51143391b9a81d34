"""Who waits for whom: clients that do not read, applications that do not take, large messages."""

from __future__ import annotations

import socket
from contextlib import suppress

from tests.harness.waiting import until
from tests.harness.wire import frame

from .client import CLOSE, PING, PONG, TEXT, Client, closing, tell
from .conftest import End, Start

BINARY_BEGINS, GOES_ON = 0x02, 0x00


def test_a_client_that_does_not_read_stops_the_application(start: Start) -> None:
    server = start("--ws-ping-interval", "0")
    with Client(server, "/flood", receive_buffer=4096) as client:
        client.accepted()
        seen = [until(lambda: tell(server, "flood"), "the first message")]

        def stands_still() -> bool:
            seen.append(tell(server, "flood"))
            return seen[-20:] == [seen[-1]] * 20

        until(stands_still, "the application to wait")
        assert seen[-1] < 100  # of 100 kB: what fits into the kernel, and a little more
        before = seen[-1]
        for _ in range(before + 10):
            assert client.read()[0] == TEXT
        until(lambda: tell(server, "flood") != before, "it to go on")
    until(lambda: tell(server, "flood") == "ended", "the application to hear of the end")


def test_pings_of_a_client_that_does_not_read_fill_no_memory(start: Start) -> None:
    """The last ping is answered when it reads."""
    server = start("--ws-ping-interval", "0")
    with Client(server, "/flood", receive_buffer=4096) as client:
        client.accepted()
        until(lambda: (tell(server, "flood") or 0) > 2, "the connection to be full")
        for number in range(100):
            client.sock.sendall(frame(b"%d" % number, PING) * 100)
        pongs: list[bytes] = []
        while not pongs or pongs[-1] != b"99":
            kind, payload = client.read()
            if kind == PONG:
                pongs.append(payload)
        assert len(pongs) < 5000


def test_of_very_many_pings_the_last_is_answered(end: End) -> None:
    with Client(end) as client:
        client.accepted()
        client.sock.sendall(b"".join(frame(b"%d" % number, PING) for number in range(1000)))
        pongs = [client.read()]
        while pongs[-1] != (PONG, b"999"):
            pongs.append(client.read())
        assert 64 < len(pongs) < 1000
        client.sock.sendall(frame(b"hello"))
        assert client.read() == (TEXT, b"hello")


def test_an_application_that_does_not_take_stops_the_client(start: Start) -> None:
    server = start("--ws-ping-interval", "0.2", "--ws-ping-timeout", "0.2")
    with Client(server, "/read-late") as client:
        client.accepted()
        client.sock.settimeout(1)
        sent = 0
        with suppress(socket.timeout):
            while sent < 64 << 20:
                client.sock.sendall(frame(b"x" * 10_000, 0x82))
                sent += 10_000
        assert sent < 64 << 20
        client.sock.settimeout(15)
        with Client(server, "/go") as go:
            go.refused()
        # No pong can have been read meanwhile, and the connection lives.
        for _ in range(sent // 10_000 - 1):
            while client.read()[0] == PING:
                pass


def test_the_size_of_a_message_is_bounded_over_its_fragments(start: Start) -> None:
    server = start("--ws-max-size", "100000", "--ws-ping-interval", "0")
    for sent in (
        frame(b"x" * 100_001, 0x82),
        frame(b"x" * 60_000, BINARY_BEGINS) + frame(b"x" * 40_001, GOES_ON),
    ):
        with Client(server) as client:
            client.accepted()
            client.sock.sendall(sent)
            kind, payload = client.read_all()[-1]
            assert (kind, payload[:2]) == (CLOSE, closing(1009))
    with Client(server) as client:
        client.accepted()
        client.sock.sendall(
            frame(b"x" * 60_000, BINARY_BEGINS) + frame(b"x" * 40_000, GOES_ON | 0x80)
        )
        assert client.read() == (0x82, b"x" * 100_000)


def test_memory_of_large_messages_is_given_back(start: Start) -> None:
    """Each of them was read into a buffer of its connection."""
    server = start("--ws-ping-interval", "0")

    def memory() -> int:
        with open(f"/proc/{server.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    clients = []
    before = memory()
    for _ in range(40):
        client = Client(server)
        client.accepted()
        client.sock.sendall(frame(b"x" * (4 << 20), 0x82))
        assert len(client.read()[1]) == 4 << 20
        client.sock.sendall(frame(b"after"))
        assert client.read() == (TEXT, b"after")
        clients.append(client)
    grown = memory() - before
    for client in clients:
        client.sock.close()
    assert grown < 80 << 20  # the buffers alone would be 160 MiB
