"""A body over the limit is refused while it arrives; many tiny packets take linear time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from django_socketio.engineio import EngineIOError, Session, SessionOptions
from django_socketio.engineio.packets import decode_payload
from tests.harness.protocol import PATH
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_socket, read_answer

from .inprocess import client_of, exchange, handshake, of_session
from .measuring import grows_linearly

LIMIT = 1_000_000  # the default
PIECE = b"x" * 50_000


@pytest.mark.parametrize(
    "declared",
    [
        (),
        [(b"content-length", b"10")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"junk")],
    ],
    ids=["none", "too small", "negative", "junk"],
)
async def test_cve_2020_36048_large_bodies_are_counted_as_they_arrive(
    declared: Sequence[tuple[bytes, bytes]],
) -> None:
    sid = await handshake()
    # A body without end: more is there than is ever taken.
    post = await exchange(of_session(sid), "POST", declared, [b"4", *[PIECE] * 1000], ends=False)
    assert post.status == 413
    assert post.taken == 1 + LIMIT // len(PIECE)
    assert client_of(sid) is None


async def test_cve_2020_36048_large_bodies_are_not_even_read_when_declared() -> None:
    sid = await handshake()
    post = await exchange(
        of_session(sid), "POST", [(b"content-length", b"1000001")], [PIECE], ends=False
    )
    assert (post.status, post.taken) == (413, 0)


def test_cve_2020_36048_large_bodies_over_the_wire(uvicorn: Server, bystander: Peer) -> None:
    poller = Poller(uvicorn)
    sid = poller.join()
    sock = open_socket(uvicorn)
    head = f"POST {PATH}?{poller.query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    sock.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    for _ in range(1 + LIMIT // len(PIECE)):
        sock.sendall(chunk)
    # The body has not ended.
    assert read_answer(sock).status == 413
    sock.close()
    assert uvicorn.reason(sid) == "transport error"
    assert poller.is_gone()


def test_cve_2020_36048_large_bodies_that_end(server: Server, bystander: Peer) -> None:
    """Where the server reads the whole body before it hands it on, it is refused then."""
    body = b"4" + b"x" * LIMIT
    for declared_or_chunked in (body, iter([body])):
        poller = Poller(server)
        sid = poller.join()
        assert poller.ask("POST", declared_or_chunked).status == 413
        assert server.reason(sid) == "transport error"


def test_cve_2020_36048_large_bodies_at_the_limit(server: Server) -> None:
    poller = Poller(server)
    poller.join()
    packet = '42["note_it","' + "x" * (LIMIT - 16) + '"]'
    assert len(packet) == LIMIT
    assert poller.post(packet).status == 200
    assert ["event", 1] in server.log(poller.sid)


@pytest.mark.parametrize("packet", ["3", "", "4", "b", "42[]", "bAA=="])
def test_cve_2020_36048_tiny_packets_take_linear_time(packet: str) -> None:
    def decode(number: int) -> Callable[[], object]:
        payload = "\x1e".join([packet] * number)

        def work() -> object:
            try:
                return decode_payload(payload, number)
            except EngineIOError:
                return None

        return work

    def receive(number: int) -> Callable[[], object]:
        payload = "\x1e".join([packet] * number)
        options = SessionOptions(max_packets=number)
        return lambda: list(Session("sid", options, "polling", 0).receive_payload(payload))

    assert grows_linearly(decode, 20_000)
    assert grows_linearly(receive, 20_000)
