"""Questions to clients and to processes, over three processes."""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from typing import Any

import pytest

from tests.cluster.conftest import Join
from tests.cluster.members import Member, use
from tests.harness.cluster import Cluster

pytestmark = pytest.mark.redis

Trio = list[Member]


@pytest.fixture
def room() -> str:
    return f"room {uuid.uuid4()}"


@pytest.fixture
async def members(cluster: Cluster, member: Join, room: str) -> Trio:
    """Two members of the room in each process; they answer with their number."""
    found = [await member(worker, room) for worker in (*cluster.workers, *cluster.workers)]
    for number, one in enumerate(found):
        one.answer = lambda *args, number=number: number
    return found


async def forever(*args: Any) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("thread", [False, True], ids=["acall", "call"])
async def test_one_answer_per_member(
    cluster: Cluster, members: Trio, room: str, thread: bool
) -> None:
    for worker in cluster.workers:
        call = ["call" if thread else "acall", "question", "how many?", [1]]
        start = time.monotonic()
        answers = await use(worker, ["to", room], ["timeout", 10], call, thread=thread)
        assert sorted(answers) == [0, 1, 2, 3, 4, 5]
        # It is over with the last answer, not with the timeout.
        assert time.monotonic() - start < 9
    for one in members:
        assert one.take() == [["question", "how many?", [1]]] * 3


async def test_kinds_of_answers(cluster: Cluster, members: Trio, room: str) -> None:
    kinds: list[Any] = [None, (1, "two"), {"three": [3.5]}, "four é", [5], True]
    for one, kind in zip(members, kinds, strict=True):
        one.answer = lambda *args, kind=kind: kind
    for worker in cluster.workers:
        answers = await use(worker, ["to", room], ["timeout", 10], ["acall", "question"])
        wanted = [list(kind) if isinstance(kind, tuple) else kind for kind in kinds]
        assert sorted(map(repr, answers)) == sorted(map(repr, wanted))


async def test_binary_questions_and_answers(cluster: Cluster, members: Trio, room: str) -> None:
    for one in members:
        one.answer = lambda data: {"was": len(data["deep"]), "more": data["deep"][:2]}
    question = {"deep": {"bytes": "00ff" * 50_000}}
    ask = [["to", room], ["timeout", 10], ["acall", "question", question]]
    for worker in cluster.workers:
        wanted = {"was": 100_000, "more": {"bytes": "00ff"}}
        assert await use(worker, *ask) == [wanted] * 6


async def test_some_of_them(cluster: Cluster, members: Trio, room: str) -> None:
    first, second, _ = cluster.workers
    ask = [["timeout", 10], ["acall", "question"]]
    sids = [one.sid for one in members]
    assert sorted(await use(first, ["to", sids[1], sids[5], sids[1]], *ask)) == [1, 5]
    assert await use(first, ["to", sids[4]], *ask) == [4]
    assert sorted(await use(second, ["to", room], ["exclude", *sids[2:]], *ask)) == [0, 1]
    assert sorted(await use(second, ["to", room], ["local"], *ask)) == [1, 4]


async def test_counting(cluster: Cluster, members: Trio, member: Join, room: str) -> None:
    ada = [
        await member(worker, room, cookie=worker.log_in("ada")) for worker in cluster.workers[:2]
    ]
    (id,) = {
        info["user_id"]
        for info in await use(cluster.workers[2], ["to", ada[0].sid], ["afetch_sockets"])
    }
    for worker in cluster.workers:
        for thread, count, users in ((False, "acount", "ausers"), (True, "count", "users")):
            ask = functools.partial(use, worker, thread=thread)
            assert await ask(["to", room], [count]) == 8
            assert await ask(["to", room], ["exclude", ada[0].sid], [count]) == 7
            assert await ask(["to", ada[1].sid], [count]) == 1
            assert await ask(["to", room], ["local"], [count]) in (2, 3)
            assert await ask(["to", room], [users]) == [str(id)]
            assert await ask(["to", room], ["exclude", *(one.sid for one in ada)], [users]) == []


async def test_nobody(cluster: Cluster, members: Trio, room: str) -> None:
    start = time.monotonic()
    for rooms in (f"{room}?", "x" * 28, members[0].sid[:8] + "x" * 20):
        ask = [["to", rooms], ["timeout", 20], ["acall", "question"]]
        assert await use(cluster.workers[1], *ask) == []
    assert time.monotonic() - start < 15


async def test_who_does_not_answer_in_time_is_counted(
    cluster: Cluster, members: Trio, room: str
) -> None:
    """One is silent in the process that asks, one in another, one in the third."""
    for one in members[:3]:
        one.answer = forever
    for thread in (False, True):
        call = ["call" if thread else "acall", "question"]
        result = await use(cluster.workers[0], ["to", room], ["timeout", 0.5], call, thread=thread)
        assert result["late"] == 3
        assert sorted(result["answers"]) == [3, 4, 5]


async def test_who_leaves_while_it_is_asked_is_missing(
    cluster: Cluster, members: Trio, room: str
) -> None:
    async def leave(*args: Any) -> None:
        await members[1].client.disconnect()
        await forever()

    members[1].answer = leave
    start = time.monotonic()
    ask = [["to", room], ["timeout", 30], ["acall", "question"]]
    result = await use(cluster.workers[0], *ask)
    assert result["late"] == 1
    assert sorted(result["answers"]) == [0, 2, 3, 4, 5]
    assert time.monotonic() - start < 25


async def test_many_questions_at_once(cluster: Cluster, members: Trio, room: str) -> None:
    for one in members:
        one.answer = lambda n: n
    ask = [["to", room], ["timeout", 15]]
    results = await asyncio.gather(
        *(
            use(cluster.workers[number % 3], *ask, ["acall", "question", number])
            for number in range(30)
        )
    )
    assert results == [[number] * 6 for number in range(30)]


# Processes


async def nodes(cluster: Cluster) -> list[int]:
    return [(await asyncio.to_thread(worker.counts))["pid"] for worker in cluster.workers]


async def test_server_side_call(cluster: Cluster) -> None:
    """The signal's receivers answer, in the other processes and not in the one that asks."""
    pids = await nodes(cluster)
    for number, worker in enumerate(cluster.workers):
        others = {pid for pid in pids if pid != pids[number]}
        for thread in (False, True):
            name = "server_side_call" if thread else "aserver_side_call"
            answers = await use(worker, [name, "event", 1, {"two": [2]}], thread=thread)
            assert {answer["pid"] for answer in answers} == others
            assert [answer["args"] for answer in answers] == [[1, {"two": [2]}]] * 2


async def test_a_receiver_that_fails_gives_no_answer(cluster: Cluster) -> None:
    assert await use(cluster.workers[0], ["aserver_side_call", "fail"]) == []


async def test_server_side_emit(cluster: Cluster) -> None:
    tag = f"event {uuid.uuid4()}"
    for worker in cluster.workers:
        await use(worker, ["server_side_emit", tag, "x"])
    # The answer to a question comes after what was sent before it.
    for worker in cluster.workers:
        await use(worker, ["aserver_side_call", "settled"])
    entry = {"what": "server event", "namespace": "/fleet", "args": ["x"]}
    for worker in cluster.workers:
        assert await asyncio.to_thread(worker.journal, tag) == [entry] * 2
