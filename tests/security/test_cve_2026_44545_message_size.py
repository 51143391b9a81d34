"""Every WebSocket message is measured by us, and an old daphne that would not is warned of."""

from __future__ import annotations

import pytest

from django_socketio import checks
from tests.harness.servers import Server
from tests.harness.wire import Peer, frame, open_peer, raw_websocket, read_to_close

LIMIT = 1_000_000  # the default
# daphne does not let an application say 1009.
CLOSE_CODES = {"daphne": 1000, "uvicorn": 1009, "uvicorn-picows": 1009}


@pytest.mark.parametrize(
    "message",
    [
        "4" + "x" * LIMIT,
        b"x" * (LIMIT + 1),
        "4" + "é" * (LIMIT // 2),
        "4" + "\U0001f600" * (LIMIT // 4),
    ],
    ids=["text", "binary", "two bytes a character", "four bytes a character"],
)
def test_cve_2026_44545_message_size(server: Server, bystander: Peer, message: str | bytes) -> None:
    peer = open_peer(server)
    with server.counting("violations", "a message over MAX_HTTP_BUFFER_SIZE"):
        peer.send(message)
        assert peer.close_code() == CLOSE_CODES[server.name]
    assert server.reason(peer.sid) == "transport error"


def test_cve_2026_44545_message_size_in_fragments(server: Server, bystander: Peer) -> None:
    with server.counting("violations", "a message over MAX_HTTP_BUFFER_SIZE"):
        sock = raw_websocket(server)
        sock.sendall(frame(b"4" + b"x" * 500_000, 0x01))
        for _ in range(9):
            sock.sendall(frame(b"x" * 60_000, 0x00))
        sock.sendall(frame(b"", 0x80))
        assert read_to_close(sock).endswith(CLOSE_CODES[server.name].to_bytes(2, "big"))
        sock.close()


def test_cve_2026_44545_message_size_at_the_limit(server: Server) -> None:
    head = '421["echo","'
    for text in ("x" * (LIMIT - len(head) - 2), "é" * ((LIMIT - len(head) - 2) // 2)):
        with open_peer(server) as peer:
            peer.send(f'{head}{text}"]')
            assert peer.next() == f'431["{text}"]'


@pytest.mark.parametrize(
    ("installed", "warned"),
    [
        ("3.0.2", True),
        ("4.1.2", True),
        ("4.2", True),
        ("4.2.1", True),
        ("4.2.2", False),
        ("4.2.10", False),
        ("4.3", False),
        ("5.0.0", False),
    ],
)
def test_cve_2026_44545_message_size_of_an_old_daphne(
    monkeypatch: pytest.MonkeyPatch, installed: str, warned: bool
) -> None:
    monkeypatch.setattr(checks, "version", lambda name: installed)
    problems = [problem.id for problem in checks.check_daphne(None)]
    assert problems == (["django_socketio.W001"] if warned else [])
