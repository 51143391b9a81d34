"""What a middleware adds to the answer to a handshake, over real connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.harness.processes import Process
from tests.harness.servers import LISTENING, command, environment
from tests.harness.wire import Peer, ask


class Listening(NamedTuple):
    port: int


@pytest.fixture(params=["daphne", "uvicorn"])
def adding(request: pytest.FixtureRequest) -> Iterator[Listening]:
    process = Process(command(request.param, "tests.project.adding:application"), environment(None))
    try:
        yield Listening(int(process.wait_for_line(LISTENING)[1]))
    finally:
        process.stop()


def test_what_a_middleware_adds_reaches_the_client(adding: Listening) -> None:
    answer = ask(adding)
    assert answer.status == 200
    assert answer.headers["x-seen"] == "yes"
    assert answer.headers.get_all("set-cookie") == ["a=b", "c=d"]
    with Peer(adding) as peer:
        accepted = peer.websocket.response
        assert accepted is not None
        assert accepted.headers["x-seen"] == "yes"
        assert accepted.headers.get_all("set-cookie") == ["a=b", "c=d"]
        assert peer.handshake()["sid"]
