"""Rooms, broadcasts, views that emit, volatile messages: with the official JavaScript clients."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node


def heard(*names: str, text: str) -> dict[str, list[str]]:
    return {name: [text] if name in names else [] for name in "abc"}


def test_rooms(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("rooms", server.url, client=client, transport=transport)
    assert seen["own"] is True
    assert seen["to"] == heard("b", text="to the room")
    assert seen["outside"] == heard("a", "b", text="from outside")
    assert seen["all"] == heard("a", "b", text="everybody")
    assert seen["except"] == heard(text="but blue")
    assert seen["sid"] == heard("c", text="privately")
    assert seen["who"] == seen["members"]
    assert seen["answers"] == ["a", "b"]
    assert seen["nobody"] == [[]]
    assert seen["left"] == heard("a", text="after leaving")
    assert seen["kicked"] == ["io server disconnect", "io server disconnect"]


def test_broadcast(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("broadcast", server.url, client=client, transport=transport)
    assert seen["a"] == []
    assert seen["b"] == [[seen["text"], {"type": "Buffer", "data": [1, 2, 3]}]]


def test_a_view_emits(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    run = node_runner.start("from_a_view", server.url, client=client, transport=transport)
    joined = run.wait_for("joined")
    message = {"namespace": "/lab", "room": joined["room"], "event": "news"}
    answer, _ = server.request("/emit/", {**message, "args": ["now"]})
    server.request("/emit/", {**message, "args": ["on commit"], "on_commit": True})
    run.go("look")
    assert run.result() == [["now"], ["on commit"]]
    assert answer == {"sids": [joined["sid"]]}


def test_volatile(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("volatile", server.url, client=client, transport=transport)
    assert seen["tick"] == [1]
    assert {"what": "mark", "n": "volatile"} in server.journal(seen["sid"], "mark")
