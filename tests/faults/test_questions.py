"""A question to clients of several processes, one of which is killed before they answer."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import MakeCluster
from tests.faults.conftest import MakeCrowd
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis, pytest.mark.serial]

EACH = 3
# Far longer than a process's death takes to be noticed.
PATIENCE = 15.0


def test_the_living_answer_and_the_dead_are_counted(
    make_cluster: MakeCluster, make_crowd: MakeCrowd
) -> None:
    cluster = make_cluster()
    crowd = make_crowd([worker.url for worker in cluster.workers], each=EACH, answer=3000)
    asker, _, victim = cluster.workers
    with ThreadPoolExecutor() as executor:
        began = time.monotonic()
        answer = executor.submit(
            asker.io, ["of", "/crowd"], ["timeout", PATIENCE], ["acall", "question"]
        )
        until(lambda: all(member.asked for member in crowd.report()), "everybody to be asked")
        alive = {member.sid for member in crowd.members if member.place != 2}
        victim.process.kill()
        result = answer.result()
    assert set(result["answers"]) == alive
    assert len(result["answers"]) == len(alive) == 2 * EACH
    assert result["late"] == EACH
    assert time.monotonic() - began < PATIENCE / 2
