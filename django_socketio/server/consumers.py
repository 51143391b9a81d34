"""``SocketIOConsumer``: a class per namespace, an instance per connected socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, ParamSpec

from ..addressing.delivery import NORMAL
from ..addressing.handshake import Handshake
from ..addressing.rooms import as_room, check_room
from ..sockets.behaviour import Behaviour
from ..sockets.endpoint import CONNECTED
from ..sockets.socket import Socket
from .guard import check_class
from .handlers import collect, make_hook
from .operators import Operator
from .socket_operator import SocketOperator

P = ParamSpec("P")


def _plain_or_async(hook: Callable[P, Any]) -> Callable[P, Any]:
    """Tell type checkers that a subclass may override ``hook`` with ``def`` or ``async def``."""
    return hook


class SocketIOConsumer:
    """Serves one socket of a namespace; subclass it and :func:`~django_socketio.register` it.

    Handlers are methods decorated with :func:`~django_socketio.event`, ``async def`` or ``def``.
    One socket's events are handled one at a time, in the order in which they arrived. What a
    handler returns is the acknowledgement, if the client asked for one: no argument for None,
    several for a tuple, else one.

    The names below are the server's; all others are the project's. The state of the socket is in
    one attribute whose name Python makes up for this class (``__socket``), so that no name of a
    project can be mistaken for it.
    """

    login_required: ClassVar[bool] = False
    permission_required: ClassVar[str | Iterable[str]] = ()

    __behaviour: ClassVar[Behaviour]
    __socket: Socket

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_class(cls)
        cls.__behaviour = _describe(cls)

    # For subclasses

    @_plain_or_async
    async def authenticate(self, auth: Any) -> Any:
        """Return the user of this socket, before :meth:`connect`; plain or async.

        By default it is the user of Django's session. Override it for tokens in ``auth``.
        """
        return self.user

    @_plain_or_async
    async def connect(self, auth: Any) -> None:
        """Admit the client, or raise ConnectionRefused or PermissionDenied; plain or async."""

    @_plain_or_async
    async def disconnect(self, reason: str) -> None:
        """The client has left; ``reason`` is one of Socket.IO's own strings. Plain or async."""

    async def receive_event(self, name: str, args: list[Any]) -> Any:
        """Handle an event: the seam for per-event middleware.

        Override it and call ``super()``, or don't. What it returns is the acknowledgement; raise
        EventRefused to drop the event.
        """
        return await self.__socket.call_handler(self, name, args)

    # What it knows

    @property
    def sid(self) -> str:
        """The socket's id, text that others cannot guess."""
        return self.__socket.sid

    @property
    def user(self) -> Any:
        """What :meth:`authenticate` returned, the session's user by default."""
        return self.__socket.user

    @user.setter
    def user(self, user: Any) -> None:
        self.__socket.user = user

    @property
    def session(self) -> Any:
        """Django's session, None where the project has none."""
        return self.__socket.session

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope of the handshake, as the middleware has left it."""
        return self.__socket.client.scope

    @property
    def auth(self) -> dict[str, Any] | None:
        """What the client sent with CONNECT, or None."""
        return self.__socket.auth

    @property
    def kwargs(self) -> dict[str, Any]:
        """What a dynamic namespace captured, converted."""
        return self.__socket.kwargs

    @property
    def data(self) -> dict[str, Any]:
        """A dict of JSON-able values that others can read with ``fetch_sockets``."""
        return self.__socket.data

    @data.setter
    def data(self, data: dict[str, Any]) -> None:
        self.__socket.data = data

    @property
    def connected(self) -> bool:
        """Whether the client is in the namespace now."""
        return self.__socket.state is CONNECTED

    @property
    def recovered(self) -> bool:
        """Whether the state of an earlier connection was restored."""
        return False

    @property
    def namespace(self) -> Operator:
        """This namespace from outside: ``io.of(...)``, whose ``name`` is the namespace's."""
        return Operator(self.__socket.namespace)

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms of this socket, its own sid among them."""
        socket = self.__socket
        runtime = socket.local.runtime
        if not runtime.here() and socket.reason is None:
            # Joins and leaves of this thread may still be on their way to the loop.
            rooms: frozenset[str] = runtime.post(socket.room_names).result()
            return rooms
        return socket.room_names()

    @property
    def handshake(self) -> Handshake:
        """Headers, query and address of the request that the client connected with."""
        return self.__socket.handshake

    @property
    def transport(self) -> str:
        """ "polling" or "websocket"."""
        return self.__socket.client.session.transport

    # What it can

    def emit(self, event: str, *args: Any) -> Awaitable[None]:
        """Send an event to this client. bytes anywhere in ``args`` become binary attachments."""
        socket = self.__socket
        return socket.send(socket.local.encoder.event(socket.namespace, event, args), NORMAL)

    def send(self, *args: Any) -> Awaitable[None]:
        """``emit("message", ...)``."""
        return self.emit("message", *args)

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the client's acknowledgement, in a plain ``def`` handler."""
        return SocketOperator(self.__socket).call(event, *args)

    async def acall(self, event: str, *args: Any) -> Any:
        """Send an event and await the client's acknowledgement.

        Raises AckTimeout when there is none in time, Disconnected when the client leaves.
        """
        return await SocketOperator(self.__socket).acall(event, *args)

    def join(self, *rooms: Any) -> Awaitable[None]:
        """Enter rooms, text of at most ``MAX_ROOM_NAME_LENGTH``.

        Raises LimitExceeded for a longer name; too many rooms raise it where the result is awaited,
        or at once on the event loop.
        """
        socket = self.__socket
        longest = socket.local.settings.max_room_name_length
        wanted = [check_room(room, longest) for room in rooms]
        return socket.local.runtime.run(socket.join_rooms, wanted)

    def leave(self, *rooms: Any) -> Awaitable[None]:
        """Leave rooms."""
        socket = self.__socket
        return socket.local.runtime.run(socket.leave_rooms, [as_room(room) for room in rooms])

    def to(self, *rooms: Any) -> Operator:
        """Everyone in any of these rooms but this socket."""
        socket = self.__socket
        return Operator(socket.namespace, tuple(map(as_room, rooms)), (socket.sid,))

    @property
    def broadcast(self) -> Operator:
        """Everyone in the namespace but this socket."""
        return Operator(self.__socket.namespace, exclude=(self.__socket.sid,))

    def exclude(self, *rooms: Any) -> Operator:
        """Everyone in the namespace but this socket and the members of these rooms."""
        return self.broadcast.exclude(*rooms)

    @property
    def volatile(self) -> SocketOperator:
        """What is sent may be dropped while the client cannot take it."""
        return SocketOperator(self.__socket).volatile

    def timeout(self, seconds: float) -> SocketOperator:
        """Wait at most so long for an acknowledgement."""
        return SocketOperator(self.__socket).timeout(seconds)

    def compress(self, compress: bool) -> SocketOperator:
        """Whether what is sent may be compressed (HTTP long-polling)."""
        return SocketOperator(self.__socket).compress(compress)

    def close(self, transport: bool = False) -> Awaitable[None]:
        """Make the client leave this namespace; with ``transport`` end its whole connection."""
        socket = self.__socket
        return socket.local.runtime.run(socket.close, transport)


