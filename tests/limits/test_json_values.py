"""MAX_JSON_VALUES: values in one packet; an array or object counts for two beside its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS

VALUES = LIMITS["MAX_JSON_VALUES"]
# The event's own array counts for two, its name for one.
LEFT = VALUES - 3


def numbers(count: int) -> list[Any]:
    return [0] * count


def texts(count: int) -> list[Any]:
    """Full of what means something outside of texts."""
    return ['[{,"\\'] * count


def arrays(count: int) -> list[Any]:
    """Empty ones, which count for three."""
    return [*[[]] * (count // 3), *[0] * (count % 3)]


def objects(count: int) -> list[Any]:
    return [*[{"a": 1, "b": 2}] * (count // 4), *[0] * (count % 4)]


@pytest.mark.parametrize("make", [numbers, texts, arrays, objects])
def test_as_many_as_there_may_be(
    server: Server, bystander: Peer, make: Callable[[int], list[Any]]
) -> None:
    args = make(LEFT)
    with open_peer(server) as peer:
        assert peer.call("echo", *args) == args


@pytest.mark.parametrize("make", [numbers, texts, arrays, objects])
def test_one_too_many(server: Server, bystander: Peer, make: Callable[[int], list[Any]]) -> None:
    text = json.dumps(["echo", *make(LEFT + 1)])
    peer = open_peer(server)
    poller = Poller(server)
    poller.join()
    with server.counting("limits", "too many JSON values", 2):
        peer.send(f"42{text}")
        assert peer.frames_until_closed() == []
        poller.post(f"42{text}")
    assert server.reason(peer.sid) == "parse error"
    assert server.reason(poller.sid) == "parse error"


@pytest.mark.parametrize("start", ["42/x/many,", "43", "450-", "460-1", "44"])
def test_one_too_many_in_any_packet(server: Server, bystander: Peer, start: str) -> None:
    peer = open_peer(server)
    with server.counting("limits", "too many JSON values"):
        peer.send(start + json.dumps(["echo", *numbers(LEFT + 1)]))
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_text_that_only_looks_like_values(server: Server, bystander: Peer) -> None:
    text = "[{,:}]" * 2000
    with open_peer(server) as peer:
        assert peer.call("echo", text) == [text]
