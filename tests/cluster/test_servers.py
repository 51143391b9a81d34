"""Servers that start several processes by themselves: no flag but the channel layer is needed."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.harness.cluster import LAYER_CONFIGS, LAYERS
from tests.harness.node import Runner
from tests.harness.processes import Process
from tests.harness.redis import Redis
from tests.harness.servers import FORBIDDEN, copy_database, environment
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis]

APPLICATION = "tests.project.asgi:application"
GUNICORN = [
    *("gunicorn", "-c", "python:tests.project.gunicorn_config"),
    *("-k", "uvicorn.workers.UvicornWorker", "-w", "4", "-b", "127.0.0.1:0"),
]
COMMANDS = {
    "uvicorn": ["uvicorn", "--workers", "4", "--port", "0"],
    "gunicorn": GUNICORN,
    "gunicorn-preload": [*GUNICORN, "--preload"],
}
LISTENING = r"(?:running on|Listening at:) (http://127\.0\.0\.1:\d+)"


def known(url: str) -> int | None:
    """How many others a process knows, None while none answers. Which one is left to chance."""
    try:
        with urllib.request.urlopen(f"{url}/counts/", timeout=20) as answer:
            return len(json.load(answer)["peers"])
    except OSError:
        return None  # uvicorn says where it listens before it does


@pytest.mark.parametrize(
    ("command", "layer"), [*((name, "pubsub") for name in COMMANDS), ("gunicorn-preload", "core")]
)
def test_several_workers(
    node_runner: Runner, database_template: Path, command: str, layer: str
) -> None:
    redis = Redis()
    assert layer in LAYERS
    env = environment(
        copy_database(database_template, f"{command}-{layer}"),
        redis=redis.url,
        layer=layer,
        layer_config=LAYER_CONFIGS.get(layer),
    )
    server = Process([sys.executable, "-m", *COMMANDS[command], APPLICATION], env)
    try:
        url = server.wait_for_line(LISTENING)[1]
        # The others may still start while the first clients connect.
        until(lambda: known(url) is not None, "a worker", 60)
        options: dict[str, Any] = {"clients": 16, "each": 20, "settle": 60_000}
        for transport in ("polling", "default", "websocket"):
            seen = node_runner.run("swarm", url, transport=transport, **options)
            assert seen["errors"] == []
            assert seen["connected"] == seen["toServer"] == seen["toClient"] == 16
        until(lambda: known(url) == 3, "the workers")
        seen = node_runner.run("rooms", url, transport="default")
        assert seen["answers"] == ["a", "b"]
        assert seen["who"] == seen["members"]
        server.stop()
    finally:
        server.kill()
        redis.close()
    for words in (*FORBIDDEN, "Traceback"):
        assert words not in server.log, server.log