# What Python makes of ``__socket`` inside the class.
_SOCKET = "_SocketIOConsumer__socket"


def _describe(cls: type[SocketIOConsumer]) -> Behaviour:
    receives = cls.receive_event is not SocketIOConsumer.receive_event
    return Behaviour(
        cls=cls,
        make=_maker(cls),
        options=_options,
        handlers=collect(cls),
        authenticate=make_hook(cls, SocketIOConsumer, "authenticate"),
        connect=make_hook(cls, SocketIOConsumer, "connect"),
        disconnect=make_hook(cls, SocketIOConsumer, "disconnect"),
        receive_event=cls.receive_event if receives else None,
    )


def _maker(cls: type[SocketIOConsumer]) -> Callable[[Socket], SocketIOConsumer]:
    def make(socket: Socket) -> SocketIOConsumer:
        consumer = cls.__new__(cls)
        # Before __init__(), which may want to use it.
        setattr(consumer, _SOCKET, socket)
        consumer.__init__()  # type: ignore[misc]
        return consumer

    return make


def _options(consumer: SocketIOConsumer) -> tuple[bool, tuple[str, ...]]:
    permissions = consumer.permission_required
    wanted = (permissions,) if isinstance(permissions, str) else tuple(permissions)
    return consumer.login_required, wanted


SocketIOConsumer._SocketIOConsumer__behaviour = _describe(SocketIOConsumer)  # type: ignore[attr-defined]
