"""The client's bundles in Chromium, under a Content-Security-Policy that takes only its nonce."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.programs import find_chromium
from tests.harness.servers import Servers

pytestmark = [pytest.mark.node, pytest.mark.browser]

CONNECTED = ["connected", []]


def test_each_bundle_under_a_strict_policy(node_runner: Runner, servers: Servers) -> None:
    bundles = ["default", "debug", "msgpack", "esm", "served", "refused"]
    seen = node_runner.run(
        "client_pages", servers.get("uvicorn").url, chromium=find_chromium(), bundles=bundles
    )
    state, (problem,) = seen.pop("refused")
    assert state == "missing"
    assert "Content Security Policy" in problem
    assert seen == {
        "default": CONNECTED,
        "debug": CONNECTED,
        "msgpack": ["loaded", []],
        "esm": CONNECTED,
        "served": CONNECTED,
    }


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_bytes_in_messagepack(node_runner: Runner, servers: Servers, transports: list[str]) -> None:
    server = servers.get("uvicorn", socketio={"PARSER": "msgpack"})
    seen = node_runner.run(
        "msgpack_page", server.url, chromium=find_chromium(), transports=transports
    )
    frames = seen.pop("frames")
    assert seen == {"same": True, "text": "é", "inner": [1, 2], "was": [5, 6], "more": [9, 8]}
    # No packet of Socket.IO's is text: "0" is Engine.IO's handshake, "2" and "3" are its pings.
    assert set(frames) <= {"0", "2", "3", "2probe", "3probe", "5", "6", "binary"}
    assert "binary" in frames or "polling" in transports
