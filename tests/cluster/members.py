"""Clients that sit in a process of the test's choice, and note what they hear."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import socketio

from tests.harness.cluster import Cluster
from tests.harness.servers import Server
from tests.harness.waiting import DEADLINE, eventually

NAMESPACE = "/fleet"

_tokens = itertools.count()


class Member:
    """A client of python-socketio's, over a WebSocket, whose session is in that very process."""

    def __init__(self, worker: Server) -> None:
        self.worker = worker
        # Each event with its arguments, without those that only mark a point in time.
        self.heard: list[list[Any]] = []
        self.marks: set[Any] = set()
        # Answers the event "question".
        self.answer: Callable[..., Any] = lambda *args: None
        self.left = asyncio.Event()
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._hear, namespace=NAMESPACE)
        self.client.on("disconnect", self._leave, namespace=NAMESPACE)

    async def connect(self, **options: Any) -> Member:
        await self.client.connect(
            self.worker.url,
            namespaces=[NAMESPACE],
            transports=["websocket"],
            wait_timeout=DEADLINE,
            **options,
        )
        return self

    async def _hear(self, event: str, *args: Any) -> Any:
        if event == "mark":
            self.marks.add(args[0])
            return None
        self.heard.append([event, *args])
        if event != "question":
            return None
        answer = self.answer(*args)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def _leave(self, *args: Any) -> None:
        self.left.set()

    @property
    def sid(self) -> str:
        sid: str = self.client.get_sid(NAMESPACE)
        return sid

    async def ask(self, event: str, *args: Any) -> Any:
        return await self.client.call(event, args, namespace=NAMESPACE, timeout=DEADLINE)

    async def join(self, *rooms: str) -> None:
        await self.ask("join", *rooms)

    def take(self) -> list[list[Any]]:
        """What it has heard since it was last asked."""
        heard, self.heard = self.heard, []
        return heard


async def use(worker: Server, *steps: Any, thread: bool = False) -> Any:
    """The result of a chain on `io` in that process, for example ["to", "room"], ["emit", "x"]."""
    return await asyncio.to_thread(worker.io, ["of", NAMESPACE], *steps, thread=thread)


def _all_have(members: Iterable[Member], mark: int) -> bool:
    return all(mark in member.marks for member in members)


async def settle(cluster: Cluster, members: Iterable[Member]) -> None:
    """Wait until what every process has sent before this has arrived: order per sender is kept."""
    there = [member for member in members if not member.left.is_set()]
    for worker in cluster.workers:
        token = next(_tokens)
        await use(worker, ["emit", "mark", token])
        await eventually(partial(_all_have, there, token), "the mark")
