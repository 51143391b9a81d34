"""The Node server and ours, a server for each profile."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance.client import Server
from tests.conformance.profiles import PROFILES
from tests.harness.node import find_node
from tests.harness.processes import Process
from tests.harness.servers import FORBIDDEN, LISTENING, command

HERE = Path(__file__).parent


class NodeServers:
    """One Node process for all profiles."""

    def __init__(self) -> None:
        node = find_node()
        assert node is not None
        options = json.dumps({name: profile.node for name, profile in PROFILES.items()})
        self._process = Process([node, HERE / "reference.mjs", options])
        self._ports: dict[str, int] = json.loads(self._process.wait_for_line(r"(?m)^\{.*\}$")[0])

    def server(self, profile: str) -> Server:
        return Server(self._ports[profile])

    def stop(self) -> None:
        self._process.stop()


class OurServers:
    """A uvicorn process for each profile, started when it is first needed."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Process, int]] = {}

    def server(self, profile: str) -> Server:
        if profile not in self._running:
            process = Process(
                command("uvicorn", "tests.conformance.project.asgi:application", 0),
                {
                    "DJANGO_SETTINGS_MODULE": "tests.conformance.project.settings",
                    "CONFORMANCE_SOCKETIO": json.dumps(PROFILES[profile].ours),
                },
            )
            port = int(process.wait_for_line(LISTENING)[1])
            self._running[profile] = process, port
        return Server(self._running[profile][1])

    def logs(self) -> dict[str, str]:
        """What the servers have printed, by profile."""
        return {profile: process.log for profile, (process, _) in self._running.items()}

    def stop(self) -> None:
        """End them all; AssertionError where a log holds what it must not."""
        for process, _ in self._running.values():
            process.stop()
        for log in self.logs().values():
            for words in (*FORBIDDEN, "Traceback"):
                assert words not in log, log
