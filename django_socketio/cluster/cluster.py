"""The other processes on a shared channel layer: what this process tells and asks them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..addressing.delivery import Action, Delivery
from ..addressing.ids import owner_of
from ..addressing.rooms import Room
from ..addressing.target import Target, name_to_wire
from ..conf import Settings
from ..packets import EncodedPacket
from ..runtime.runtime import Runtime
from ..stats import counters
from .bus import Bus
from .carried import size_of
from .handovers import Handovers
from .membership import Membership
from .messages import CARRIED, EVERYONE, UNCOMPRESSED, VOLATILE, Kind
from .peers import Peers
from .ports import Members
from .presence import IGNORED, Presence
from .progress import Milestone
from .questions import Questions
from .requests import Requests
from .routing import Router, group_of
from .tunnels import Accept, Tunnels
from .visits import Visits

# Seconds that messages wait at most for what is missing before them, without progress.
LONGEST_PATIENCE = 30.0


class Cluster:
    """:class:`~.ports.Others` on a channel layer that processes share; its docstrings are there.

    ``accept`` serves the tunnels that other processes open to this one; without it none is served.
    """

    shared = True

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        layer: Any,
        node: str,
        members: Members,
        accept: Accept | None = None,
    ) -> None:
        self._node = node
        self.peers = Peers(settings.heartbeat_timeout)
        self.bus = Bus(
            layer,
            node,
            self._receive,
            self._lost,
            settings.max_layer_buffer_size,
            settings.max_resend_buffer_size,
            min(5 * settings.heartbeat_timeout, LONGEST_PATIENCE),
        )
        self.visits = Visits(self.bus, self.peers)
        numbered = settings.recovery is not None
        self.router = Router(node, self.bus, self.peers, self.visits, runtime.loop, numbered)
        self.membership = Membership(
            runtime,
            settings,
            self.bus,
            self.peers,
            self._departed,
            getattr(layer, "group_expiry", None) or None,  # 0: they do not end
        )
        self.tunnels = Tunnels(
            self.router.to_tunnel,
            self.bus.has_room,
            self.membership.meet,
            self.peers.last_sign,
            runtime.spawn,
            accept,
        )
        self.membership.tunnels = self.tunnels
        self.bus.when_room_is_made(self.tunnels.go_on)
        self.membership.visits = self.visits
        self.questions = Questions(
            runtime, settings.codec, self.router, self.membership, self.peers, node
        )
        self.handovers = Handovers(runtime, self.bus, self.router, self.peers, self.visits)
        requests = Requests(runtime, settings, members, self.router)
        self._loop = runtime.loop
        self._log = runtime.log
        self._stopped = False
        self._handlers: dict[int, Callable[..., None]] = {
            **self.bus.mending.handlers,
            **requests.handlers,
            **self.questions.handlers,
            **self.membership.handlers,
            **self.tunnels.handlers,
            **self.visits.handlers,
            **IGNORED,
            **self.handovers.handlers,
        }
        self._presence: Presence | None = None
        self.greeted = self.membership.greeted
        self.successor = self.membership.successor
        self.fetch = self.questions.fetch
        self.count = self.questions.count
        self.ask = self.questions.ask
        self.server_call = self.questions.server_call
        self.gather = self.questions.gather
        self.seek = self.handovers.seek
        self.sought = self.handovers.sought
        self.take = self.handovers.take
        self.bequeath = self.handovers.bequeath
        self.keep_with = self.handovers.keep_with

    # Life

    def start(self, listen: bool) -> None:
        """Join the others. Without ``listen`` this process only sends, until it first asks them."""
        self.bus.start()
        if listen:
            self.membership.listen()
            self.router.listening = True

    def take_part(self, presence: Presence) -> None:
        self._presence = presence
        self._handlers.update(presence.handlers)
        presence.join(self.bus, self.router, self.peers, self.membership)

    async def stop(self, timeout: float = 1.0) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._presence is not None:
            self._presence.stop()
        self.tunnels.break_all_tunnels()
        self.membership.say_goodbye()
        await self.bus.stop(timeout)

    @property
    def layer_up(self) -> bool:
        return self.bus.up

    def owner(self, sid: str) -> str | None:
        owner = owner_of(sid)
        return None if owner == self._node else owner

    # What is told

    def room_opened(self, namespace: str, room: Room | None, sid: str) -> Awaitable[None]:
        joined = self.bus.join(group_of(namespace, room), sid)
        self.visits.opened(namespace, room)
        return joined

    def room_closed(self, namespace: str, room: Room | None, sid: str) -> None:
        self.bus.leave(group_of(namespace, room), sid)
        self.visits.closed(namespace, room)

    def emit(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> Milestone | None:
        compress, volatile = delivery
        if volatile and self.bus.congested:
            counters.layer.add("volatile dropped")
            return None
        flags = (VOLATILE if volatile else 0) | (0 if compress else UNCOMPRESSED)
        rest = [*target.to_wire(), flags, packet.text, list(packet.attachments)]
        return self.router.to_target(
            target, lambda number: [Kind.EMIT, number, *rest], size_of(packet)
        )

    def act(self, target: Target, action: Action, rooms: list[Room]) -> Milestone | None:
        names = [name_to_wire(room) for room in rooms if isinstance(room, str)]
        rest = [*target.to_wire(), action.value, names]
        taken = self.router.to_target(target, lambda number: [Kind.ACT, number, *rest])
        if action is Action.JOIN and taken is not None:
            self.router.remember_joining("" if target.is_wide else target.namespace, rooms, taken)
        return taken

    def log_out(self, logins: list[str], user: str) -> Milestone:
        return self.bus.to_group(EVERYONE, [Kind.LOGOUT, logins, user])

    def server_emit(self, namespace: str, packet: EncodedPacket) -> Milestone:
        operation = [Kind.SERVER_EVENT, 0, namespace, packet.text, list(packet.attachments)]
        return self.bus.to_group(EVERYONE, operation, len(packet.text))

    # What comes in

    def _receive(self, sender: str, operation: list[Any]) -> None:
        kind, *items = operation
        self.peers.note_sign(sender, self._loop.time())
        handler = self._handlers.get(kind)
        if handler is None:
            counters.layer.add("malformed")  # an ECHO, which a process sends to itself alone
            return
        try:
            handler(sender, *items)
        except Exception as error:
            counters.layer.add("malformed")
            text = "an operation of process %s could not be carried out"
            self._log.failure(error, text, sender)

    def _lost(self, sender: str, group: str) -> None:
        if group == CARRIED:
            self.tunnels.break_tunnels(sender)
        elif self._presence is not None:
            self._presence.ask(sender)

    def _departed(self, node: str) -> None:
        self.tunnels.break_tunnels(node)
        self.questions.departed(node)
        self.visits.departed(node)
        if self._presence is not None:
            self._presence.departed(node)
        self.handovers.departed(node)
