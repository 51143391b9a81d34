"""Client scenarios in Node.js: one process that runs them by name, JSON in and JSON out."""

from __future__ import annotations

import functools
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parent / "node_modules"

CLIENTS = ("2", "3", "4")
TRANSPORTS = ("polling", "websocket", "default")
DEADLINE = 60.0


@functools.cache
def find_node() -> str | None:
    """A Node.js of at least 18: the system's or the one in the virtual environment."""
    beside_python = Path(sys.executable).parent / "node"
    for candidate in (shutil.which("node"), str(beside_python)):
        if candidate and Path(candidate).exists():
            answer = subprocess.run(
                [candidate, "--version"], capture_output=True, text=True, check=False, timeout=30
            )
            if answer.returncode == 0 and int(answer.stdout.strip("v\n").split(".")[0]) >= 18:
                return candidate
    return None


def why_not() -> str | None:
    """Why Node scenarios cannot run here, or None."""
    if find_node() is None:
        return "no Node.js 18 or newer (make setup-test brings one)"
    if not (PACKAGES / "socket.io-client-2").is_dir():
        return "tests/node_modules is missing, or is old (make setup-test installs it)"
    return None


class ScenarioError(AssertionError):
    """A scenario failed in Node; the text is its stack."""


class Run:
    """A scenario under way."""

    def __init__(self, runner: Runner, number: int) -> None:
        self._runner = runner
        self._number = number
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()

    def _next(self) -> dict[str, Any]:
        try:
            message = self._messages.get(timeout=DEADLINE)
        except queue.Empty:
            raise ScenarioError(f"nothing came from Node for {DEADLINE} s") from None
        if "error" in message:
            raise ScenarioError(message["error"])
        return message

    def wait_for(self, step: str) -> Any:
        """What the scenario tells with its step of this name."""
        message = self._next()
        assert message.get("step") == step, message
        return message.get("data")

    def go(self, name: str) -> None:
        self._runner.send({"id": self._number, "go": name})

    def result(self) -> Any:
        message = self._next()
        assert "result" in message, message
        return message["result"]


class Runner:
    """The Node process. Scenarios may overlap."""

    def __init__(self) -> None:
        node = find_node()
        assert node is not None
        self._numbers = itertools.count(1)
        self._runs: dict[int, Run] = {}
        self._popen = subprocess.Popen(
            [node, str(HERE / "runner.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            message = json.loads(line)
            self._runs[message["id"]]._messages.put(message)
        for run in self._runs.values():
            run._messages.put({"error": "the Node process has ended"})

    def send(self, message: dict[str, Any]) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(message) + "\n")
        self._popen.stdin.flush()

    def start(
        self, scenario: str, url: str, client: str = "4", transport: str = "default", **params: Any
    ) -> Run:
        number = next(self._numbers)
        run = self._runs[number] = Run(self, number)
        self.send(
            {
                "id": number,
                "scenario": scenario,
                "url": url,
                "client": client,
                "transport": transport,
                "params": params,
            }
        )
        return run

    def run(self, scenario: str, url: str, **options: Any) -> Any:
        return self.start(scenario, url, **options).result()

    def stop(self) -> None:
        """The process ends when its input does."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        try:
            code = self._popen.wait(15)
        finally:
            self._popen.kill()
            self._popen.wait()
            self._reader.join(5)
            assert self._popen.stdout is not None
            self._popen.stdout.close()
        assert code == 0
