"""Several namespaces at once, and answers as they come, over three processes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import socketio

from tests.harness.cluster import Cluster
from tests.harness.servers import Server
from tests.harness.waiting import DEADLINE, eventually

pytestmark = pytest.mark.redis

NAMESPACES = ("/fleet", "/doc-1", "/doc-2")
DOCUMENT = {"consumer": "Document"}


class Reader:
    """A client in several namespaces that notes what it hears, and where."""

    def __init__(self, worker: Server, namespaces: tuple[str, ...]) -> None:
        self.worker = worker
        self.namespaces = namespaces
        self.heard: list[tuple[Any, ...]] = []
        self.client = socketio.AsyncClient(reconnection=False)
        for namespace in namespaces:
            self.client.on("*", self._hear(namespace), namespace=namespace)

    def _hear(self, namespace: str) -> Any:
        async def hear(event: str, *args: Any) -> Any:
            self.heard.append((namespace, event, *args))
            return self.sid(namespace)

        return hear

    async def connect(self, cookie: str = "") -> None:
        await self.client.connect(
            self.worker.url,
            namespaces=list(self.namespaces),
            transports=["websocket"],
            wait_timeout=DEADLINE,
            headers={"Cookie": cookie} if cookie else {},
        )

    def sid(self, namespace: str) -> str:
        sid: str = self.client.get_sid(namespace)
        return sid


@pytest.fixture
async def readers(cluster: Cluster) -> AsyncIterator[list[Reader]]:
    """One in each process: the first is in all namespaces, the others in one document each."""
    chosen = (NAMESPACES, ("/doc-1",), ("/doc-2",))
    found = [Reader(*each) for each in zip(cluster.workers, chosen, strict=True)]
    for reader in found:
        await reader.connect()
    yield found
    await asyncio.gather(*(reader.client.shutdown() for reader in found))


def everyone(readers: list[Reader]) -> list[tuple[Reader, str]]:
    return [(reader, namespace) for reader in readers for namespace in reader.namespaces]


async def io(worker: Server, *steps: Any, thread: bool = False) -> Any:
    return await asyncio.to_thread(worker.io, *steps, thread=thread)


async def test_all_children_of_a_dynamic_namespace(cluster: Cluster, readers: list[Reader]) -> None:
    for worker in cluster.workers:
        name = str(uuid.uuid4())
        await io(worker, ["of", DOCUMENT], ["emit", name, 1, {"bytes": "ff"}])
        await io(worker, ["of", "/doc-1"], ["emit", "one of them"])
        await io(worker, ["everywhere"], ["emit", "end"])
        for reader in readers:
            for namespace in reader.namespaces:
                await eventually(lambda r=reader, n=namespace: (n, "end") in r.heard)  # type: ignore[misc]
            expected: list[tuple[Any, ...]] = []
            for namespace in reader.namespaces:
                if namespace != "/fleet":
                    expected.append((namespace, name, 1, b"\xff"))
                if namespace == "/doc-1":
                    expected.append((namespace, "one of them"))
                expected.append((namespace, "end"))
            assert sorted(reader.heard, key=repr) == sorted(expected, key=repr)
            reader.heard.clear()


@pytest.mark.parametrize("steps", [[["of", DOCUMENT]], [["everywhere"]]], ids=["class", "all"])
async def test_who_is_there_and_what_they_answer(
    cluster: Cluster, readers: list[Reader], steps: list[Any]
) -> None:
    wanted = {
        reader.sid(namespace)
        for reader, namespace in everyone(readers)
        if namespace != "/fleet" or steps == [["everywhere"]]
    }
    for worker in cluster.workers:
        room = f"room {uuid.uuid4()}"
        target = [*steps, ["to", room], ["timeout", 10]]
        sids = list(wanted)
        await io(worker, *steps, ["to", *sids], ["sockets_join", room])
        found = await io(worker, *target, ["afetch_sockets"])
        assert {socket["sid"] for socket in found} == wanted
        assert set(await io(worker, *target, ["acall", "q"])) == wanted
        assert set(await io(worker, *target, ["call", "q"], thread=True)) == wanted
        answers = await io(worker, *target, ["answers", "q"])
        assert {sid for sid, _ in answers} == wanted
        assert all(sid == answer for sid, answer in answers)


async def test_what_is_sent_to_a_room_after_joining_it_widely(
    cluster: Cluster, readers: list[Reader]
) -> None:
    """The processes may not be in the room's groups yet."""
    for worker in cluster.workers:
        room = f"room {uuid.uuid4()}"
        chain = [["everywhere"], ["to", *(r.sid(n) for r, n in everyone(readers))]]
        await io(worker, *chain, ["sockets_join", room])
        for namespace in NAMESPACES:
            await io(worker, ["of", namespace], ["to", room], ["emit", room])
        for reader, namespace in everyone(readers):
            await eventually(lambda r=reader, e=(namespace, room): e in r.heard)  # type: ignore[misc]


async def test_answers_that_are_missing(cluster: Cluster, readers: list[Reader]) -> None:
    async def silent(*args: Any) -> None:
        await asyncio.Event().wait()

    readers[1].client.on("*", silent, namespace="/doc-1")
    sid = readers[0].sid("/doc-1")
    ask = [["of", "/doc-1"], ["timeout", 0.5], ["answers", "q"]]
    for worker in cluster.workers:
        assert await io(worker, *ask) == [[sid, sid], 1]


async def test_a_user_everywhere(cluster: Cluster, readers: list[Reader]) -> None:
    name = f"user-{uuid.uuid4()}"
    cookie = cluster.workers[0].log_in(name)
    reader = Reader(cluster.workers[1], NAMESPACES)
    await reader.connect(cookie)
    try:
        for worker in cluster.workers:
            await io(worker, ["everywhere"], ["to", {"user": name}], ["emit", "news"], thread=True)
            await eventually(lambda: len(reader.heard) >= len(NAMESPACES), "the news")
            assert {namespace for namespace, _ in reader.heard} == set(NAMESPACES)
            reader.heard.clear()
        assert all(not other.heard for other in readers)
        await io(
            cluster.workers[2],
            ["everywhere"],
            ["to", {"user": name}],
            ["disconnect_sockets", True],
            thread=True,
        )
        await eventually(lambda: not reader.client.connected, "the end")
    finally:
        await reader.client.shutdown()
