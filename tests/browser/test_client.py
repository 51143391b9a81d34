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
