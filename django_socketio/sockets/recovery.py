"""Connection state recovery: what clients that have lost their connection get back.

https://socket.io/docs/v4/connection-state-recovery; docs/recovery.md is our design.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Any

from ..addressing.delivery import Delivery
from ..addressing.ids import SID_LENGTH
from ..addressing.rooms import Room, user_room
from ..addressing.target import Target
from ..conf import RecoveryOptions, Settings
from ..engineio import Reason
from ..packets import EncodedPacket
from ..runtime.awaitables import DONE
from ..stats import counters
from .handover import Handover
from .identity import identity
from .local import Local
from .members import LocalMembers
from .missed import Kept, Origin, can_be_missed, ends_with_text, with_offset
from .recoverable import RecoverableSocket
from .socket import Socket
from .waiting import TOO_MUCH, TOO_MUCH_IN_ALL, Session, Waiting

# An offset is ours, or was made by another process; in any case it is short.
MAX_OFFSET_LENGTH = 64
# Seconds between two looks at what is over, at most.
LOOK = 5.0
# Seconds for which what arrives may be what another process had already.
SETTLING = 5.0


class Recovery:
    """What a process keeps for clients that may come again. Runs on the loop's own thread.

    ``handover`` asks other processes, and answers them.
    """

    def __init__(self, local: Local[Any], options: RecoveryOptions) -> None:
        self.local = local
        self.options = options
        self.loop = local.runtime.loop
        self.waiting = Waiting(
            local.node, options, window(local.settings), local.release, self._given_up
        )
        self.members = RecoveringMembers(local, self)
        # Those that are connected, by the private ids of their sessions.
        self.sockets: dict[str, RecoverableSocket] = {}
        self.handover = Handover(self)
        local.recovery = self
        local.awaits = self.waiting.awaits
        self.make_socket = partial(RecoverableSocket, self)
        # Sockets that have just come from another process, until when what arrives may be among
        # what that one gave.
        self.settling: dict[RecoverableSocket, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def _given_up(self, reason: str) -> None:
        counters.limits.add(reason)
        self.local.runtime.log.warning("a session is given up: %s", reason, kind=reason)

    # Time

    def watch(self) -> None:
        """Look from time to time for what is over, as long as there is anything."""
        if self._timer is None and (self.settling or not self.waiting.empty):
            delay = min(LOOK, self.options.max_disconnection_duration / 4)
            self._timer = self.loop.call_later(delay, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self.loop.time()
        self.waiting.expire(now)
        for socket, until in list(self.settling.items()):
            if now > until or socket.reason is not None:
                del self.settling[socket]
        self.watch()

    # Packets

    def mark(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        origin: Origin | None = None,
        wanted: bool = False,
    ) -> EncodedPacket:
        """Keep a packet, if it can be missed and somebody here may miss it.

        Returns it as it is to be sent: with its offset. ``wanted`` says that somebody may.
        """
        if not can_be_missed(packet):
            return packet
        if delivery.volatile:
            # Clients take any text at the end for an offset.
            return (
                with_offset(packet, self.waiting.log.offset) if ends_with_text(packet) else packet
            )
        if not wanted and not self._is_wanted(target):
            return packet
        packet = self.waiting.keep(target, packet, delivery.compress, origin, self.loop.time())
        if self._timer is None:
            self.watch()
        return packet

    def _is_wanted(self, target: Target) -> bool:
        found = self.local.namespaces.get(target.namespace)
        if found is None:
            return False
        if not target.rooms:
            return bool(found.sockets) or self.waiting.awaits(target.namespace, None)
        return any(
            room in found.rooms
            or room in found.sockets
            or self.waiting.awaits(target.namespace, room)
            for room in target.rooms
        )

    # Sessions

    def begin(self, socket: Socket) -> Session:
        """Return a new session of a client that connects."""
        _, offset = claim_of(socket.auth)
        position = self.waiting.log.position
        return Session(
            self.local.new_id(), socket.sid, socket.namespace, base=offset, start=position
        )

    def lose(self, session: Session, socket: Socket) -> None:
        """Let a session wait: its socket has lost its connection."""
        self._note_state(session, socket)
        self.waiting.add(session, self.loop.time())
        self.watch()

    def _note_state(self, session: Session, socket: Socket) -> None:
        session.data = socket.data
        session.user = identity(socket.user)
        session.login = socket.client.login
        joined = session.rooms
        rooms = (socket.sid, *socket.rooms, *socket.own_rooms)
        session.rooms = {room: joined.get(room, 0) for room in rooms}

    def connected(self, pid: str, namespace: str) -> Session | None:
        """Return the session of a client that this process takes for connected.

        It comes again where the network, and not the connection, has told it of the loss.
        """
        socket = self.sockets.get(pid)
        if socket is None or socket.namespace != namespace:
            return None
        self._note_state(socket.kept, socket)
        socket.kept.lost_at = self.loop.time()
        return socket.kept

    def end_connection(self, pid: str) -> None:
        """End the connection of a client that has come again, before it was noticed to be lost."""
        socket = self.sockets.get(pid)
        if socket is not None:
            socket.client.abort(Reason.TRANSPORT_CLOSE)

    def join(self, session: Session, room: Room) -> Awaitable[None] | None:
        """Let a session that waits be in one more room. Returns as :meth:`.Local.join_room`."""
        is_new = not self.waiting.awaits(session.namespace, room)
        self.waiting.join(session, room)
        return self.local.hold(session.namespace, room, session.sid) if is_new else None

    def unclaim(self, session: Session, recoverable: bool) -> None:
        """Let a session wait on whose client is gone again, or end it."""
        session.claimed = False
        if not recoverable:
            self.waiting.remove(session)
            self.waiting.drop_part(session)

    def missed(self, socket: RecoverableSocket) -> list[Kept] | None:
        """Return what a client has missed that is back; None if that was dropped meanwhile."""
        session = socket.kept
        if session.pid not in self.waiting.sessions:
            return None
        return self.waiting.missed(session, claim_of(socket.auth)[1])

    def resume(self, socket: RecoverableSocket) -> None:
        """Note that a socket has taken the place of its session."""
        self.waiting.resume(socket.kept, claim_of(socket.auth)[1])
        if socket.kept.part is not None:
            self.settling[socket] = self.loop.time() + SETTLING
            self.watch()

    def without_repeated(self, target: Target, origin: Origin) -> Target:
        """Return the target without sockets that another process has given this packet.

        It comes late here where the layer lost something, or where this process has just joined.
        """
        have = [
            socket.sid
            for socket in self.settling
            if socket.kept.part is not None and origin in socket.kept.part.origins
        ]
        return target._replace(exclude=(*target.exclude, *have)) if have else target

    def own_rooms(self, socket: Socket) -> tuple[Room, ...]:
        """Return the rooms in which a socket is without having joined them: its user's."""
        room = user_room(socket.user)
        return () if room is None else (room,)

    def send_after_loss(
        self, target: Target, packet: EncodedPacket, delivery: Delivery
    ) -> Awaitable[None]:
        """Send what a handler sends whose client has lost its connection."""
        if can_be_missed(packet):
            self.members.deliver(target, packet, delivery)
            self.local.others.emit(target, packet, delivery)
        return DONE

    async def find(self, socket: Socket) -> Session | None:
        """Return the session that the client of a socket names, claimed; None if there is none.

        It is that of the same user, in the same namespace, whose missed packets are all there.
        """
        pid, offset = claim_of(socket.auth)
        if pid is None:
            return None
        known = self.connected(pid, socket.namespace)
        if known is not None and known.user == identity(socket.user):
            self.end_connection(pid)
        session = self.waiting.find(pid, socket.namespace, self.loop.time())
        if session is None:
            return await self.handover.fetch(socket, pid, offset)
        if session.user != identity(socket.user):
            return None
        missed = self.waiting.missed(session, offset)
        if missed is None or self.waiting.too_much(missed):
            self.waiting.give_up(session, self.why(missed))
            return None
        session.claimed = True
        return session

    def why(self, missed: list[Kept] | None) -> str:
        """Return why a session is given up that has missed this, or nobody knows what."""
        return TOO_MUCH_IN_ALL if missed is None else TOO_MUCH

    def log_out(self, logins: list[str], user: str) -> None:
        """End the sessions of logins, and of a user; see :meth:`.Logins.end`."""
        self.waiting.log_out(logins, user)


