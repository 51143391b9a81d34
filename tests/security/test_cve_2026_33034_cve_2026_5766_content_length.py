"""What a client declares about its body's length is not believed: bytes are counted."""

from __future__ import annotations

import pytest

from django_socketio import SocketIOConsumer, event
from tests.harness.protocol import PATH
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_socket, read_to_end

from .inprocess import client_of, exchange, handshake, of_session, registered

FALSE = [b"0", b"1", b"-1", b"+5", b"1e3", b"0x10", b" ", b"", b"\xb2", b"9" * 5000, b"5, 5"]


@pytest.mark.parametrize("declared", FALSE)
async def test_cve_2026_33034_cve_2026_5766_content_length_is_not_believed(
    settings: object, declared: bytes
) -> None:
    settings.SOCKETIO = {"MAX_HTTP_BUFFER_SIZE": 1000}  # type: ignore[attr-defined]
    headers = [(b"content-length", declared)]
    sid = await handshake()
    post = await exchange(of_session(sid), "POST", headers, [b"4" + b"x" * 499] * 10, ends=False)
    assert post.status == 413
    assert post.taken == 3  # the piece that goes past the limit is the last
    assert client_of(sid) is None


@pytest.mark.parametrize("declared", FALSE)
async def test_cve_2026_33034_cve_2026_5766_content_length_does_not_cut(declared: bytes) -> None:
    """A body within the limit is taken whole, whatever was declared (servers may refuse before)."""
    seen = []

    class Seen(SocketIOConsumer):
        @event
        async def seen(self, text: str) -> None:
            seen.append(text)

    with registered(Seen):
        sid = await handshake()
        headers = [(b"content-length", declared)]
        for pieces in ([b"40"], [b'42["se', b'en","', b"x" * 5000, b'"]']):
            post = await exchange(of_session(sid), "POST", headers, pieces)
            # "Far too long" is what a declared length may be refused for.
            assert post.status == 200
    assert seen == ["x" * 5000]


def test_cve_2026_33034_cve_2026_5766_content_length_over_the_wire(
    server: Server, bystander: Peer
) -> None:
    """More than was declared is not ours to read, and what comes after it is another request."""
    poller = Poller(server)
    poller.join()
    sock = open_socket(server)
    head = f"POST {PATH}?{poller.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n"
    other = f"GET {PATH}?other HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    sock.sendall(head.encode() + b'42["echo"]' + other.encode())
    answers = read_to_end(sock)
    sock.close()
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n\r\nokHTTP/1.1 400 " in answers
    assert answers.endswith(b'{"code": 0, "message": "Transport unknown"}')
    poller.post('421["echo"]')
    assert poller.poll() == ["431[]"]
