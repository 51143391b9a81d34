"""How connections end: by the application, the client, silence, failures, and uvicorn's end."""

from __future__ import annotations

import os
import signal

import pytest

from tests.harness.waiting import until
from tests.harness.wire import frame, reset

from .client import CLOSE, PING, PONG, TEXT, Client, closing, tell
from .conftest import End, Start


@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        ("1000=", 1000, b""),
        ("4321=gone", 4321, b"gone"),
        ("1006=", 4000, b""),
        ("5000=", 4000, b""),
    ],
)
def test_the_application_closes(end: End, asked: str, code: int, reason: bytes) -> None:
    """A code that no frame may hold is an error of the application."""
    with Client(end, f"/close?{asked}") as client:
        client.accepted()
        client.sock.sendall(frame(b"go"))
        assert client.read() == (CLOSE, closing(code, reason))
        # It is open until the client has answered.
        client.sock.sendall(frame(b"on its way") + frame(closing(code), CLOSE))
        assert client.read_all() == []


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (frame(closing(4001, b"why"), CLOSE), 4001, "why"),
        (frame(b"", CLOSE), 1005, ""),
        (frame(b"\xff"), 1007, "not UTF-8"),
        (frame(b"", 0xF1), 1002, "reserved bits"),
    ],
    ids=["close", "empty close", "not UTF-8", "reserved bits"],
)
def test_the_application_is_told(end: End, sent: bytes, code: int, reason: str) -> None:
    key = f"told-{code}"
    with Client(end, f"/echo?{key}") as client:
        client.accepted()
        client.sock.sendall(sent)
        client.read_all()
    assert tell(end, key) == [code, reason]
    until(lambda: tell(end, "too-late"), "its send() to fail")


def test_a_connection_that_breaks(end: End) -> None:
    client = Client(end, "/echo?broken")
    client.accepted()
    reset(client.sock)
    assert tell(end, "broken") == [1006, ""]


def test_an_application_that_fails(end: End) -> None:
    with Client(end, "/fail-later") as client:
        client.accepted()
        assert client.read() == (CLOSE, closing(1011))
    end.process.wait_for_line("ValueError: asked for")


def test_pings(start: Start) -> None:
    server = start("--ws-ping-interval", "0.1", "--ws-ping-timeout", "0.5")
    with Client(server, "/echo?silent") as client:
        client.accepted()
        for _ in range(3):
            kind, payload = client.read()
            assert (kind, len(payload)) == (PING, 4)
            client.sock.sendall(frame(b"other", PONG) + frame(payload, PONG))
        assert client.read()[0] == PING
        client.sock.sendall(frame(b"wrong", PONG))
        assert client.read() == (CLOSE, closing(1011, b"keepalive ping timeout"))
        assert tell(server, "silent") == [1011, "keepalive ping timeout"]


def test_uvicorn_shuts_down(start: Start) -> None:
    """Also where one client does not answer, and one is in the middle of a message."""
    server = start("--ws-ping-interval", "0")
    with Client(server) as client, Client(server) as silent, Client(server) as busy:
        for each in (client, silent, busy):
            each.accepted()
        busy.sock.sendall(frame(b"x" * 1_000_000)[:-1])
        os.kill(server.process.pid, signal.SIGTERM)
        for each in (client, silent, busy):
            assert each.read() == (CLOSE, closing(1012))
        client.sock.sendall(frame(closing(1012), CLOSE))
        assert client.read_all() == []
        until(lambda: not server.process.running, "uvicorn to end")
    until(lambda: "Finished server process" in server.process.log, "its last line")
    assert "Traceback" not in server.process.log


def test_groups_of_channels(end: End) -> None:
    """A consumer that knows nothing of us."""
    with Client(end, "/group") as one, Client(end, "/group") as two:
        for client in (one, two):
            client.accepted()
        one.sock.sendall(frame(b"hello"))
        assert one.read() == two.read() == (TEXT, b"hello")
