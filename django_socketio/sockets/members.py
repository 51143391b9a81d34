"""What operators of this process, and other processes, do with the sockets of this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..addressing.delivery import Action, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.outcomes import Outcome
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..exceptions import LimitExceeded
from ..packets import EncodedPacket
from ..runtime.announcements import announce
from ..runtime.awaitables import DONE, Drained
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

    def deliver(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> Awaitable[None]:
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

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        asked: Callable[[int], None] | None = None,
        answered: Callable[[Any], None] | None = None,
    ) -> Outcome:
        question = Question(next(self._local.ack_ids), answered)
        sockets = self._local.select(target)
        if asked is not None:
            asked(len(sockets))
        frames = self._local.make_frames(packet.with_id(question.ack_id), delivery.compress)
        return await question.ask(sockets, frames, timeout)

    async def server_event(self, namespace: str, event: str, args: list[Any]) -> list[Any]:
        about = {"namespace": namespace, "event": event, "args": args}
        return await announce(self._local.runtime, server_event, type(self), about)
