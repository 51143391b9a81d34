"""``io`` and everything that chains from it: what is sent, and asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Any

from django.db import transaction

from ..addressing.delivery import Action
from ..addressing.descriptions import SocketDescription
from ..addressing.outcomes import NOBODY, Outcome
from ..addressing.rooms import as_room, check_room
from ..conf import get_settings
from ..exceptions import AckTimeout
from ..logs import safe
from ..packets import EncodedPacket
from ..runtime.awaitables import DONE
from .addressees import Addressees
from .hub import Hub
from .hubs import block, must_not_block, on_all_hubs, on_each_hub
from .namespaces import normalise


class Operator(Addressees):
    """Some sockets of a namespace, and what can be done to them.

    It works in any thread, with or without an event loop. What only sends is a plain call that
    returns an awaitable: ignore it, or await it until the message is handed over.
    """

    __slots__ = ()

    def of(self, namespace: str) -> Operator:
        """Everyone in that namespace; ``io.of("/chat")``.

        Rooms belong to a namespace: rooms and exclusions named before are dropped. How it is sent
        (``volatile``, ``local``, ``timeout``, ``compress``, ``on_commit``) is kept.
        """
        new = self._with("_namespace", normalise(namespace))
        new._rooms = new._exclude = ()
        return new

    def to(self, *rooms: Any) -> Operator:
        """The members of any of these rooms; a room is text, an sid, or a user object."""
        return self._with("_rooms", (*self._rooms, *map(as_room, rooms)))

    def exclude(self, *rooms: Any) -> Operator:
        """Not the members of these rooms."""
        return self._with("_exclude", (*self._exclude, *map(as_room, rooms)))

    # What is sent

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event. bytes anywhere in ``args`` become binary attachments.

        Raises ValueError for a reserved event name, TypeError for what JSON cannot hold.
        """
        packet = self._encode(event, args)
        target, delivery = self._target, self._delivery
        return self._act(lambda hub: hub.emit(target, packet, delivery))

    def send(self, *args: Any) -> Awaitable[Any]:
        """``emit("message", ...)``."""
        return self.emit("message", *args)

    def sockets_join(self, *rooms: Any) -> Awaitable[Any]:
        """Make the addressed sockets enter rooms."""
        longest = get_settings().max_room_name_length
        return self._each(Action.JOIN, [check_room(room, longest) for room in rooms])

    def sockets_leave(self, *rooms: Any) -> Awaitable[Any]:
        """Make the addressed sockets leave rooms."""
        return self._each(Action.LEAVE, [as_room(room) for room in rooms])

    def disconnect_sockets(self, close: bool = False) -> Awaitable[Any]:
        """Make the addressed sockets leave the namespace; with ``close`` end their connections."""
        return self._each(Action.DISCONNECT if close else Action.CLOSE, [])

    def server_side_emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send Django's signal ``server_event`` in the other processes."""
        packet = self._encode(event, args)
        namespace = self._namespace

        return self._act(lambda hub: hub.others.server_emit(namespace, packet) or DONE)

    # What waits for an answer

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for everyone's acknowledgement: a list with one entry per socket.

        Raises AckTimeout when some are missing, SynchronousOnlyOperation on an event loop's thread.
        """
        must_not_block("acall")
        return block(lambda: self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        return (await self._ask(event, args)).all()

    async def _ask(self, event: str, args: tuple[Any, ...]) -> Outcome:
        self._now("acall")
        packet = self._encode(event, args, 0)
        target, delivery, seconds = self._target, self._delivery, self._seconds()
        outcomes = await on_each_hub(lambda hub: hub.ask(target, packet, delivery, seconds))
        return sum(outcomes, NOBODY)

    def fetch_sockets(self) -> list[RemoteSocket]:
        """The addressed sockets, as they are now. Blocks; not for an event loop's thread."""
        must_not_block("afetch_sockets")
        return block(self.afetch_sockets)

    async def afetch_sockets(self) -> list[RemoteSocket]:
        """As :meth:`fetch_sockets`, awaited."""
        self._now("afetch_sockets")

        target = self._target
        found = chain.from_iterable(await on_each_hub(lambda hub: hub.fetch(target)))
        return [RemoteSocket(description, Operator(description.namespace)) for description in found]

    def server_side_call(self, event: str, *args: Any) -> list[Any]:
        """As :meth:`server_side_emit`; what the receivers returned, in any order.

        Raises AckTimeout when a process has not answered in time.
        """
        must_not_block("aserver_side_call")
        return block(lambda: self.aserver_side_call(event, *args))

    async def aserver_side_call(self, event: str, *args: Any) -> list[Any]:
        """As :meth:`server_side_call`, awaited."""
        self._now("aserver_side_call")
        packet = self._encode(event, args)
        namespace, seconds = self._namespace, self._seconds()
        parts = await on_each_hub(lambda hub: hub.others.server_call(namespace, packet, seconds))
        answers = [answer for found, _ in parts for answer in found]
        silent = sum(len(nodes) for _, nodes in parts)
        if silent:
            raise AckTimeout(answers, silent)
        return answers

    # Inside

    def _encode(
        self, event: str, args: tuple[Any, ...], ack_id: int | None = None
    ) -> EncodedPacket:
        """Encode an event, once for all who get it."""
        return get_settings().encoder.event(self._namespace, event, args, ack_id)

    def _seconds(self) -> float:
        return get_settings().ack_timeout if self._timeout is None else self._timeout

    def _act(self, function: Callable[[Hub], Awaitable[Any]]) -> Awaitable[Any]:
        return self._when_due(lambda: on_all_hubs(function))

    def _when_due(self, act: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        """Act now or, where ``on_commit`` was asked for, when the current transaction commits."""
        # A thread without a connection has no transaction; a loop's thread may not even ask Django.
        if self._on_commit and transaction.get_connection().connection is not None:
            transaction.on_commit(act)
            return DONE
        return act()

    def _each(self, action: Action, names: list[Any]) -> Awaitable[Any]:
        if any(not isinstance(name, str) for name in names):
            raise TypeError("sockets join and leave rooms by name")
        target = self._target
        return self._act(lambda hub: hub.act(target, action, names))

    def _now(self, name: str) -> None:
        if self._on_commit:
            raise TypeError(f"{name}() waits for an answer, so it cannot wait for a commit")


io = Operator()


class RemoteSocket:
    """A socket of this or another process, as it was when it was fetched.

    ``rooms`` is a frozenset of text, ``data`` what its consumer keeps there, ``user_id`` its user's
    primary key (None for an anonymous one), ``transport`` "polling" or "websocket".
    """

    def __init__(self, description: SocketDescription, namespace: Operator) -> None:
        self.sid = description.sid
        self.namespace = namespace
        self.rooms = description.rooms
        self.data = description.data
        self.handshake = description.handshake
        self.user_id = description.user_id
        self.transport = description.transport
        self._description = description

    def __repr__(self) -> str:
        """Without ``handshake`` and ``data``: they may hold what must not get into a log."""
        return (
            f"<RemoteSocket {self.sid} namespace={safe(self.namespace.name)} "
            f"user_id={self.user_id!r} transport={self.transport}>"
        )

    @property
    def _operator(self) -> Operator:
        return self.namespace.to(self.sid)

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the socket."""
        return self._operator.emit(event, *args)

    def timeout(self, seconds: float) -> RemoteSocket:
        """Wait at most so long for an acknowledgement."""
        return RemoteSocket(self._description, self.namespace.timeout(seconds))

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the acknowledgement: None, one value or a tuple.

        Raises AckTimeout, or Disconnected when the socket has left.
        """
        must_not_block("acall")
        return block(lambda: self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        return (await self._operator._ask(event, args)).one()

    def join(self, *rooms: Any) -> Awaitable[Any]:
        """Make the socket enter rooms."""
        return self._operator.sockets_join(*rooms)

    def leave(self, *rooms: Any) -> Awaitable[Any]:
        """Make the socket leave rooms."""
        return self._operator.sockets_leave(*rooms)

    def close(self, transport: bool = False) -> Awaitable[Any]:
        """Make the client leave the namespace; with ``transport`` end its whole connection."""
        return self._operator.disconnect_sockets(close=transport)
