"""Processes whose clients speak MessagePack: what travels between them is as ever."""

from __future__ import annotations

import json
import sys

import pytest

from tests.conftest import MakeCluster
from tests.harness.node import Runner
from tests.harness.processes import Process

pytestmark = [pytest.mark.node, pytest.mark.redis]


def test_several_processes(node_runner: Runner, make_cluster: MakeCluster) -> None:
    cluster = make_cluster(workers=2, socketio={"PARSER": "msgpack"})
    urls = [worker.url for worker in cluster.workers]
    run = node_runner.start("parsers_cluster", urls[0], client="msgpack", urls=urls)
    room = run.wait_for("joined")
    # An outsider need not know how the clients speak.
    env = dict(cluster.workers[0].env)
    asked = json.loads(env["TEST_PROJECT"])
    del asked["SOCKETIO"]["PARSER"]
    env["TEST_PROJECT"] = json.dumps(asked)
    outsider = Process([sys.executable, "-m", "tests.cluster.sender", "binary", room, "3"], env)
    try:
        assert run.result() == {
            "heard": [["hello", [[0, 1, 2], "text"]]] * 4,
            "answers": [0, 1, 2, 3],
        }
    finally:
        outsider.kill()
