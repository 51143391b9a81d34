"""Numbered messages both ways while the transport is upgraded: once each, in order."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node

TOTAL = 1000


@pytest.mark.parametrize("blobs", [0, 16], ids=["text", "with-blobs"])
def test_a_thousand_messages_each_way(
    node_runner: Runner, server: Server, client: str, transport: str, blobs: int
) -> None:
    options = {"client": client, "transport": transport}
    seen = node_runner.run("flood", server.url, **options, total=TOTAL, blobs=blobs)
    expected = list(range(TOTAL))
    assert seen["received"] == expected
    assert seen["atServer"]["numbers"] == expected
    every = TOTAL // blobs if blobs else 0
    assert seen["atServer"]["blobs"] == (len(range(0, TOTAL, every)) if blobs else 0)

    first = "polling" if transport == "default" else transport
    last = "websocket" if transport == "default" else transport
    assert (seen["ends"]["sentFirst"], seen["ends"]["sentLast"]) == (first, last)
    assert (seen["atServer"]["first"], seen["atServer"]["last"]) == (first, last)
    assert seen["fromServer"] == [first, last]
