"""A client's end in a namespace: its state, its rooms, what it is sent and asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from enum import Enum
from threading import get_ident
from typing import Any

from ..addressing.delivery import NORMAL, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.handshake import Handshake, read_handshake
from ..addressing.outcomes import Outcome
from ..addressing.rooms import Room
from ..engineio import Frame, Reason
from ..exceptions import TooManyRooms
from ..packets import (
    LARGE,
    EncodedPacket,
    LargePacket,
    Packet,
    PacketError,
    PacketLimitExceeded,
)
from ..runtime.awaitables import DONE
from ..runtime.log import BurstLog
from ..runtime.threads import turn_to_the_loop
from ..stats import counters
from .acks import Question
from .connection import Connection
from .local import Local

# How long the answer to a client waits for the channel layer to put a socket into its rooms.
JOIN_TIMEOUT = 1.0

# Until a socket joins one; most never do, and a set is large.
NO_ROOMS: frozenset[Room] = frozenset()


class State(Enum):
    """Where a socket is in its life.

    ====================  =========================  ========================================
    from                  to                         when
    ====================  =========================  ========================================
    CONNECTING            CONNECTED                  connect() has let it in
    CONNECTING            LEFT                       connect() has refused it
    CONNECTING            LEAVING                    it leaves, or is sent away, meanwhile
    LEAVING               LEFT                       connect() has returned
    CONNECTED             LEFT                       it leaves, or is sent away
    ====================  =========================  ========================================

    CONNECTING holds back what the socket is sent, for the client does not know yet that it is in;
    the client may send nothing. In LEAVING and LEFT nothing is sent or received.
    """

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LEAVING = "leaving"
    LEFT = "left"


# A global is found faster than an attribute of a class.
CONNECTING, CONNECTED, LEAVING, LEFT = State


class Endpoint:
    """See the module's docstring. Methods are called on the loop's own thread unless they say so.

    ``namespace`` is the namespace's name, ``user`` and ``auth`` whose the socket is and what the
    client sent with CONNECT, ``kwargs`` what a dynamic namespace captured, ``data`` the project's.
    ``reason`` is why it has left, None before. ``own_rooms`` is that of its user.
    """

    __slots__ = (
        "_handshake",
        "_held",
        "_held_size",
        "_joining",
        "_questions",
        "auth",
        "client",
        "data",
        "kwargs",
        "local",
        "namespace",
        "own_rooms",
        "reason",
        "rooms",
        "sid",
        "state",
        "user",
    )

    def __init__(
        self,
        client: Connection,
        local: Local[Any],
        namespace: str,
        auth: dict[str, Any] | None,
        kwargs: dict[str, Any],
    ) -> None:
        self.client = client
        self.local = local
        self.namespace = namespace
        self.sid = client.protocol.new_sid(local, client.session.sid, namespace)
        self.user: Any = client.scope.get("user")
        self.auth = auth
        self.kwargs = kwargs
        self.data: dict[str, Any] = {}
        self.state = CONNECTING
        self.reason: str | None = None
        self.rooms: set[Room] | frozenset[Room] = NO_ROOMS
        self.own_rooms: tuple[Room, ...] = ()
        self._handshake: Handshake | None = None
        # What others still have to hear of before all of a room's messages come here.
        self._joining: Awaitable[None] | None = None
        self._held: list[tuple[Frame, ...]] | None = []
        self._held_size = 0
        self._questions: dict[int, Question] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.sid} {self.namespace} {self.state.value}>"

    # What it is

    @property
    def log(self) -> BurstLog:
        """Where what goes wrong is logged."""
        return self.local.runtime.log

    @property
    def session(self) -> Any:
        """Django's session, None where the project has none."""
        return self.client.scope.get("session")

    @property
    def handshake(self) -> Handshake:
        """Headers, query and address of the request that the client connected with."""
        if self._handshake is None:
            scope, time = self.client.scope, self.client.connected_at
            self._handshake = read_handshake(scope, self.auth, time)
        return self._handshake

    @property
    def detail(self) -> str | None:
        """What ``reason`` does not say of the session's end; None if there is no more to say."""
        session = self.client.session
        return session.detail or None if self.reason == session.close_reason else None

    def room_names(self) -> frozenset[str]:
        """The rooms that have names, its own sid among them."""
        return frozenset([self.sid, *(room for room in self.rooms if isinstance(room, str))])

    def describe(self) -> SocketDescription:
        """Describe the socket as it is now."""
        return SocketDescription(
            sid=self.sid,
            namespace=self.namespace,
            rooms=self.room_names(),
            data=dict(self.data),
            handshake=self.handshake,
            user_id=getattr(self.user, "pk", None),
            transport=self.client.session.transport,
        )

    # Rooms

    def join_rooms(self, rooms: list[Room]) -> Awaitable[None]:
        """Join all of ``rooms``, or none of them.

        Returns an awaitable: what others send to the rooms arrives here from then on. Raises
        TooManyRooms when the socket would be in more than ``MAX_ROOMS``.
        """
        if self.reason is None:
            new = [room for room in dict.fromkeys(rooms) if room not in self.rooms]
            if len(self.rooms) + len(new) > self.local.settings.max_rooms:
                raise TooManyRooms("too many rooms")
            for room in new:
                if room != self.sid:
                    if isinstance(self.rooms, frozenset):
                        self.rooms = set()
                    self.rooms.add(room)
                    self._joins(self.local.join_room(self, self.namespace, room))
        return self._joining or DONE

    def leave_rooms(self, rooms: list[Room]) -> Awaitable[None]:
        """Leave rooms. The socket stays in the room of its user."""
        if self.reason is None:
            for room in rooms:
                if isinstance(self.rooms, set) and room in self.rooms:
                    self.rooms.remove(room)
                    if room not in self.own_rooms:
                        self.local.leave_room(self, self.namespace, room)
        return DONE

    def add_to_index(self, own_rooms: tuple[Room, ...]) -> None:
        """Let emits find this socket, in its namespace and in its user's room."""
        self.own_rooms = own_rooms
        for room in own_rooms:
            self._joins(self.local.join_room(self, self.namespace, room))
        self._joins(self.local.add(self, self.namespace))
        if self.local.watch is not None:
            self.local.watch.came(own_rooms)

    def remove_from_index(self) -> None:
        """Let no emit find this socket any more. ``rooms`` still says where it was."""
        there = self.local.remove(self, self.namespace, (*self.rooms, *self.own_rooms))
        if there and self.local.watch is not None:
            self.local.watch.went(self.own_rooms)

    def _joins(self, joining: Awaitable[None] | None) -> None:
        if joining is not None:
            self._joining = joining

    @property
    def joins(self) -> bool:
        """Whether an answer should :meth:`wait_until_joined`."""
        return self._joining is not None

    async def wait_until_joined(self) -> None:
        """Wait until other processes' messages for the socket's rooms arrive here.

        Waits for at most a second, and not at all while the channel layer is down.
        """
        joining, self._joining = self._joining, None
        if joining is not None and self.local.others.layer_up:
            try:
                await asyncio.wait_for(_until(joining), JOIN_TIMEOUT)
            except asyncio.TimeoutError:
                self.log.warning("the channel layer is slow to join a room")

    # Packets

    def send(self, packet: EncodedPacket, delivery: Delivery = NORMAL) -> Awaitable[Any]:
        """Send a packet to the client, from any thread.

        Returns an awaitable: the client's buffer is below its low-water mark.
        """
        compress, volatile = delivery
        frames = self.local.make_frames(packet, compress)
        runtime = self.local.runtime
        if get_ident() == runtime.thread and runtime.loop.is_running():  # as runtime.here()
            return DONE if self.write(frames, volatile) else self.client.wait_until_drained()
        if sum(frame.size for frame in frames) > LARGE:
            turn_to_the_loop()  # the thread handles no further event before the client has read it
        return runtime.post(self._deliver, frames, volatile)

    def _deliver(self, frames: tuple[Frame, ...], volatile: bool) -> Awaitable[None]:
        return DONE if self.write(frames, volatile) else self.client.wait_until_drained()

    def write(self, frames: tuple[Frame, ...], volatile: bool) -> bool:
        """Write to the client. Returns False when its buffer is above the low-water mark."""
        if self.state is CONNECTED:
            return self.client.send(frames, volatile)
        if self.state is CONNECTING and self._held is not None:
            self._held.append(frames)
            self._held_size += sum(frame.size for frame in frames)
            if self._held_size > self.local.settings.max_write_buffer_size:
                self.client.abort(Reason.TRANSPORT_ERROR, "too much was sent while connect() ran")
        return True

    def release_held(self) -> list[tuple[Frame, ...]]:
        """Return the frames that were held back during ``connect``; later ones are not held."""
        held, self._held = self._held, None
        return held or []

    # Questions to the client

    async def ask(
        self, packet: EncodedPacket, ack_id: int, delivery: Delivery, timeout: float
    ) -> Outcome:
        """Ask this client alone, with an event that was encoded with ``ack_id``.

        ``timeout`` is in seconds. Raises RuntimeError while ``connect`` runs: the client answers
        only when it is in.
        """
        if self.state is CONNECTING or self.state is LEAVING:
            raise RuntimeError("connect() cannot wait for the client, which waits for connect()")
        frames = self.local.make_frames(packet, delivery.compress)
        return await Question(ack_id).ask([self], frames, timeout)

    def expect(self, question: Question) -> bool:
        """Expect an answer. Returns False when the client has left or owes too many answers."""
        if self.reason is not None:
            return False
        if self.client.pending_acks >= self.local.settings.max_pending_acks:
            self.client.violation(PacketLimitExceeded("too many unanswered acknowledgements"))
            return False
        if self._questions is None:
            self._questions = {}
        self._questions[question.ack_id] = question
        self.client.pending_acks += 1
        return True

    def expect_no_more(self, question: Question) -> None:
        """Forget a question: nobody waits for its answer any more."""
        if self._questions and self._questions.pop(question.ack_id, None) is not None:
            self.client.pending_acks -= 1

    def acknowledged(self, packet: Packet) -> None:
        """Take an acknowledgement. As in Node, one that answers no question is ignored."""
        question = self._questions.get(packet.id) if self._questions else None  # type: ignore[arg-type]
        if question is not None:
            if isinstance(packet, LargePacket):
                try:
                    packet.load()
                except PacketError as error:
                    self.client.violation(error)
                    return
            counters.traffic.acks_in += 1
            self.expect_no_more(question)
            question.answer(self, packet.data)

    def abandon_questions(self) -> None:
        """Tell every question that waits for this client that no answer will come."""
        if self._questions:
            for question in list(self._questions.values()):
                question.socket_left(self)
            self.client.pending_acks -= len(self._questions)
            self._questions = None


async def _until(awaitable: Awaitable[Any]) -> None:
    await awaitable
