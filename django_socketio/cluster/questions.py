"""What this process asks the others, and their answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import reduce
from typing import Any

from ..addressing.delivery import Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.headcount import Headcount
from ..addressing.outcomes import Answered, Outcome, as_result
from ..addressing.target import Target
from ..logs import safe
from ..packets import EncodedPacket, JSONCodec
from ..runtime.runtime import Runtime
from .carried import decode_data, size_of
from .inquiry import Inquiry
from .membership import Membership
from .messages import NAMED, UNCOMPRESSED, Kind
from .peers import Peers
from .routing import Router

# Seconds that fetch_sockets and count wait for other processes: Node's ``requestsTimeout``.
FETCH_TIMEOUT = 5.0
# Seconds that a question may take on its way, beyond its own timeout.
GRACE = 1.0


class Questions:
    """Asks the processes that may have sockets of a target, and waits for their answers.

    The sets that are returned hold the processes that did not answer.
    """

    def __init__(
        self,
        runtime: Runtime,
        codec: JSONCodec,
        router: Router,
        membership: Membership,
        peers: Peers,
        node: str,
    ) -> None:
        self._runtime = runtime
        self._codec = codec
        self._router = router
        self._membership = membership
        self._peers = peers
        self._node = node
        self._inquiries: dict[int, Inquiry] = {}
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.FOUND: self._answering(self._take_sockets),
            Kind.ASKED: self._answering(Inquiry.asked),
            Kind.ACKED: self._answering(self._take_acknowledgement),
            Kind.ANSWERED: self._answering(self._take_answer),
            Kind.DONE: self._answering(Inquiry.finished),
            Kind.SERVER_ANSWER: self._answering(self._take_server_answer),
            Kind.REPORTED: self._answering(self._take_report),
            Kind.COUNTED: self._answering(self._take_count),
        }

    def departed(self, node: str) -> None:
        """Note that a process is gone: its answers will not come."""
        for inquiry in list(self._inquiries.values()):
            inquiry.died(node)

    async def fetch(self, target: Target) -> tuple[list[SocketDescription], set[str]]:
        """Fetch descriptions of the target's sockets elsewhere."""
        wire = target.to_wire()
        inquiry = await self._inquire(
            target, lambda number: [Kind.FETCH, number, *wire], FETCH_TIMEOUT
        )
        return [socket for part in inquiry.found for socket in part], inquiry.waiting

    async def count(self, target: Target, users: bool) -> Headcount:
        """Count the target's sockets elsewhere, in the processes that answer."""
        rest = [*target.to_wire(), users]
        inquiry = await self._inquire(
            target, lambda number: [Kind.COUNT, number, *rest], FETCH_TIMEOUT
        )
        return reduce(Headcount.and_also, inquiry.found, Headcount())

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        answered: Answered | None = None,
    ) -> Outcome:
        """Put a question, encoded with the id 0, to the target's clients elsewhere.

        ``answered`` gets each sid and answer as it comes, in place of the outcome.
        """
        flags = (0 if delivery.compress else UNCOMPRESSED) | (0 if answered is None else NAMED)
        attachments = list(packet.attachments)
        rest = [*target.to_wire(), flags, *packet.around_id, attachments, timeout]
        inquiry = await self._inquire(
            target,
            lambda number: [Kind.ASK, number, *rest],
            timeout + GRACE,
            size_of(packet),
            answered,
        )
        return Outcome(inquiry.found, inquiry.gone, inquiry.silent)

    async def server_call(
        self, namespace: str, packet: EncodedPacket, timeout: float
    ) -> tuple[list[Any], set[str]]:
        """Send the signal ``server_event`` elsewhere; return what the receivers returned."""
        rest = [namespace, packet.text, list(packet.attachments)]
        inquiry = await self._inquire(
            Target(""), lambda number: [Kind.SERVER_EVENT, number, *rest], timeout
        )
        return [answer for part in inquiry.found for answer in part], inquiry.waiting

    async def gather(
        self, subject: str, params: dict[str, Any], timeout: float
    ) -> tuple[dict[str, Any], set[str]]:
        """Return what other processes report, by process."""
        text = json.dumps(params)
        inquiry = await self._inquire(
            Target(""), lambda number: [Kind.REPORT, number, subject, text], timeout
        )
        return dict(inquiry.found), inquiry.waiting

    async def _inquire(
        self,
        target: Target,
        make: Callable[[int], list[Any]],
        timeout: float,
        size: int = 0,
        named: Answered | None = None,
    ) -> Inquiry:
        room = target.rooms[0] if len(target.rooms) == 1 else None
        nodes: set[str] = set()
        if room is None or self._router.owner_alone(room) != self._node:
            self._membership.listen()
            self._router.listening = True
            await self._membership.settled()
            owner = None if room is None else self._router.owner_alone(room)
            nodes = self._peers.nodes() if owner is None else {owner}
        number = self._router.next_number()
        inquiry = self._inquiries[number] = Inquiry(nodes, self._runtime.loop, named)
        try:
            self._router.to_nodes(nodes, make(number), size)
            await inquiry.wait(timeout)
        finally:
            del self._inquiries[number]
        if inquiry.waiting:
            silent = ", ".join(sorted(map(safe, inquiry.waiting)))
            self._runtime.log.warning("no answer from process(es) %s", silent)
        return inquiry

    # Answers

    def _answering(self, take: Callable[..., None]) -> Callable[..., None]:
        """Make a handler of ``take(inquiry, sender, *items)``; late answers are ignored."""

        def handler(sender: str, number: int, *items: Any) -> None:
            inquiry = self._inquiries.get(number)
            if inquiry is not None:
                take(inquiry, sender, *items)

        return handler

    def _take_sockets(self, inquiry: Inquiry, sender: str, text: str) -> None:
        inquiry.answered(sender, [SocketDescription.from_dict(item) for item in json.loads(text)])
        inquiry.finished(sender)

    def _take_count(self, inquiry: Inquiry, sender: str, sockets: int, users: list[Any]) -> None:
        inquiry.answered(sender, Headcount(sockets, frozenset(map(str, users))))
        inquiry.finished(sender)

    def _take_report(self, inquiry: Inquiry, sender: str, text: str) -> None:
        report = json.loads(text)
        if report is not None:  # None comes from a process that serves nobody
            inquiry.answered(sender, (sender, report))
        inquiry.finished(sender)

    def _take_acknowledgement(
        self, inquiry: Inquiry, sender: str, text: str, attachments: list[Any]
    ) -> None:
        # A process of an earlier release does not say whose answer it is, where that was asked.
        if inquiry.named is None:
            inquiry.answered(sender, as_result(decode_data(self._codec, text, attachments)))

    def _take_answer(
        self, inquiry: Inquiry, sender: str, sid: str, text: str, attachments: list[Any]
    ) -> None:
        if inquiry.named is not None:
            inquiry.count(sender)
            inquiry.named(sid, as_result(decode_data(self._codec, text, attachments)))

    def _take_server_answer(
        self, inquiry: Inquiry, sender: str, text: str, attachments: list[Any]
    ) -> None:
        inquiry.answered(sender, decode_data(self._codec, text, attachments))
        inquiry.finished(sender)