class RecoveringMembers(LocalMembers):
    """:class:`~.members.LocalMembers` where what clients may miss is kept."""

    def __init__(self, local: Local[Socket], recovery: Recovery) -> None:
        super().__init__(local)
        self._recovery = recovery

    def deliver(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> Awaitable[None]:
        if not target.is_wide:
            if self.origin is not None and self._recovery.settling:
                target = self._recovery.without_repeated(target, self.origin)
            packet = self._recovery.mark(target, packet, delivery, self.origin)
        return super().deliver(target, packet, delivery)

    def log_out(self, logins: list[str], user: str) -> None:
        super().log_out(logins, user)
        self._recovery.log_out(logins, user)


def claim_of(auth: Any) -> tuple[str | None, str | None]:
    """Return the private id and the offset that a client has sent with CONNECT, None for each.

    Without an offset the client has seen no event yet; with what is none it claims nothing.
    """
    if not isinstance(auth, dict):
        return None, None
    pid, offset = auth.get("pid"), auth.get("offset")
    if offset is not None and not (
        isinstance(offset, str) and 0 < len(offset) <= MAX_OFFSET_LENGTH
    ):
        return None, None
    return (pid if isinstance(pid, str) and len(pid) == SID_LENGTH else None), offset


def window(settings: Settings) -> float:
    """Return how long before its end a session's client may have been gone, in seconds.

    All that was sent before the last ping that it answered has reached it, for packets keep their
    order.
    """
    return settings.ping_interval + 2 * settings.ping_timeout + 2
