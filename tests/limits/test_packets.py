"""MAX_NESTING_DEPTH, MAX_EVENT_NAME_LENGTH."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS

DEPTH = LIMITS["MAX_NESTING_DEPTH"]
LENGTH = LIMITS["MAX_EVENT_NAME_LENGTH"]


def lists(depth: int) -> str:
    return "[" * depth + "]" * depth


def objects(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize(
    "packet",
    [
        f'42["echo",{lists(DEPTH)}]',
        f'42["echo",{objects(DEPTH)}]',
        f'42["echo",1,[],{{"a":{lists(DEPTH - 1)}}}]',
        f"431[{lists(DEPTH)}]",
        f'40/x/many,{{"a":{lists(DEPTH)}}}',
        f'450-["echo",{lists(DEPTH)}]',
        f"460-1[{lists(DEPTH)}]",
    ],
    ids=["lists", "objects", "mixed", "ack", "auth", "binary", "binary ack"],
)
def test_nested_too_deeply(server: Server, bystander: Peer, packet: str) -> None:
    peer = open_peer(server)
    poller = Poller(server)
    poller.join()
    with server.counting("limits", "JSON nested too deeply", 2):
        peer.send(packet)
        assert peer.frames_until_closed() == []
        poller.post(packet)
    assert server.reason(peer.sid) == "parse error"
    assert server.reason(poller.sid) == "parse error"


@pytest.mark.parametrize("make", [lists, objects])
def test_nested_more_deeply_than_python_can(
    server: Server, bystander: Peer, make: Callable[[int], str]
) -> None:
    peer = open_peer(server)
    peer.send(f'42["echo",{make(3000)}]')
    assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_nested_deeply_enough(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        # The event's own list is the first level.
        for text in (lists(DEPTH - 1), objects(DEPTH - 1)):
            peer.send(f'421["echo",{text},{text}]')
            assert peer.next() == f"431[{text},{text}]"


@pytest.mark.parametrize("name", ["x" * (LENGTH + 1), "é" * (LENGTH + 1), "x" * 15_000])
def test_event_name_too_long(server: Server, bystander: Peer, name: str) -> None:
    peer = open_peer(server)
    with server.counting("limits", "event name too long"):
        peer.send(f'42["{name}"]')
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_event_name_long_enough(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        peer.send(f'42["{"é" * LENGTH}"]', f'42["{"x" * LENGTH}"]')
        assert peer.echoes()
