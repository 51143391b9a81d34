"""MAX_AUTH_SIZE: what a client sends with CONNECT, which is kept as long as it stays."""

from __future__ import annotations

import json

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS

SIZE = LIMITS["MAX_AUTH_SIZE"]
# Each value takes 16 characters at least; an array or object counts for two beside its own.
VALUES = SIZE // 16
REFUSAL = '{"message":"auth too large"}'


def token(size: int) -> str:
    return json.dumps({"token": "x" * (size - len('{"token": ""}'))})


def values(count: int) -> str:
    return json.dumps({"a": [0] * (count - 4)}, separators=(",", ":"))


LARGE = [token(SIZE + 1), values(VALUES + 1), '{"a":' + "[" * 5000, "[" * 15_000, '"' * 10_000]


def test_as_much_as_there_may_be(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        for number, text in enumerate((token(SIZE), values(VALUES))):
            peer.send(f"40/{number}/many,{text}")
            assert str(peer.next()).startswith(f'40/{number}/many,{{"sid":')


@pytest.mark.parametrize("text", LARGE, ids=["text", "values", "deep", "arrays", "quotes"])
def test_more_is_refused(server: Server, bystander: Peer, text: str) -> None:
    """The client is told why, and need not come again. Its other namespaces stay."""
    with open_peer(server) as peer, server.counting("limits", "auth too large"):
        peer.send(f"40/1/many,{text}")
        assert peer.next() == f"44/1/many,{REFUSAL}"
        assert peer.echoes()
        peer.join("/1/many")


def test_more_is_refused_over_polling(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    with server.counting("limits", "auth too large"):
        poller.post(f"40{token(SIZE + 1)}")
        assert poller.poll() == [f"44{REFUSAL}"]


def test_more_for_a_namespace_it_is_in_is_a_violation(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    with server.counting("limits", "auth too large"):
        peer.send(f"40{token(SIZE + 1)}")
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_nothing_of_it_is_kept(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        before = server.state()
        for _ in range(20):
            peer.send(f"40/1/many,{token(SIZE + 1)}")
            assert peer.next() == f"44/1/many,{REFUSAL}"
        server.until_it_holds_no_more_than(before)
