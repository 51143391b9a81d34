"""MAX_HTTP_BUFFER_SIZE: the size of a WebSocket message, and of the body of a POST."""

from __future__ import annotations

import pytest

from tests.harness.protocol import PATH
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer, open_socket, read_answer

from .conftest import LIMITS

LIMIT = LIMITS["MAX_HTTP_BUFFER_SIZE"]
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "message",
    ["4" + "x" * LIMIT, b"x" * (LIMIT + 1), "4" + "é" * (LIMIT // 2)],
    ids=["text", "binary", "é"],
)
def test_websocket_messages(server: Server, bystander: Peer, message: str | bytes) -> None:
    peer = open_peer(server)
    with server.counting("violations", "a message over MAX_HTTP_BUFFER_SIZE"):
        peer.send(message)
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "transport error"


def test_websocket_messages_at_the_limit(server: Server, bystander: Peer) -> None:
    head, tail = '421["echo","', '"]'
    with open_peer(server) as peer:
        for text in ("x" * (LIMIT - 14), "é" * (LIMIT // 2 - 7)):
            assert len((head + text + tail).encode()) == LIMIT
            peer.send(head + text + tail)
            assert peer.next() == f'431["{text}"]'
        peer.send('451-1["echo",{"_placeholder":true,"num":0}]', b"x" * LIMIT)
        peer.next()
        assert peer.next() == b"x" * LIMIT


def test_bodies_with_a_length(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with server.counting("violations", "a body over MAX_HTTP_BUFFER_SIZE"):
        assert poller.ask("POST", b"4" + b"x" * LIMIT).status == 413
    assert server.reason(poller.sid) == "transport error"
    assert poller.is_gone()


def test_bodies_without_a_length(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with server.counting("violations", "a body over MAX_HTTP_BUFFER_SIZE"):
        assert poller.ask("POST", iter([b"4" + b"x" * 999] * (LIMIT // 1000 + 1))).status == 413
    assert server.reason(poller.sid) == "transport error"
    assert poller.is_gone()


def test_bodies_at_the_limit(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    packet = '421["echo","' + "x" * (LIMIT - 14) + '"]'
    assert poller.post(packet).status == 200
    assert poller.poll() == ["43" + packet[2:].replace('"echo",', "")]
    # And without a length.
    assert poller.ask("POST", iter([packet[:9].encode(), packet[9:].encode()])).status == 200
    poller.poll()


@pytest.mark.parametrize(
    "header", ["Content-Length: 100000000", "Transfer-Encoding: chunked"], ids=["length", "chunked"]
)
def test_bodies_are_not_kept(uvicorn: Server, bystander: Peer, header: str) -> None:
    """A hundred megabytes that are offered cost nothing. (daphne takes a body whole, on disk.)"""
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    before = uvicorn.memory()
    poller = Poller(uvicorn)
    poller.join()
    sock = open_socket(uvicorn)
    head = f"POST {PATH}?{poller.query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n\r\n"
    sock.sendall(head.encode())
    sent = 0
    try:
        while sent < 100 * MEGABYTE:
            sock.sendall(piece)
            sent += len(piece)
    except OSError:
        pass  # the server has closed
    else:
        assert read_answer(sock).status == 413
    sock.close()
    assert uvicorn.reason(poller.sid) == "transport error"
    assert uvicorn.memory() - before < 10 * MEGABYTE
