"""``io`` and everything that chains from it: to whom, how, and what is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import transaction

from ..addressing.rooms import Room, as_room
from ..addressing.target import Target
from ..conf import get_settings
from ..exceptions import AckTimeout
from ..packets import EncodedPacket
from ..runtime.awaitables import DONE
from ..sockets.acks import Outcome
from ..sockets.frames import make_frames
from .hub import Hub
from .hubs import block, must_not_block, on_all_hubs, on_each_hub
from .registry import normalise
from .remote import RemoteSocket

if TYPE_CHECKING:
    from .consumers import SocketIOConsumer

Self = TypeVar("Self", bound="Operator")


class Operator:
    """Some sockets of a namespace: all, or those in the rooms that :meth:`to` names.

    Operators chain and never change what they are called on. They work in any thread, with or
    without an event loop. What only sends is a plain call that returns an awaitable: ignore it, or
    await it until the message is handed over.
    """

    __slots__ = (
        "_compress",
        "_exclude",
        "_local",
        "_namespace",
        "_on_commit",
        "_rooms",
        "_timeout",
        "_volatile",
    )

    def __init__(
        self, namespace: str = "/", rooms: tuple[Room, ...] = (), exclude: tuple[Room, ...] = ()
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._exclude = exclude
        self._volatile = False
        self._local = False
        self._compress = True
        self._on_commit = False
        self._timeout: float | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._namespace} to={self._rooms} exclude={self._exclude}>"

    def _copy(self: Self) -> Self:
        new = object.__new__(type(self))
        for cls in type(self).__mro__:
            for slot in getattr(cls, "__slots__", ()):
                setattr(new, slot, getattr(self, slot))
        return new

    def _with(self: Self, name: str, value: Any) -> Self:
        new = self._copy()
        setattr(new, name, value)
        return new

    # To whom and how

    @property
    def name(self) -> str:
        """The namespace's name."""
        return self._namespace

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

    @property
    def volatile(self: Self) -> Self:
        """What is sent may be dropped for clients that cannot take it at once."""
        return self._with("_volatile", True)

    @property
    def local(self: Self) -> Self:
        """Only the sockets of this process."""
        return self._with("_local", True)

    @property
    def on_commit(self: Self) -> Self:
        """Send when the current database transaction commits; at once if there is none."""
        return self._with("_on_commit", True)

    def timeout(self: Self, seconds: float) -> Self:
        """Wait at most so long for acknowledgements; ``SOCKETIO["ACK_TIMEOUT"]`` by default."""
        return self._with("_timeout", float(seconds))

    def compress(self: Self, compress: bool) -> Self:
        """Whether what is sent may be compressed (HTTP long-polling)."""
        return self._with("_compress", bool(compress))

    # What is sent

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event. bytes anywhere in ``args`` become binary attachments.

        Raises ValueError for a reserved event name, TypeError for what JSON cannot hold.
        """
        packet = self._encode(event, args)
        target, compress, volatile = self._target, self._compress, self._volatile
        return self._act(lambda hub: hub.emit(target, packet, compress, volatile))

    def send(self, *args: Any) -> Awaitable[Any]:
        """``emit("message", ...)``."""
        return self.emit("message", *args)

    def sockets_join(self, *rooms: Any) -> Awaitable[Any]:
        """Make the addressed sockets enter rooms."""
        from .consumers import check_room

        longest = get_settings().max_room_name_length
        return self._each("join", [check_room(room, longest) for room in rooms])

    def sockets_leave(self, *rooms: Any) -> Awaitable[Any]:
        """Make the addressed sockets leave rooms."""
        return self._each("leave", [as_room(room) for room in rooms])

    def disconnect_sockets(self, close: bool = False) -> Awaitable[Any]:
        """Make the addressed sockets leave the namespace; with ``close`` end their connections."""
        return self._each("disconnect" if close else "close", [])

    def server_side_emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send Django's signal ``server_event`` in the other processes."""
        packet = self._encode(event, args)
        namespace = self._namespace

        def emit(hub: Hub) -> Awaitable[Any]:
            return DONE if hub.network is None else hub.network.server_emit(namespace, packet)

        return self._act(emit)

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
        target, compress, seconds = self._target, self._compress, self._seconds()
        outcomes = await on_each_hub(lambda hub: hub.ask(target, packet, compress, seconds))
        return sum(outcomes, Outcome([], 0, 0))

    def fetch_sockets(self) -> list[RemoteSocket]:
        """The addressed sockets, as they are now. Blocks; not for an event loop's thread."""
        must_not_block("afetch_sockets")
        return block(self.afetch_sockets)

    async def afetch_sockets(self) -> list[RemoteSocket]:
        """As :meth:`fetch_sockets`, awaited."""
        self._now("afetch_sockets")

        target = self._target
        return list(chain.from_iterable(await on_each_hub(lambda hub: hub.fetch(target))))

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

        async def ask(hub: Hub) -> tuple[list[Any], set[str]]:
            if hub.network is None:
                return [], set()
            return await hub.network.server_call(namespace, packet, seconds)

        parts = await on_each_hub(ask)
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

    @property
    def _target(self) -> Target:
        return Target(self._namespace, self._rooms, self._exclude, self._local)

    def _act(self, function: Callable[[Hub], Awaitable[Any]]) -> Awaitable[Any]:
        return self._when_due(lambda: on_all_hubs(function))

    def _when_due(self, act: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        """Act now or, where ``on_commit`` was asked for, when the current transaction commits."""
        # A thread without a connection has no transaction; a loop's thread may not even ask Django.
        if self._on_commit and transaction.get_connection().connection is not None:
            transaction.on_commit(act)
            return DONE
        return act()

    def _each(self, action: str, names: list[Any]) -> Awaitable[Any]:
        if any(not isinstance(name, str) for name in names):
            raise TypeError("sockets join and leave rooms by name")
        target = self._target
        return self._act(lambda hub: hub.act(target, action, names))

    def _now(self, name: str) -> None:
        if self._on_commit:
            raise TypeError(f"{name}() waits for an answer, so it cannot wait for a commit")


class SocketOperator(Operator):
    """One socket itself, with operators: ``self.timeout(5).acall(...)``.

    ``to``, ``broadcast`` and ``exclude`` turn to the others.
    """

    __slots__ = ("_socket",)

    def __init__(self, socket: SocketIOConsumer) -> None:
        super().__init__(socket._namespace, rooms=(socket.sid,))
        self._socket = socket

    @property
    def broadcast(self) -> Operator:
        """Everyone in the namespace but the socket."""
        others = Operator(self._namespace, exclude=(self._socket.sid,))
        others._volatile, others._timeout = self._volatile, self._timeout
        others._compress, others._on_commit = self._compress, self._on_commit
        others._local = self._local
        return others

    def of(self, namespace: str) -> Operator:
        """Everyone in that namespace."""
        return self.broadcast.of(namespace)

    def to(self, *rooms: Any) -> Operator:
        """The members of any of these rooms but the socket."""
        return self.broadcast.to(*rooms)

    def exclude(self, *rooms: Any) -> Operator:
        """Everyone but the socket and the members of these rooms."""
        return self.broadcast.exclude(*rooms)

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the socket."""
        packet = self._encode(event, args)
        return self._when_due(lambda: self._socket._send(packet, self._compress, self._volatile))

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the client's acknowledgement.

        Returns None, one value or a tuple. Raises AckTimeout, or Disconnected when the client
        leaves.
        """
        must_not_block("acall")
        return self._socket._hub.block(self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        self._now("acall")
        socket = self._socket
        ack_id = next(socket._hub.ack_ids)
        packet = self._encode(event, args, ack_id)
        frames = make_frames(packet, self._compress)
        return await socket._hub.on_loop(socket._ask(frames, ack_id, self._seconds()))


io = Operator()
