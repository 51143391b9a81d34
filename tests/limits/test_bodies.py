"""BODY_TIMEOUT: daphne has no part in it, since it reads a whole body before we see the request."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.harness.protocol import PATH
from tests.harness.servers import HOSTILE, Server, Servers
from tests.harness.waiting import until
from tests.harness.wire import Poller, open_socket, read_answer

from .conftest import TIMES

pytestmark = pytest.mark.serial

OVERDUE = "a body that took longer than BODY_TIMEOUT"


@pytest.fixture
def uvicorn(servers: Servers) -> Iterator[Server]:
    server = servers.get("uvicorn", app=HOSTILE, socketio=TIMES)
    yield server
    server.check_log()


def posting(server: Server, poller: Poller, body: bytes, length: int) -> socket.socket:
    """A POST whose body of that length has only begun."""
    sock = open_socket(server)
    head = f"POST {PATH}?{poller.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
    sock.sendall(head.encode() + b"\r\n" + body)
    server.until(lambda state: poller.id in state["posting"], "the POST to be read")
    return sock


def test_a_body_that_comes_in_time(uvicorn: Server) -> None:
    poller = Poller(uvicorn)
    poller.join()
    body = b'42["note_it"]'
    sock = posting(uvicorn, poller, body[:5], len(body))
    sock.sendall(body[5:])
    assert read_answer(sock).status == 200
    sock.close()
    until(lambda: len(uvicorn.log(poller.sid)) == 2, "the event")
    assert uvicorn.log(poller.sid) == [["connect"], ["event", 0]]


def test_a_body_that_comes_too_late(uvicorn: Server) -> None:
    poller = Poller(uvicorn)
    poller.join()
    with uvicorn.counting("limits", OVERDUE):
        sock = posting(uvicorn, poller, b'42["no', 13)
        answer = read_answer(sock)
    assert (answer.status, answer.headers["Connection"]) == (408, "close")
    assert sock.recv(1) == b""
    assert uvicorn.log(poller.sid) == [["connect"], ["disconnect", "transport error"]]
    assert poller.is_gone()
