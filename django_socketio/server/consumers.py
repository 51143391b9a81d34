"""``SocketIOConsumer``: a class per namespace, an instance per connected socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, ParamSpec

from ..addressing.delivery import NORMAL
from ..addressing.handshake import Handshake
from ..addressing.rooms import NOBODY, as_room, check_room
from ..signals import event_sent
from ..sockets.behaviour import Behaviour
from ..sockets.endpoint import CONNECTED
from ..sockets.socket import Socket
from .classes import SOCKET
from .guard import check_class
from .handlers import collect, make_hook
from .operators import Operator
from .sent import tell_sent_to
from .socket_operator import SocketOperator
from .tracebacks import ends_in_project

P = ParamSpec("P")


def _plain_or_async(hook: Callable[P, Any]) -> Callable[P, Any]:
    """Tell type checkers that a subclass may override ``hook`` with ``def`` or ``async def``."""
    return hook


class SocketIOConsumer:
    """Serves one socket of a namespace. Subclass it and :func:`~django_socketio.register` it.

    Each client that connects to the namespace gets an instance of its own. Its event handlers are
    methods with the decorator :func:`~django_socketio.event`, ``async def`` or ``def``; a ``def``
    runs in a worker thread and may use the ORM. The events of one socket are handled one at a time,
    in the order in which they arrived. What a handler returns is the acknowledgement, if the client
    asked for one: no argument for None, several for a tuple, else one.

    What only sends (``emit``, ``join``, ``leave``, ``close``) may be called from any thread, and
    takes effect in calling order. It returns an awaitable: ignore it, or await it until the message
    is handed over.

    Socket.IO's counterpart is the Socket: https://socket.io/docs/v4/server-socket-instance/
    """

    # The public names of this class are the server's, all other names are the project's. The
    # server's state is in one attribute, whose name Python makes from __socket and the name of this
    # class, so that no project hides it by accident.

    #: Whether anonymous users are refused.
    login_required: ClassVar[bool] = False
    #: The permission, or permissions, that the user needs to connect: "app.codename".
    permission_required: ClassVar[str | Iterable[str]] = ()
    #: Whether pydantic checks the arguments of handlers, and ``auth``; None: as ``TYPED`` says.
    typed: ClassVar[bool | None] = None
    #: What ``@event(permission=...)`` is for the handlers that do not say it themselves.
    event_permission: ClassVar[str | Iterable[str] | None] = None
    #: The same of ``@event(throttle=...)``. Each handler counts for itself.
    event_throttle: ClassVar[str | None] = None
    #: The same of ``@event(timeout=...)``, in seconds.
    event_timeout: ClassVar[float | None] = None

    __behaviour: ClassVar[Behaviour]
    __socket: Socket

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_class(cls)
        cls.__behaviour = _make_behaviour(cls)

    # Hooks: a subclass overrides them, with a plain or an async method

    @_plain_or_async
    async def authenticate(self, auth: Any) -> Any:
        """Return the user of this socket; it runs before :meth:`connect`.

        ``auth`` is what the client sent when it connected, or None. By default the user is that of
        Django's session. Override it for tokens in ``auth``; raise ConnectionRefused to refuse the
        client. As ``auth`` in https://socket.io/docs/v4/middlewares/#sending-credentials
        """
        return self.user

    @_plain_or_async
    async def connect(self, auth: Any) -> None:
        """Admit the client by returning None.

        ``auth`` is what the client sent when it connected, or None. Raise ConnectionRefused, or
        Django's PermissionDenied, to refuse the client. What is emitted here to the client arrives
        after it has been admitted; it cannot be asked for an acknowledgement yet.
        """

    @_plain_or_async
    async def ready(self) -> None:
        """Begin: the client has been told that it is in.

        ``io`` reaches the socket here, its sid and its rooms, and it can be asked with
        :meth:`acall`. Its events are handled once this has returned. An exception is logged, and
        the client stays. Node has the listener of "connection" for it:
        https://socket.io/docs/v4/server-instance/#connection
        """

    @_plain_or_async
    async def disconnect(self, reason: str) -> None:
        """Clean up after the client has left; :attr:`rooms` still says where it was.

        ``reason`` is one of https://socket.io/docs/v4/server-socket-instance/#disconnect
        """

    async def receive_event(self, name: str, args: list[Any]) -> Any:
        """Call the handler of an event and return what it returns: the acknowledgement.

        Override it to do something around every event, and call ``super().receive_event(name,
        args)`` for those that are to be handled. Always async. Raises EventRefused for an event
        without a handler, and for arguments that do not fit; raise it to drop an event. As
        https://socket.io/docs/v4/server-socket-instance/#socket-middlewares
        """
        return await self.__socket.call_handler(self, name, args)

    # Attributes

    @property
    def sid(self) -> str:
        """The socket's id, which nobody can guess. It is also the name of a room of its own."""
        return self.__socket.sid

    @property
    def user(self) -> Any:
        """The user: what :meth:`authenticate` returned, by default the user of Django's session."""
        return self.__socket.user

    @user.setter
    def user(self, user: Any) -> None:
        self.__socket.user = user

    @property
    def session(self) -> Any:
        """Django's session; None in a project without sessions."""
        return self.__socket.session

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope of the request that the client connected with, after the middleware."""
        return self.__socket.client.scope

    @property
    def auth(self) -> dict[str, Any] | None:
        """What the client sent with CONNECT, or None."""
        return self.__socket.auth

    @property
    def kwargs(self) -> dict[str, Any]:
        """What the pattern of a dynamic namespace captured, converted as in Django's ``path()``."""
        return self.__socket.kwargs

    @property
    def data(self) -> dict[str, Any]:
        """A dict for the project. Its values must be such that JSON can hold them, since other
        processes read them with ``fetch_sockets``. As ``socket.data`` in
        https://socket.io/docs/v4/server-socket-instance/#socketdata
        """
        return self.__socket.data

    @data.setter
    def data(self, data: dict[str, Any]) -> None:
        self.__socket.data = data

    @property
    def connected(self) -> bool:
        """Whether the client is connected to the namespace now."""
        return self.__socket.state is CONNECTED

    @property
    def recovered(self) -> bool:
        """Whether the state of an earlier connection was restored: sid, rooms, data and packets.

        See https://socket.io/docs/v4/connection-state-recovery
        """
        return self.__socket.recovered

    @property
    def disconnect_detail(self) -> str | None:
        """What the reason of ``disconnect`` does not say, such as "a poll was dropped", or None.

        As ``description`` of Node's event "disconnect".
        """
        return self.__socket.detail

    @property
    def namespace(self) -> Operator:
        """An operator for all sockets of this namespace, as ``io.of(...)`` returns it."""
        return Operator(self.__socket.namespace)

    @property
    def rooms(self) -> frozenset[str]:
        """The names of the socket's rooms, its own sid among them."""
        socket = self.__socket
        runtime = socket.local.runtime
        if not runtime.here() and socket.reason is None:
            # Joins and leaves of this thread may still be on their way to the loop.
            rooms: frozenset[str] = runtime.post(socket.room_names).result()
            return rooms
        return socket.room_names()

    @property
    def handshake(self) -> Handshake:
        """Headers, query, address and time of the request that the client connected with.

        As https://socket.io/docs/v4/server-socket-instance/#sockethandshake
        """
        return self.__socket.handshake

    @property
    def transport(self) -> str:
        """The client's transport now: "polling" or "websocket"."""
        return self.__socket.client.session.transport

    # Methods

    def emit(self, event: str, *args: Any) -> Awaitable[None]:
        """Send an event to this client. bytes anywhere in ``args`` become binary attachments.

        Returns an awaitable: the client's buffer is below its low-water mark. Raises ValueError for
        a reserved event name, TypeError for arguments that JSON cannot hold. See
        https://socket.io/docs/v4/emitting-events/
        """
        socket = self.__socket
        sent = socket.send(socket.local.encoder.event(socket.namespace, event, args), NORMAL)
        if event_sent.receivers:
            tell_sent_to(socket, event, args)
        return sent

    def send(self, *args: Any) -> Awaitable[None]:
        """Send the event "message"; see :meth:`emit`."""
        return self.emit("message", *args)

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for this client's acknowledgement, in a plain ``def`` handler.

        Returns and raises what :meth:`acall` does, and SynchronousOnlyOperation on an event loop's
        thread.
        """
        return SocketOperator(self.__socket).call(event, *args)

    async def acall(self, event: str, *args: Any) -> Any:
        """Send an event and await this client's acknowledgement.

        Returns None for an acknowledgement without arguments, the argument where there is one, else
        a tuple. Raises AckTimeout when it does not come within :meth:`timeout` seconds (by default
        ``SOCKETIO["ACK_TIMEOUT"]``), Disconnected when the client leaves, RuntimeError while
        ``connect`` runs. See https://socket.io/docs/v4/emitting-events/#acknowledgements
        """
        return await SocketOperator(self.__socket).acall(event, *args)

    def acknowledge(self, *args: Any) -> Awaitable[Any]:
        """Answer the event whose handler runs, before the handler has finished.

        ``args`` are the acknowledgement's; what the handler returns after that is dropped. Nothing
        is sent if the client asked for no acknowledgement. Returns an awaitable, as :meth:`emit`
        does. Raises LocalProtocolError outside an event's handler and when the event has been
        answered, TypeError for arguments that JSON cannot hold. Call it in the handler, not in a
        task that goes on after it.
        """
        return self.__socket.acknowledge(args)

    def join(self, *rooms: Any) -> Awaitable[None]:
        """Join rooms: their names, or users, whose room holds all of the user's sockets.

        Returns an awaitable: what other processes send to the rooms arrives here. Raises TypeError
        for what is no room, LimitExceeded for a name of more than ``MAX_ROOM_NAME_LENGTH``
        characters, TooManyRooms past ``MAX_ROOMS``; this last one from a worker thread only when
        the result is awaited. See https://socket.io/docs/v4/rooms/
        """
        socket = self.__socket
        longest = socket.local.settings.max_room_name_length
        wanted = [check_room(room, longest) for room in rooms]
        return socket.local.runtime.run(socket.join_rooms, wanted)

    def leave(self, *rooms: Any) -> Awaitable[None]:
        """Leave rooms; see :meth:`join`. A room that the socket is not in is ignored."""
        socket = self.__socket
        return socket.local.runtime.run(socket.leave_rooms, [as_room(room) for room in rooms])

    def to(self, *rooms: Any) -> Operator:
        """Return an operator for the members of any of these rooms but this socket.

        Without any room, ``to()`` addresses nobody. See https://socket.io/docs/v4/rooms/#joining-and-leaving
        """
        socket = self.__socket
        return Operator(socket.namespace, tuple(map(as_room, rooms)) or NOBODY, (socket.sid,))

    @property
    def broadcast(self) -> Operator:
        """An operator for all sockets of the namespace but this one.

        See https://socket.io/docs/v4/broadcasting-events/
        """
        return Operator(self.__socket.namespace, exclude=(self.__socket.sid,))

    @property
    def local(self) -> Operator:
        """An operator for all sockets of the namespace in this process but this one.

        See https://socket.io/docs/v4/server-api/#socketlocal
        """
        return self.broadcast.local

    def exclude(self, *rooms: Any) -> Operator:
        """Return an operator for all sockets but this one and the members of these rooms.

        Socket.IO calls it ``except``, which is a keyword of Python.
        """
        return self.broadcast.exclude(*rooms)

    @property
    def volatile(self) -> SocketOperator:
        """This socket, where what is emitted may be dropped while the client cannot take it.

        See https://socket.io/docs/v4/emitting-events/#volatile-events
        """
        return SocketOperator(self.__socket).volatile

    def timeout(self, seconds: float) -> SocketOperator:
        """Return this socket, where ``acall`` and ``call`` wait at most so many seconds."""
        return SocketOperator(self.__socket).timeout(seconds)

    def compress(self, compress: bool) -> SocketOperator:
        """Return this socket, where an HTTP answer may be compressed, or may not."""
        return SocketOperator(self.__socket).compress(compress)

    def close(self, transport: bool = False) -> Awaitable[None]:
        """Disconnect the client from this namespace; with ``transport`` end its whole connection.

        In Socket.IO it is ``socket.disconnect(close)``, see
        https://socket.io/docs/v4/server-api/#socketdisconnectclose
        """
        socket = self.__socket
        return socket.local.runtime.run(socket.close, transport)


@ends_in_project
def _make_behaviour(cls: type[SocketIOConsumer]) -> Behaviour:
    receives = cls.receive_event is not SocketIOConsumer.receive_event
    return Behaviour(
        cls=cls,
        make=_consumer_maker(cls),
        options=_options,
        handlers=collect(cls),
        authenticate=make_hook(cls, SocketIOConsumer, "authenticate"),
        connect=make_hook(cls, SocketIOConsumer, "connect"),
        ready=make_hook(cls, SocketIOConsumer, "ready"),
        disconnect=make_hook(cls, SocketIOConsumer, "disconnect"),
        receive_event=cls.receive_event if receives else None,
    )


def _consumer_maker(cls: type[SocketIOConsumer]) -> Callable[[Socket], SocketIOConsumer]:
    def make(socket: Socket) -> SocketIOConsumer:
        consumer = cls.__new__(cls)
        # Set before __init__() runs, since a project's own may use the socket.
        setattr(consumer, SOCKET, socket)
        consumer.__init__()  # type: ignore[misc]
        return consumer

    return make


def _options(consumer: SocketIOConsumer) -> tuple[bool, tuple[str, ...]]:
    permissions = consumer.permission_required
    wanted = (permissions,) if isinstance(permissions, str) else tuple(permissions)
    return consumer.login_required, wanted


SocketIOConsumer._SocketIOConsumer__behaviour = _make_behaviour(SocketIOConsumer)  # type: ignore[attr-defined]
