"""A socket whose state waits for its client when the connection is lost."""

from __future__ import annotations

from collections.abc import Awaitable
from threading import get_ident
from typing import Any

from ..addressing.delivery import NORMAL, Delivery
from ..addressing.ids import owner_of
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..engineio import Frame, Reason
from ..exceptions import TooManyRooms
from ..packets import EncodedPacket
from ..runtime.awaitables import DONE
from .endpoint import CONNECTED, CONNECTING, LEFT
from .socket import Socket
from .waiting import Session

# As RECOVERABLE_DISCONNECT_REASONS of Node's socket.ts.
RECOVERABLE = frozenset(
    {
        Reason.TRANSPORT_ERROR,
        Reason.TRANSPORT_CLOSE,
        Reason.FORCED_CLOSE,
        Reason.PING_TIMEOUT,
        Reason.SHUTTING_DOWN,
        Reason.SERVER_CLOSE,
    }
)


class RecoverableSocket(Socket):
    """See the module's docstring. ``kept`` is its session, see :class:`.waiting.Session`.

    While ``connect`` runs for a client that is back, its session goes on waiting, claimed: what it
    is sent is kept in order with all the rest, also what ``connect`` sends. :meth:`release_held`
    then puts the socket in the session's place, in one step.
    """

    __slots__ = ("_recovered", "_restoring", "kept", "recovery")

    def __init__(self, recovery: Any, *args: Any) -> None:
        super().__init__(*args)
        self.recovery = recovery
        self._recovered = self._restoring = False
        self.kept: Session = recovery.begin(self)

    @property
    def names(self) -> dict[str, str]:
        """The data of the CONNECT that admits the client."""
        return {"sid": self.sid, "pid": self.kept.pid}

    @property
    def recovered(self) -> bool:
        """Whether the state of an earlier connection was restored."""
        return self._recovered

    # The way back

    async def restore(self) -> None:
        """Find the session that the client names, if it may have it, and take its state."""
        session = await self.recovery.find(self)
        if session is None:
            return
        if self.reason is not None:
            session.claimed = False
            return
        self._restoring = self._recovered = True
        self.kept = session
        self.sid = session.sid
        self.data = dict(session.data)
        own = self.recovery.own_rooms(self)
        self.rooms = {room for room in session.rooms if room != self.sid and room not in own}

    def add_to_index(self, own_rooms: tuple[Room, ...]) -> None:
        if owner_of(self.sid) != self.local.node:
            # Others send what is for this sid to the process that it names, unless it is a room.
            own_rooms = (*own_rooms, self.sid)
        if self._restoring:
            self.own_rooms = own_rooms
        else:
            super().add_to_index(own_rooms)

    def remove_from_index(self) -> None:
        if self._restoring:
            self._give_back()
        else:
            super().remove_from_index()

    def release_held(self) -> list[tuple[Frame, ...]]:
        if self.reason is None:
            self.recovery.sockets[self.kept.pid] = self
        if not self._restoring:
            return super().release_held()
        super().release_held()
        if self.reason is not None:
            self._give_back()
            return []
        self._restoring = False
        missed = self.recovery.missed(self)
        for room in self.rooms:
            self.local.join_room(self, self.namespace, room)
        super().add_to_index(self.own_rooms)
        self.recovery.resume(self)
        if missed is None:
            self.client.abort(Reason.TRANSPORT_ERROR, "what the client has missed was dropped")
            return []
        return [self.local.make_frames(kept.packet, kept.compress) for kept in missed]

    def _give_back(self) -> None:
        """Let the session wait on, or end it: its client has not come in."""
        self._restoring = False
        self.recovery.unclaim(self.kept, self.reason in RECOVERABLE)

    # Rooms

    def join_rooms(self, rooms: list[Room]) -> Awaitable[None]:
        if not self._restoring:
            joining = super().join_rooms(rooms)
            for room in rooms:
                if room in self.rooms:
                    self.kept.rooms.setdefault(room, self.recovery.waiting.log.position)
            return joining
        if self.reason is None:
            new = [room for room in dict.fromkeys(rooms) if room not in self.rooms]
            if len(self.rooms) + len(new) > self.local.settings.max_rooms:
                raise TooManyRooms("too many rooms")
            for room in new:
                if room != self.sid:
                    self.rooms = {*self.rooms, room}
                    self._joins(self.recovery.join(self.kept, room))
        return self._joining or DONE

    def leave_rooms(self, rooms: list[Room]) -> Awaitable[None]:
        if not self._restoring:
            for room in rooms:
                self.kept.rooms.pop(room, None)
            return super().leave_rooms(rooms)
        for room in rooms:
            if room in self.rooms and self.reason is None:
                self.rooms = self.rooms - {room}
                if room not in self.own_rooms:
                    self.recovery.waiting.leave(self.kept, room)
        return DONE

    # Packets

    def send(self, packet: EncodedPacket, delivery: Delivery = NORMAL) -> Awaitable[Any]:
        runtime = self.local.runtime
        if get_ident() == runtime.thread and runtime.loop.is_running():  # as runtime.here()
            return self._send(packet, delivery)
        return runtime.post(self._send, packet, delivery)

    def _send(self, packet: EncodedPacket, delivery: Delivery) -> Awaitable[Any]:
        target = Target(self.namespace, (self.sid,))
        if self.state is LEFT:
            # The client may be back by now, with another socket or in another process.
            late: Awaitable[Any] = self.recovery.send_after_loss(target, packet, delivery)
            return late
        packet = self.recovery.mark(target, packet, delivery, wanted=True)
        if self._restoring:
            return DONE
        return self._deliver(self.local.make_frames(packet, delivery.compress), delivery.volatile)

    # The end

    def leave_namespace(self, reason: str) -> None:
        if self.recovery.sockets.get(self.kept.pid) is self:
            del self.recovery.sockets[self.kept.pid]
        if self.reason is None and self.state is CONNECTED and reason in RECOVERABLE:
            self.recovery.lose(self.kept, self)
        lost = self.reason is None and self.state is CONNECTING and self._restoring
        super().leave_namespace(reason)
        if lost:
            self._give_back()
