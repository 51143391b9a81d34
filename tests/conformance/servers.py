"""The Node server, and ours for each profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.client import Side
from tests.conformance.profiles import PROFILES
from tests.harness.node import find_node
from tests.harness.processes import Process
from tests.harness.servers import REFERENCE, Servers

HERE = Path(__file__).parent


class NodeServers:
    """One Node process for all profiles, or for some options by name."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        node = find_node()
        assert node is not None
        options = options or {name: profile.node for name, profile in PROFILES.items()}
        self._process = Process([node, HERE / "reference.mjs", json.dumps(options)])
        self._ports: dict[str, int] = json.loads(self._process.wait_for_line(r"(?m)^\{.*\}$")[0])

    def side(self, profile: str) -> Side:
        return Side(self._ports[profile])

    def stop(self) -> None:
        self._process.stop()


def our_side(servers: Servers, profile: str) -> Side:
    """A uvicorn process for each profile, started when it is first needed."""
    options = PROFILES[profile].ours
    return Side(servers.get("uvicorn", app=REFERENCE, socketio=options).port)
