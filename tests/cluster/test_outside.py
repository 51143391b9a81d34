"""``io`` in processes that serve nobody: scripts, task workers, management commands."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.conftest import Join
from tests.cluster.members import Member, settle
from tests.harness.cluster import Cluster
from tests.harness.processes import Process
from tests.harness.sizes import sizes
from tests.harness.waiting import eventually

pytestmark = pytest.mark.redis

Run = Callable[..., Process]

NAME = "outsider"


@pytest.fixture
def room() -> str:
    return f"room {uuid.uuid4()}"


@pytest.fixture
def run(cluster: Cluster) -> Iterator[Run]:
    """Starts ``python -m`` with the workers' settings; Redis knows its connections by NAME."""
    started: list[Process] = []
    env = dict(cluster.workers[0].env)
    asked = json.loads(env["TEST_PROJECT"])
    if asked["REDIS"]:
        asked["REDIS"] += f"?client_name={NAME}"
    env["TEST_PROJECT"] = json.dumps(asked)

    def start(*arguments: object) -> Process:
        command = [sys.executable, "-m", *map(str, arguments)]
        started.append(Process(command, env))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
async def trio(cluster: Cluster, member: Join, room: str) -> list[Member]:
    return [await member(worker, room) for worker in cluster.workers]


async def ended(process: Process, code: int = 0) -> str:
    """Wait for its end; what it has printed."""
    await eventually(lambda: not process.running, "the process to end", 120)
    process.kill()
    assert process.code == code, process.log
    return process.log


async def heard(trio: list[Member], total: int) -> list[list[list[Any]]]:
    """What each of them has heard, once it is so much."""
    await eventually(lambda: all(len(one.heard) >= total for one in trio), f"{total} events", 120)
    return [[args for _, *args in one.take()] for one in trio]


@pytest.mark.parametrize("wanted", sizes(1000, 10_000))
async def test_a_script(
    cluster: Cluster, trio: list[Member], room: str, run: Run, wanted: int
) -> None:
    """Everything arrives, in order, over one connection."""
    process = run("tests.cluster.sender", "numbers", room, wanted)
    got = await heard(trio, wanted)
    assert got == [[[number] for number in range(wanted)]] * 3
    await asyncio.to_thread(process.wait_for_line, "sent")
    assert [client["name"] for client in cluster.redis.clients()].count(NAME) == 1


@pytest.mark.parametrize("wanted", sizes(1000, 10_000))
async def test_a_management_command(
    cluster: Cluster, trio: list[Member], room: str, run: Run, wanted: int
) -> None:
    process = run("django", "emit_numbers", room, wanted)
    assert await heard(trio, wanted) == [[[number] for number in range(wanted)]] * 3
    await ended(process)


async def test_threads(cluster: Cluster, trio: list[Member], room: str, run: Run) -> None:
    """Each thread's order is kept; they share a connection."""
    process = run("tests.cluster.sender", "threads", room, 800)
    for got in await heard(trio, 800):
        for name in "abcd":
            assert [number for who, number in got if who == name] == list(range(200))
    await asyncio.to_thread(process.wait_for_line, "sent")
    assert [client["name"] for client in cluster.redis.clients()].count(NAME) == 1


@pytest.mark.parametrize(("how", "code"), [("unawaited", 0), ("awaited", -9), ("killed", -9)])
async def test_nothing_is_lost_at_the_end(
    cluster: Cluster, trio: list[Member], room: str, run: Run, how: str, code: int
) -> None:
    """A call that has returned, or was awaited, has done its work; the rest is sent at exit."""
    process = run("tests.cluster.sender", how, room, 300)
    await ended(process, code)
    assert await heard(trio, 300) == [[[number] for number in range(300)]] * 3


async def test_after_a_fork(cluster: Cluster, trio: list[Member], room: str, run: Run) -> None:
    """A task worker's children inherit a thread and a connection that are not theirs."""
    process = run("tests.cluster.sender", "forks", room, 50)
    assert "sent" in await ended(process)
    for got in await heard(trio, 150):
        assert len(got) == 150
        for name in ("parent", "child 0", "child 1"):
            assert [number for who, number in got if who == name] == list(range(50))


async def test_questions(cluster: Cluster, trio: list[Member], room: str, run: Run) -> None:
    for number, one in enumerate(trio):
        one.answer = lambda n, number=number: [n, number]
    process = run("tests.cluster.sender", "questions", room, 7)
    told = json.loads((await ended(process)).splitlines()[-1])
    assert told["sids"] == sorted(one.sid for one in trio)
    assert sorted(told["answers"]) == [[7, 0], [7, 1], [7, 2]]
    assert told["one"] in told["answers"]
    assert told["count"] == 3
    pids = {(await asyncio.to_thread(worker.counts))["pid"] for worker in cluster.workers}
    assert {answer["pid"] for answer in told["processes"]} == pids
    # It has said goodbye.
    for worker in cluster.workers:
        assert len((await asyncio.to_thread(worker.counts))["peers"]) == 2


async def test_all_namespaces(cluster: Cluster, trio: list[Member], room: str, run: Run) -> None:
    for one in trio:
        one.answer = lambda n, sid=one.sid: [n, sid]
    process = run("tests.cluster.sender", "widely", room, 7)
    told = json.loads((await ended(process)).splitlines()[-1])
    sids = sorted(one.sid for one in trio)
    assert (told["sids"], told["missing"]) == (sids, 0)
    assert sorted(told["answers"]) == [[sid, [7, sid]] for sid in sids]
    for one in trio:
        assert one.take() == [["number", 7], ["question", 7]]


async def test_acts(cluster: Cluster, trio: list[Member], room: str, run: Run) -> None:
    process = run("tests.cluster.sender", "acts", room, 0)
    assert "sent" in await ended(process)
    for one in trio:
        await asyncio.wait_for(one.left.wait(), 15)
        assert one.take() == [["number", 1], ["number", 3]]


async def test_socketio_emit(
    cluster: Cluster, trio: list[Member], room: str, run: Run, member: Join
) -> None:
    outsider = await member(cluster.workers[1], f"{room} 2")
    command = ("django", "socketio_emit")
    namespace = ("--namespace", "/fleet")
    await ended(run(*command, "news", "[1, {}]", "text é", "1.5", *namespace, "--to", room))
    await ended(run(*command, "more", *namespace, "--to", f"{room} 2", "--to", room))
    await settle(cluster, [*trio, outsider])
    for one in trio:
        assert one.take() == [["news", [1, {}], "text é", 1.5], ["more"]]
    assert outsider.take() == [["more"]]
    log = await ended(run(*command, "disconnect"), 1)
    assert "reserved event name" in log
    assert "Traceback" not in log
