"""Sessions that wait for their clients, on their way from one process to another.

Here are the questions and answers; what a session is, and when it moves, is in
:mod:`~..sockets.handover`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..addressing.descriptions import MOVING
from ..runtime.runtime import Runtime
from .bus import Bus
from .inquiry import Inquiry
from .messages import Kind
from .peers import Peers
from .ports import Keeper
from .routing import Router
from .visits import Visits

# Seconds that a search waits for the last answer, and for what was found. A process that was killed
# is missed for a heartbeat's timeout; its clients need not wait for so long.
SEEK_TIMEOUT, TAKE_TIMEOUT = 2.0, 5.0
# Seconds that a giver waits for what is missing, and between two looks.
HEALING_TIMEOUT, LOOK = 2.0, 0.02
# About how many bytes of packets go into one operation.
BATCH = 256_000


class Handovers:
    """See the module's docstring; :class:`~.ports.Others` has the docstrings of its methods."""

    def __init__(
        self, runtime: Runtime, bus: Bus, router: Router, peers: Peers, visits: Visits
    ) -> None:
        self._runtime = runtime
        self._bus = bus
        self._router = router
        self._peers = peers
        self._visits = visits
        self._keeper: Keeper | None = None
        self._inquiries: dict[int, Inquiry] = {}
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.SEEK: self._on_seek,
            Kind.HAS: self._on_has,
            Kind.TAKE: self._on_take,
            Kind.GIVEN: self._on_given,
            Kind.BEQUEATH: self._on_bequeath,
        }

    def keep_with(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def departed(self, node: str) -> None:
        """Note that a process is gone: its answers will not come."""
        for inquiry in list(self._inquiries.values()):
            inquiry.died(node)

    # What this process asks

    async def seek(self, namespace: str, pid: str) -> tuple[str, str]:
        # Who has answered has heard this before.
        self._visits.opened(namespace, pid)
        question = self._router.next_number()
        operation = [Kind.SEEK, question, namespace, pid]
        found = await self._ask(self._peers.nodes(), question, operation, SEEK_TIMEOUT)
        for node, session in found:
            if session != MOVING:
                return node, session
        return (found[0][0], "") if found else ("", "")

    def sought(self, namespace: str, pid: str) -> None:
        self._visits.closed(namespace, pid)

    async def take(
        self, node: str, pids: list[str], offset: str | None, all: bool
    ) -> tuple[str, list[list[Any]], int]:
        question = self._router.next_number()
        operation = [Kind.TAKE, question, pids, offset or "", all]
        answers = await self._ask({node}, question, operation, TAKE_TIMEOUT)
        if not answers or answers[0][3] + 1 != len(answers):
            return "", [], 0
        packets = [packet for _, part, _, _ in answers for packet in part]
        return answers[-1][0], packets, answers[-1][2]

    async def _ask(
        self, nodes: set[str], question: int, operation: list[Any], timeout: float
    ) -> list[Any]:
        inquiry = self._inquiries[question] = Inquiry(nodes, self._runtime.loop)
        try:
            self._router.to_nodes(nodes, operation)
            await inquiry.wait(timeout)
        finally:
            del self._inquiries[question]
        return inquiry.found

    def bequeath(self, node: str, sessions: str, more: bool) -> None:
        self._router.to_node(node, [Kind.BEQUEATH, sessions, more], len(sessions))

    # What comes in

    def _on_seek(self, sender: str, question: int, namespace: str, pid: str) -> None:
        session = "" if self._keeper is None else self._keeper.show(namespace, pid)
        self._router.to_node(sender, [Kind.HAS, question, session], len(session))

    def _on_has(self, sender: str, question: int, session: str) -> None:
        inquiry = self._inquiries.get(question)
        if inquiry is not None:
            if session:
                inquiry.answered(sender, (sender, session))
            inquiry.finished(sender)

    def _on_take(self, sender: str, question: int, pids: list[Any], offset: str, all: bool) -> None:
        if self._keeper is None or not all_text(pids):
            raise ValueError("a private id is text")
        if self._bus.mending.receiver.healing:
            # What waits behind a gap belongs to the sessions, too.
            waiting = self._give_when_healed(sender, question, pids, offset, all)
            self._runtime.spawn(waiting)
        else:
            self._give(self._keeper, sender, question, pids, offset, all)

    async def _give_when_healed(
        self, sender: str, question: int, pids: list[str], offset: str, all: bool
    ) -> None:
        end = self._runtime.loop.time() + HEALING_TIMEOUT
        receiver = self._bus.mending.receiver
        # Polled, since gaps heal in many places and this wait is rare.
        while receiver.healing and self._runtime.loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)
        if self._keeper is not None:
            self._give(self._keeper, sender, question, pids, offset, all)

    def _give(
        self, keeper: Keeper, sender: str, question: int, pids: list[str], offset: str, all: bool
    ) -> None:
        sessions, packets = keeper.give(pids, offset or None, all)
        batches: list[list[list[Any]]] = [[]]
        size = 0
        for packet in packets:
            if size > BATCH:
                batches.append([])
                size = 0
            batches[-1].append(packet)
            size += weight(packet)
        for index, batch in enumerate(batches):
            left = len(batches) - 1 - index
            operation = [Kind.GIVEN, question, "" if left else sessions, batch, left]
            self._router.to_node(sender, operation, sum(map(weight, batch)))

    def _on_given(
        self, sender: str, question: int, sessions: str, packets: list[Any], left: int
    ) -> None:
        inquiry = self._inquiries.get(question)
        if inquiry is not None and self._keeper is not None:
            # Now, and not when the inquiry goes on: what the giver says next is not among these.
            inquiry.answered(sender, (sessions, packets, self._keeper.position, left))
            if not left:
                inquiry.finished(sender)

    def _on_bequeath(self, sender: str, sessions: str, more: bool) -> None:
        if self._keeper is not None:
            self._keeper.inherit(sender, sessions, more)


def weight(packet: list[Any]) -> int:
    """Return about how many bytes a packet takes, which is a list of plain values."""
    sizes = (
        sum(map(len, item)) if isinstance(item, list) else len(item)
        for item in packet
        if isinstance(item, (str, list))
    )
    return 100 + sum(sizes)


def all_text(items: list[Any]) -> bool:
    """Return whether all items are text."""
    return all(isinstance(item, str) for item in items)
