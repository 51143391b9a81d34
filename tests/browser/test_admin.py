"""The admin's pages in Chromium, and the official Admin UI's own page."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import pytest

from tests.browser.test_demo import environment  # noqa: F401 - a fixture
from tests.harness.node import Runner
from tests.harness.processes import Process
from tests.harness.programs import find_chromium
from tests.harness.servers import Server, command, copy_database, free_port, listens
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.browser]


def test_the_pages_work_under_a_strict_policy(
    node_runner: Runner,
    environment: dict[str, str],  # noqa: F811
) -> None:
    port = free_port()
    server = Process(command("uvicorn", "demo_project.asgi:application", port), environment)
    try:
        until(lambda: listens(port) or not server.running, "the demo", 30)
        run = node_runner.start("admin_pages", f"http://127.0.0.1:{port}", chromium=find_chromium())
        for mode in ("light", "dark"):
            for size in ("wide", "phone"):
                run.wait_for(f"{mode} {size}")
        seen = run.result()
        assert seen == {"problems": [], "wider": [], "moved": 4}
        assert "Traceback" not in server.log, server.log
    finally:
        server.kill()


HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
SEEN = {"event": {"from": "the page"}, "heard": [], "reason": "io server disconnect"}


@pytest.mark.matrix  # a quarter of a minute
def test_the_official_admin_ui(node_runner: Runner, database_template: Path) -> None:
    port = free_port()
    server = Server(
        "uvicorn",
        copy_database(database_template, "official"),
        socketio={
            "STATS_INTERVAL": None,
            "CORS_ALLOWED_ORIGINS": [f"http://127.0.0.1:{port}"],
            "CORS_ALLOW_CREDENTIALS": True,
            "ADMIN_UI": {"USERNAME": "root", "PASSWORD": HASH},
        },
    )
    try:
        run = node_runner.start(
            *("official_admin_ui", server.url),
            chromium=find_chromium(),
            port=port,
            namespace="/lab",
        )
        assert run.result() == SEEN
        server.stop()
    finally:
        server.process.kill()


@pytest.mark.matrix  # the same page, of another project
def test_the_official_admin_ui_with_the_demo(
    node_runner: Runner,
    environment: dict[str, str],  # noqa: F811
) -> None:
    port, page_port = free_port(), free_port()
    environment |= {
        "DEMO_ADMIN_UI_PASSWORD": HASH,
        "DEMO_ADMIN_UI_ORIGIN": f"http://127.0.0.1:{page_port}",
    }
    server = Process(command("daphne", "demo_project.asgi:application", port), environment)
    try:
        until(lambda: listens(port) or not server.running, "the demo", 30)
        run = node_runner.start(
            *("official_admin_ui", f"http://127.0.0.1:{port}"),
            chromium=find_chromium(),
            port=page_port,
            namespace="/chat",
            auth={"room": "lobby"},
            chat=True,
        )
        assert run.result() == SEEN
        assert "Traceback" not in server.log, server.log
    finally:
        server.kill()
