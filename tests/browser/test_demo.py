"""The demo chat in Chromium: two people talk, an image arrives, the server restarts under them."""

from __future__ import annotations

import base64
import io
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from tests.harness.node import PACKAGES, Runner
from tests.harness.processes import Process
from tests.harness.programs import find_chromium
from tests.harness.servers import command, free_port, listens
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.browser]

CLIENT = PACKAGES / "socket.io-client" / "dist"
SIZE = [240, 160]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    environment = {
        "DJANGO_SETTINGS_MODULE": "demo_project.settings",
        "DEMO_DATABASE": str(tmp_path / "demo.sqlite3"),
        "DEMO_SOCKETIO_CLIENT": str(CLIENT),
    }
    set_up = Process([sys.executable, "manage.py", "setup_demo"], environment)
    until(lambda: not set_up.running, "setup_demo", 60)
    assert set_up.stop() == 0, set_up.log
    return environment


CLUSTER = pytest.param("cluster", marks=[pytest.mark.redis, pytest.mark.matrix])


@pytest.fixture(params=["daphne", "uvicorn", CLUSTER])
def serve(
    request: pytest.FixtureRequest, environment: dict[str, str]
) -> Iterator[Callable[[int], Process]]:
    """Starts the demo on a port; it logs only warnings, so it does not tell which one it is."""
    started: list[Process] = []

    def start(port: int) -> Process:
        arguments = (
            [sys.executable, "-m", "scripts.demo_cluster", str(port)]
            if request.param == "cluster"
            else command(request.param, "demo_project.asgi:application", port)
        )
        process = Process(arguments, environment)
        started.append(process)
        until(lambda: listens(port) or not process.running, "the demo", 30)
        assert process.running, process.log
        return process

    yield start
    for process in started:
        # In an orderly way: the cluster has a Redis server to end.
        with suppress(AssertionError):
            process.stop()


def noise() -> str:
    """A PNG of noise, so that it is of some size, in base64."""
    pixels = random.Random(1).randbytes(SIZE[0] * SIZE[1] * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (SIZE[0], SIZE[1]), pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_two_people_chat_through_a_restart(
    node_runner: Runner, serve: Callable[[int], Process]
) -> None:
    port = free_port()
    server = serve(port)
    run = node_runner.start(
        "chat", f"http://127.0.0.1:{port}", chromium=find_chromium(), image=noise()
    )
    run.wait_for("chatted")
    server.stop()
    run.wait_for("lost")
    again = serve(port)
    run.go("look")
    seen = run.result()
    assert seen["size"] == SIZE
    assert seen["problems"] == []
    assert seen["people"] == 2
    again.stop()
    for log in (server.log, again.log):
        assert "Traceback" not in log, log


def test_what_a_page_says_of_its_connection(
    node_runner: Runner, environment: dict[str, str]
) -> None:
    port = free_port()
    server = Process(command("uvicorn", "demo_project.asgi:application", port), environment)
    try:
        until(lambda: listens(port) or not server.running, "the demo", 30)
        run = node_runner.start("farewells", f"http://127.0.0.1:{port}", chromium=find_chromium())
        seen = run.result()
        assert seen.pop("inspector") == {
            "transport": "WebSocket",
            "process": server.pid,
            "reconnections": "0",
        }
        assert seen == {
            "elsewhere": ["A\nadmin\nin Pictures"],
            "said": {
                "times": [True],
                "ticks": ["Delivered", "The page of somebody else shows it"],
                "lines": "Three\nlines",
            },
            "away": "An administrator has disconnected you.",
            "covered": False,
            "out": "You have been logged out.",
            "styled": True,
            "problems": [],
        }
        assert "Traceback" not in server.log, server.log
    finally:
        server.kill()
