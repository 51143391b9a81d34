"""What operators of this process, and other processes, do with the sockets of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ..addressing.delivery import Action, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.headcount import Headcount
from ..addressing.outcomes import NOBODY, Answered, Outcome
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..exceptions import LimitExceeded
from ..packets import EncodedPacket
from ..runtime.announcements import announce
from ..runtime.awaitables import DONE, Drained, Several
from ..signals import server_event
from ..stats import counters
from .acks import Question
from .connection import Connection
from .local import Local
from .socket import Socket

# Answers a question about this process, by subject; see stats.reports.
Report = Callable[[str, dict[str, Any]], "dict[str, Any] | None"]


def _no_report(subject: str, params: dict[str, Any]) -> None:
    return None


class LocalMembers:
    """:class:`~..cluster.ports.Members`, which has the docstrings."""

    def __init__(self, local: Local[Socket]) -> None:
        self._local = local
        self.report: Report = _no_report
        self.origin: tuple[str, int] | None = None

    def deliver(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> Awaitable[None]:
        if target.is_wide:
            return self._deliver_widely(target, packet, delivery)
        compress, volatile = delivery
        sockets = self._local.select(target)
        if not sockets:
            return DONE
        frames = self._local.make_frames(packet, compress)
        slow: list[Connection] | None = None
        for socket in sockets:
            if not socket.write(frames, volatile):
                if slow is None:
                    slow = []
                slow.append(socket.client)
        return DONE if slow is None else Drained(slow)

    def _deliver_widely(
        self, target: Target, packet: EncodedPacket, delivery: Delivery
    ) -> Awaitable[None]:
        written = (
            self.deliver(one, packet.for_namespace(one.namespace), delivery)
            for one in self._local.spread(target)
        )
        slow = [part for part in written if part is not DONE]
        return Several(slow) if slow else DONE

    def act(self, target: Target, action: Action, rooms: list[Room]) -> None:
        for socket in self._local.select(target):
            # An error with one socket must not keep the action from the others.
            try:
                if action is Action.JOIN:
                    socket.join_rooms(rooms)
                elif action is Action.LEAVE:
                    socket.leave_rooms(rooms)
                else:
                    socket.close(transport=action is Action.DISCONNECT)
            except LimitExceeded as limit:
                counters.limits.add(str(limit))
                self._local.runtime.log.warning("a socket could not join: %s", limit)
            except Exception as error:
                self._local.runtime.log.failure(error, "a socket could not %s", action.value)

    def log_out(self, logins: list[str], user: str) -> None:
        self._local.logins.end(logins, user)

    def describe(self, target: Target) -> list[SocketDescription]:
        return [socket.describe() for socket in self._local.select(target)]

    def count(self, target: Target, users: bool) -> Headcount:
        sockets = self._local.select(target)
        if not users:
            return Headcount(len(sockets))
        ids = {getattr(socket.user, "pk", None) for socket in sockets} - {None}
        return Headcount(len(sockets), frozenset(map(str, ids)))

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        asked: Callable[[int], None] | None = None,
        answered: Answered | None = None,
    ) -> Outcome:
        local = self._local
        targets = local.spread(target) if target.is_wide else [target]
        questions = [(one.namespace, local.select(one)) for one in targets]
        if asked is not None:
            asked(sum(len(sockets) for _, sockets in questions))

        async def ask(namespace: str, sockets: list[Socket]) -> Outcome:
            question = Question(next(local.ack_ids), answered)
            one = packet.for_namespace(namespace) if target.is_wide else packet
            frames = local.make_frames(one.with_id(question.ack_id), delivery.compress)
            return await question.ask(sockets, frames, timeout)

        if len(questions) == 1:
            return await ask(*questions[0])
        asking = (ask(*question) for question in questions if question[1])
        return sum(await asyncio.gather(*asking), NOBODY)

    async def server_event(self, namespace: str, event: str, args: list[Any]) -> list[Any]:
        about = {"namespace": namespace, "event": event, "args": args}
        return await announce(self._local.runtime, server_event, type(self), about)
