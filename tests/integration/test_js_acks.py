"""Acknowledgements both ways with the official JavaScript clients."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node


def test_acks(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("acks", server.url, client=client, transport=transport)
    assert seen["sum"] == [42]
    assert seen["nothing"] == []
    assert seen["pair"] == ["a", {"b": 1}]
    assert seen["list"] == [[1, 2]]
    assert seen["types"] == [
        {
            "when": "2026-01-02T03:04:05Z",
            "price": "1.10",
            "id": "12345678-1234-5678-1234-567812345678",
        }
    ]
    assert seen["one"] == ["fits"]
    # A handler that raised, refused or did not fit, and an event that nobody handles: no answer.
    assert seen["unanswered"] == []


def test_calls(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("calls", server.url, client=client, transport=transport)
    assert seen["several"] == [[[1, {"two": "2"}, "answered"]]]
    assert seen["one"] == [["answered"]]
    assert seen["plain"] == [[["x", "answered"]]]
    assert seen["late"] == ["AckTimeout"]


def test_binary_acks(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("binary_acks", server.url, client=client, transport=transport)
    assert seen["same"] is True
    assert seen["text"] == "text"
    assert seen["inner"] == {"type": "Buffer", "data": [1, 2]}
    assert seen["empty"] == [{"type": "Buffer", "data": []}]
    assert seen["answer"] == [
        {
            "was": {"deep": ["x", {"type": "Buffer", "data": [5, 6]}]},
            "binary": True,
            "more": {"type": "Buffer", "data": [9, 8]},
        }
    ]


def test_events_queue_behind_a_call(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    sid = node_runner.run("queued_calls", server.url, client=client, transport=transport)
    assert server.journal(sid, "mark", "asking", "answered") == [
        {"what": "mark", "n": "before"},
        {"what": "asking", "n": 1},
        {"what": "answered", "answer": "answer 1"},
        *({"what": "mark", "n": n} for n in range(5)),
        {"what": "mark", "n": "last"},
    ]


def test_concurrent_events_overlap(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    seen = node_runner.run("overlapping", server.url, client=client, transport=transport)
    assert seen["answer"] == ["late"]
    assert server.journal(seen["sid"], "mark", "answered") == [
        {"what": "mark", "n": "meanwhile"},
        {"what": "answered", "answer": "late"},
    ]


def test_handlers_use_the_database(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    seen = node_runner.run("database", server.url, client=client, transport=transport)
    assert seen == [60, 1]


def test_a_slow_handler_delays_no_other_socket(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    seen = node_runner.run("slow_handlers", server.url, client=client, transport=transport)
    for event in ("wait for gate", "wait for gate plainly"):
        assert seen[event] == {
            "sums": list(range(1, 11)),
            "early": False,
            "answer": ["through"],
        }
