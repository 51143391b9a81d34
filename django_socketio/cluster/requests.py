"""What other processes ask of this one; :class:`~.ports.Members` carries it out."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..addressing.delivery import Action, Delivery
from ..addressing.outcomes import as_arguments
from ..addressing.rooms import Room
from ..addressing.target import Target, name_from_wire
from ..conf import Settings
from ..packets import EncodedPacket
from ..runtime.runtime import Runtime
from .carried import decode_data, encoded_event
from .messages import NAMED, UNCOMPRESSED, VOLATILE, Kind
from .ports import Members
from .routing import Router

# How many ids of operations that were sent to several groups are remembered.
REMEMBERED = 10_000
# A question is not kept open for longer than this, in seconds.
LONGEST_QUESTION = 3600.0


class Requests:
    """Carries out what other processes ask, and answers them."""

    def __init__(
        self, runtime: Runtime, settings: Settings, members: Members, router: Router
    ) -> None:
        self._runtime = runtime
        self._codec = settings.codec
        self._encoder = settings.encoder
        self._share_credentials = settings.share_credentials
        self._members = members
        self._router = router
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.EMIT: self._on_emit if settings.recovery is None else self._on_kept_emit,
            Kind.ACT: self._on_act,
            Kind.LOGOUT: self._on_logout,
            Kind.FETCH: self._on_fetch,
            Kind.ASK: self._on_ask,
            Kind.SERVER_EVENT: self._on_server_event,
            Kind.REPORT: self._on_report,
            Kind.COUNT: self._on_count,
        }

    def _seen_before(self, sender: str, number: int) -> bool:
        """Return whether an operation that was sent to several groups has come before.

        ``number`` is 0 for an operation that comes only once.
        """
        if not number:
            return False
        if (sender, number) in self._seen:
            return True
        self._seen[sender, number] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _on_emit(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        flags: int,
        text: str,
        attachments: list[Any],
    ) -> None:
        if not self._seen_before(sender, number):
            target = Target.from_wire(namespace, rooms, exclude)
            packet = encoded_event(_encoded_for(target), text, attachments)
            delivery = Delivery(not flags & UNCOMPRESSED, bool(flags & VOLATILE))
            self._members.deliver(target, packet, delivery)

    def _on_kept_emit(self, sender: str, number: int, *items: Any) -> None:
        self._members.origin = sender, number
        try:
            self._on_emit(sender, number, *items)
        finally:
            self._members.origin = None

    def _on_act(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        action: str,
        names: list[Any],
    ) -> None:
        if not self._seen_before(sender, number):
            wanted: list[Room] = [name_from_wire(name) for name in names]
            target = Target.from_wire(namespace, rooms, exclude)
            self._members.act(target, Action(action), wanted)

    def _on_logout(self, sender: str, logins: list[Any], user: str) -> None:
        if not all(isinstance(login, str) for login in logins):
            raise ValueError("a login is text")
        self._members.log_out(logins, user)

    def _on_fetch(
        self, sender: str, number: int, namespace: str, rooms: list[Any], exclude: list[Any]
    ) -> None:
        sockets = self._members.describe(Target.from_wire(namespace, rooms, exclude))
        credentials = self._share_credentials
        text = self._encoder.json([socket.as_dict(credentials) for socket in sockets])
        self._router.to_node(sender, [Kind.FOUND, number, text], len(text))

    def _on_count(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        users: bool,
    ) -> None:
        found = self._members.count(Target.from_wire(namespace, rooms, exclude), users)
        size = sum(map(len, found.users))
        answer = [Kind.COUNTED, number, found.sockets, list(found.users)]
        self._router.to_node(sender, answer, size)

    def _on_report(self, sender: str, number: int, subject: str, params: str) -> None:
        text = self._encoder.json(self._members.report(subject, json.loads(params)))
        self._router.to_node(sender, [Kind.REPORTED, number, text], len(text))

    def _on_ask(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        flags: int,
        before: str,
        after: str,
        attachments: list[Any],
        timeout: float,
    ) -> None:
        target = Target.from_wire(namespace, rooms, exclude)
        text = f"{before}0{after}"
        packet = encoded_event(_encoded_for(target), text, attachments, "0")
        delivery = Delivery(not flags & UNCOMPRESSED)
        timeout = min(timeout, LONGEST_QUESTION)
        named = bool(flags & NAMED)
        self._runtime.spawn(self._ask(sender, number, target, packet, delivery, timeout, named))

    async def _ask(
        self,
        sender: str,
        number: int,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        named: bool,
    ) -> None:
        """Put another process's question to our sockets; pass on each answer as it comes."""

        def asked(sockets: int) -> None:
            self._router.to_node(sender, [Kind.ASKED, number, sockets])

        def answered(sid: str, answer: Any) -> None:
            head = [Kind.ANSWERED, number, sid] if named else [Kind.ACKED, number]
            self._answer(sender, head, as_arguments(answer))

        outcome = await self._members.ask(target, packet, delivery, timeout, asked, answered)
        self._router.to_node(sender, [Kind.DONE, number, outcome.gone, outcome.silent])

    def _on_server_event(
        self, sender: str, number: int, namespace: str, text: str, attachments: list[Any]
    ) -> None:
        event, *args = decode_data(self._codec, text, attachments)
        self._runtime.spawn(self._announce(sender, number, namespace, event, args))

    async def _announce(
        self, sender: str, number: int, namespace: str, event: str, args: list[Any]
    ) -> None:
        answers = await self._members.server_event(namespace, event, args)
        if number:
            self._answer(sender, [Kind.SERVER_ANSWER, number], answers)

    def _answer(self, node: str, head: list[Any], arguments: list[Any]) -> None:
        """Send an operation to a process: ``head``, then values as an ACK packet."""
        ack = self._encoder.ack("/", arguments, 0)
        self._router.to_node(node, [*head, ack.text, list(ack.attachments)])


def _encoded_for(target: Target) -> str:
    return "/" if target.is_wide else target.namespace
