"""Two processes' tunnels, joined by a network that a test can watch, cut and slow down."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

from django_socketio.cluster.messages import Kind
from django_socketio.cluster.tunnels import Accept, Tunnels


class Process:
    """What it sends goes to the ``other`` one, unless ``drops`` says so."""

    def __init__(self, name: str, accept: Accept | None = None) -> None:
        self.name = name
        self.other: Process
        # The processes that it knows, and when they last said something.
        self.known: set[str] = set()
        self.last_sign = -math.inf
        self.sent: list[list[Any]] = []
        self.drops: Callable[[list[Any]], bool] = lambda operation: False
        self.tasks: list[asyncio.Task[Any]] = []
        # How many bytes of one operation its queue takes now.
        self.room = math.inf
        self.tunnels = Tunnels(
            self.send, self.has_room, self.meet, lambda node: self.last_sign, self.spawn, accept
        )

    def has_room(self, size: int) -> bool:
        if size > 10**8:
            raise ValueError
        return size <= self.room

    async def meet(self, node: str) -> bool:
        return node in self.known

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(coro))

    def send(self, node: str, operation: list[Any], size: int) -> Any:
        if node not in self.known:
            return None
        self.sent.append(operation)
        if not self.drops(operation):
            asyncio.get_running_loop().call_soon(self.other.receive, self.name, operation)
        return operation

    def receive(self, sender: str, operation: list[Any]) -> None:
        kind, *items = operation
        self.tunnels.handlers[kind](sender, *items)

    def kinds(self) -> list[Kind]:
        return [Kind(operation[0]) for operation in self.sent]


class Pair:
    """``gate`` is the process that a client has reached, ``owner`` that of its session."""

    def __init__(self, accept: Accept | None) -> None:
        self.gate, self.owner = Process("gate"), Process("owner", accept)
        self.gate.other, self.owner.other = self.owner, self.gate
        self.gate.known.add("owner")
        self.owner.known.add("gate")

    @property
    def idle(self) -> bool:
        """Whether nothing is left of any tunnel, at either end."""
        return not (self.gate.tunnels.nodes() or self.owner.tunnels.nodes())
