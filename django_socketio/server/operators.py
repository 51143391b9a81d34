"""``io`` and all that chains from it; and what it fetches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from ..addressing.delivery import Action, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.outcomes import NOBODY as NO_ANSWERS
from ..addressing.outcomes import Answered, Outcome
from ..addressing.rooms import NOBODY, as_room, check_room
from ..addressing.target import Target
from ..conf import get_settings
from ..exceptions import AckTimeout
from ..logs import safe
from ..packets import EncodedPacket
from ..runtime.awaitables import DONE
from ..signals import event_sent
from .answers import as_they_come
from .counting import Counting
from .hub import Hub
from .hubs import block, must_not_block, on_all_hubs, on_each_hub
from .namespaces import normalise
from .registry import registry
from .sent import tell_sent


class Operator(Counting):
    """Some sockets of a namespace, in all processes, and what can be done with them.

    ``io`` addresses all sockets of the namespace "/"; :meth:`of`, :meth:`to` and :meth:`exclude`
    choose others. Everything works in any thread, with or without an event loop.

    What only sends is a plain call. It takes effect in calling order and returns an awaitable:
    ignore it, or await it until the message is handed over (clients' buffers are below their
    low-water marks, and the channel layer has taken the message). In a process that serves no
    clients it blocks until then, and raises ConnectionError when the channel layer is down for ten
    seconds, ImproperlyConfigured when no channel layer is shared.

    What waits for an answer has two names, as in Django's ORM: ``call`` blocks, and ``acall`` is
    awaited. The blocking one raises SynchronousOnlyOperation on an event loop's thread, and
    TooManyWaiting in a handler when it has waited longest of ``MAX_WAITING_THREADS``.

    Socket.IO's counterpart: https://socket.io/docs/v4/server-instance/#utility-methods
    """

    __slots__ = ()

    def of(self, namespace: str | type) -> Operator:
        """Return an operator for all sockets of a namespace, such as ``io.of("/chat")``.

        A consumer class stands for the namespace that it serves; for all of them where they are
        several, as those of ``register("/doc-<int:pk>")``, of which ``of("/doc-7")`` is one.

        Rooms belong to a namespace, so those named before are dropped, the excluded ones too. The
        options (``volatile``, ``local``, ``timeout``, ``compress``, ``on_commit``) are kept. Raises
        LookupError for a class that is not registered, TypeError for anything else. See
        https://socket.io/docs/v4/namespaces/#dynamic-namespaces
        """
        if isinstance(namespace, type):
            return self._of(registry.namespace_of(namespace))
        if not isinstance(namespace, str):
            raise TypeError(f"a namespace is text or a consumer class, not {namespace!r}")
        return self._of(normalise(namespace))

    @property
    def everywhere(self) -> Operator:
        """An operator for all sockets of all namespaces, with the same options.

        Rooms of one name are then one room: ``io.everywhere.to(user)`` are all sockets of a user.
        """
        return self._of("")

    def _of(self, namespace: str) -> Operator:
        new = self._with("_namespace", namespace)
        new._rooms = new._exclude = ()
        return new

    def to(self, *rooms: Any) -> Operator:
        """Return an operator for the members of any of these rooms, and of those named before.

        A room is its name, an sid (the room of one socket), or a user (the room of all sockets of
        that user). A socket in two of the rooms gets an event once. Without any room, ``to()``
        addresses nobody. Raises TypeError for anything else, ValueError for an anonymous user. See
        https://socket.io/docs/v4/rooms/
        """
        before = () if self._rooms is NOBODY else self._rooms
        return self._with("_rooms", (*before, *map(as_room, rooms)) or NOBODY)

    def exclude(self, *rooms: Any) -> Operator:
        """Return the same without the members of these rooms, which are as in :meth:`to`.

        Socket.IO calls it ``except``, which is a keyword of Python:
        https://socket.io/docs/v4/server-api/#serverexceptrooms
        """
        return self._with("_exclude", (*self._exclude, *map(as_room, rooms)))

    # What is sent

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the sockets. bytes anywhere in ``args`` become binary attachments.

        Raises ValueError for a reserved event name, TypeError for arguments that JSON cannot hold.
        See https://socket.io/docs/v4/broadcasting-events/
        """
        packet = self._encode(event, args)
        target, delivery = self._target, self._delivery
        if event_sent.receivers and self._rooms is not NOBODY:
            return self._when_due(lambda: _emit_and_tell(target, packet, delivery, event, args))
        return self._act(lambda hub: hub.emit(target, packet, delivery))

    def send(self, *args: Any) -> Awaitable[Any]:
        """Send the event "message"; see :meth:`emit`."""
        return self.emit("message", *args)

    def sockets_join(self, *rooms: Any) -> Awaitable[Any]:
        """Make the sockets join rooms, which are named by text.

        Raises TypeError for other rooms, LimitExceeded for a name of more than
        ``MAX_ROOM_NAME_LENGTH`` characters. See
        https://socket.io/docs/v4/server-instance/#socketsjoin
        """
        longest = get_settings().max_room_name_length
        return self._each(Action.JOIN, [check_room(room, longest) for room in rooms])

    def sockets_leave(self, *rooms: Any) -> Awaitable[Any]:
        """Make the sockets leave rooms, which are named by text. Raises TypeError for other rooms.

        See https://socket.io/docs/v4/server-instance/#socketsleave
        """
        return self._each(Action.LEAVE, [as_room(room) for room in rooms])

    def disconnect_sockets(self, close: bool = False) -> Awaitable[Any]:
        """Disconnect the sockets from the namespace; with ``close`` end their whole connections.

        See https://socket.io/docs/v4/server-instance/#disconnectsockets
        """
        return self._each(Action.DISCONNECT if close else Action.CLOSE, [])

    def server_side_emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send Django's signal ``server_event`` in every other process, with this namespace.

        See https://socket.io/docs/v4/server-instance/#serversideemit
        """
        packet = self._encode_for_servers(event, args)
        namespace = self._namespace

        def emit(hub: Hub) -> Awaitable[Any]:
            return hub.others.server_emit(namespace, packet) or DONE

        return self._when_due(lambda: on_all_hubs(emit))

    # What waits for an answer

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for an acknowledgement from every socket.

        Returns a list with one entry per socket, in any order: None, one value or a tuple. It is
        empty where there are no sockets. Raises AckTimeout, which has the answers that did come,
        when some are missing; TypeError after ``on_commit``. See
        https://socket.io/docs/v4/emitting-events/#acknowledgements
        """
        must_not_block("acall")
        return block(lambda: self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        return (await self._ask(event, args)).all()

    async def _ask(self, event: str, args: tuple[Any, ...]) -> Outcome:
        self._refuse_on_commit("acall")
        question = self._encode(event, args, 0)
        if event_sent.receivers and self._rooms is not NOBODY:
            tell_sent(self._target, event, args)
        return await self._put(question)

    async def _put(self, question: EncodedPacket, answered: Answered | None = None) -> Outcome:
        """Put a question to the sockets; see :meth:`.Hub.ask`."""
        if self._rooms is NOBODY:
            return NO_ANSWERS
        target, delivery, seconds = self._target, self._delivery, self._seconds()
        return sum(
            await on_each_hub(lambda hub: hub.ask(target, question, delivery, seconds, answered)),
            NO_ANSWERS,
        )

    def answers(self, event: str, *args: Any) -> AsyncIterator[tuple[str, Any]]:
        """Send an event and return an async iterator of the acknowledgements as they come.

        Each item is an sid and what its client answered: None, one value or a tuple. After the last
        one AckTimeout is raised if some are missing; it has ``missing``, but no ``answers``. Raises
        TypeError after ``on_commit``.
        """
        self._refuse_on_commit("answers")
        question = self._encode(event, args, 0)
        if event_sent.receivers and self._rooms is not NOBODY:
            tell_sent(self._target, event, args)
        return as_they_come(lambda answered: self._put(question, answered))

    def fetch_sockets(self) -> Fetched:
        """Return the sockets as they are now, in any order. Raises TypeError after ``on_commit``.

        The list has the attribute ``missing``, the number of processes that did not answer. See
        https://socket.io/docs/v4/server-instance/#fetchsockets
        """
        must_not_block("afetch_sockets")
        return block(self.afetch_sockets)

    async def afetch_sockets(self) -> Fetched:
        """As :meth:`fetch_sockets`, awaited."""
        self._refuse_on_commit("afetch_sockets")
        sockets = Fetched()
        if self._rooms is not NOBODY:
            target = self._target
            for found, silent in await on_each_hub(lambda hub: hub.fetch(target)):
                sockets += [RemoteSocket(one, Operator(one.namespace)) for one in found]
                sockets.missing += len(silent)
        return sockets

    def server_side_call(self, event: str, *args: Any) -> list[Any]:
        """Send the signal ``server_event`` and wait for what the receivers return.

        Returns all of it as one list, in any order. Raises AckTimeout when a process has not
        answered in time, TypeError after ``on_commit``. See :meth:`server_side_emit`.
        """
        must_not_block("aserver_side_call")
        return block(lambda: self.aserver_side_call(event, *args))

    async def aserver_side_call(self, event: str, *args: Any) -> list[Any]:
        """As :meth:`server_side_call`, awaited."""
        self._refuse_on_commit("aserver_side_call")
        packet = self._encode_for_servers(event, args)
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
        """Encode an event, once for all sockets that get it; see :class:`.Target`."""
        namespace = self._namespace if self._namespace[:1] == "/" else "/"
        return get_settings().encoder.event(namespace, event, args, ack_id)

    def _encode_for_servers(self, event: str, args: tuple[Any, ...]) -> EncodedPacket:
        if self._target.is_wide:
            raise TypeError("servers are told of one namespace: io.of(...) with its name")
        return self._encode(event, args)

    def _act(self, function: Callable[[Hub], Awaitable[Any]]) -> Awaitable[Any]:
        if self._rooms is NOBODY:
            return DONE
        return self._when_due(lambda: on_all_hubs(function))

    def _each(self, action: Action, names: list[Any]) -> Awaitable[Any]:
        if any(not isinstance(name, str) for name in names):
            raise TypeError("sockets join and leave rooms by name")
        target = self._target
        return self._act(lambda hub: hub.act(target, action, names))


io = Operator()


def _emit_and_tell(
    target: Target, packet: EncodedPacket, delivery: Delivery, event: str, args: tuple[Any, ...]
) -> Awaitable[Any]:
    sent = on_all_hubs(lambda hub: hub.emit(target, packet, delivery))
    tell_sent(target, event, args)
    return sent


class RemoteSocket:
    """A socket of any process, as it was when :meth:`Operator.fetch_sockets` found it.

    ``sid`` is its id, ``namespace`` an operator for its namespace, ``rooms`` a frozenset of the
    rooms' names, ``data`` what its consumer keeps in ``self.data``, ``handshake`` the request that
    it connected with, ``user_id`` its user's primary key (None for an anonymous user), and
    ``transport`` "polling" or "websocket". The handshake of a socket in another process has no
    cookies, no tokens and no ``auth`` unless ``SOCKETIO["SHARE_CREDENTIALS"]`` is True.

    What only sends returns an awaitable, as in :class:`Operator`; nothing happens if the socket has
    left meanwhile. See https://socket.io/docs/v4/server-instance/#fetchsockets
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
        """Leave out ``handshake`` and ``data``, which may hold what must not get into a log."""
        return (
            f"<RemoteSocket {self.sid} namespace={safe(self.namespace.name)} "
            f"user_id={self.user_id!r} transport={self.transport}>"
        )

    @property
    def _operator(self) -> Operator:
        return self.namespace.to(self.sid)

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the socket; see :meth:`Operator.emit`."""
        return self._operator.emit(event, *args)

    def timeout(self, seconds: float) -> RemoteSocket:
        """Return the same, where an acknowledgement may take so many seconds."""
        return RemoteSocket(self._description, self.namespace.timeout(seconds))

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the acknowledgement of the socket.

        Returns None for one without arguments, the argument where there is one, else a tuple.
        Raises AckTimeout when it does not come in time, Disconnected when the socket leaves or has
        left, SynchronousOnlyOperation on an event loop's thread.
        """
        must_not_block("acall")
        return block(lambda: self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        return (await self._operator._ask(event, args)).one()

    def join(self, *rooms: Any) -> Awaitable[Any]:
        """Make the socket join rooms; see :meth:`Operator.sockets_join`."""
        return self._operator.sockets_join(*rooms)

    def leave(self, *rooms: Any) -> Awaitable[Any]:
        """Make the socket leave rooms; see :meth:`Operator.sockets_leave`."""
        return self._operator.sockets_leave(*rooms)

    def close(self, transport: bool = False) -> Awaitable[Any]:
        """Disconnect the client from the namespace; with ``transport`` end its whole connection."""
        return self._operator.disconnect_sockets(close=transport)


class Fetched(list[RemoteSocket]):
    """The sockets that were fetched; ``missing`` is how many processes did not answer."""

    missing = 0
