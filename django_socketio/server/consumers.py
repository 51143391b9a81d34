"""``SocketIOConsumer``: a class per namespace, an instance per connected socket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.dispatch import Signal

from ..addressing.handshake import Handshake, read_handshake
from ..addressing.rooms import Room, SessionRoom, as_room, user_room
from ..exceptions import ConnectionRefused, Disconnected, EventRefused, LimitExceeded
from ..logs import logger, safe
from ..packets import EncodedPacket, Packet, PacketError
from ..runtime.awaitables import DONE
from ..runtime.steps import resume
from ..signals import event_received, socket_connected, socket_disconnected
from ..sockets.acks import Question, as_arguments
from ..sockets.client import Client
from ..sockets.frames import make_frames
from ..stats import counters
from .guard import check_class
from .handlers import Handler, Handlers, collect, make_handler
from .hub import Hub
from .operators import Operator, SocketOperator

if TYPE_CHECKING:
    from ..engineio import Frame

# How long the answer to a client waits for the channel layer to put a socket into its rooms.
JOIN_TIMEOUT = 1.0

# Handlers are counted by how long they take; see counters.Timing.
FAST = counters.Timing.BOUNDS[0]

# Until a socket joins one; most never do, and a set is large.
NO_ROOMS: frozenset[Room] = frozenset()

SERVER_DISCONNECT = "server namespace disconnect"


class _Leave:
    """Stands in a socket's queue behind the last event: it has left."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class SocketIOConsumer:
    """Serves one socket of a namespace; subclass it and :func:`~django_socketio.register` it.

    Handlers are methods decorated with :func:`~django_socketio.event`, ``async def`` or ``def``.
    One socket's events are handled one at a time, in the order in which they arrived. What a
    handler returns is the acknowledgement, if the client asked for one: no argument for None,
    several for a tuple, else one.

    Attributes:
        sid: the socket's id, text that others cannot guess.
        user: what :meth:`authenticate` returned, the session's user by default.
        session: Django's session, None where the project has none.
        scope: the ASGI scope of the handshake.
        auth: what the client sent with CONNECT, a dict or None.
        kwargs: what a dynamic namespace captured.
        data: a dict of JSON-able values that others can read with ``fetch_sockets``.
        connected: whether the client is in the namespace now.
        recovered: whether the state of an earlier connection was restored.
    """

    login_required: ClassVar[bool] = False
    permission_required: ClassVar[str | Iterable[str]] = ()

    _handlers: ClassVar[Handlers] = Handlers({})
    # Whether a subclass wants to see events before their handlers do.
    _filters: ClassVar[bool] = False
    _on_connect: ClassVar[Handler | None] = None
    _on_disconnect: ClassVar[Handler | None] = None
    _on_authenticate: ClassVar[Handler | None] = None

    # Under what it is counted in counters.sockets.
    _counted: str

    sid: str
    user: Any
    session: Any
    scope: dict[str, Any]
    auth: Any
    kwargs: dict[str, Any]
    data: dict[str, Any]
    connected: bool
    recovered: bool

    _handshake: Handshake | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_class(cls)
        cls._handlers = collect(cls)
        cls._filters = cls.receive_event is not SocketIOConsumer.receive_event
        cls._on_connect = _hook(cls, "connect")
        cls._on_disconnect = _hook(cls, "disconnect")
        cls._on_authenticate = _hook(cls, "authenticate")

    # For subclasses

    async def authenticate(self, auth: Any) -> Any:
        """Return the user of this socket, before :meth:`connect`; plain or async.

        By default it is the user of Django's session. Override it for tokens in ``auth``.
        """
        return self.user

    async def connect(self, auth: Any) -> None:
        """Admit the client, or raise ConnectionRefused or PermissionDenied; plain or async."""

    async def disconnect(self, reason: str) -> None:
        """The client has left; ``reason`` is one of Socket.IO's own strings. Plain or async."""

    async def receive_event(self, name: str, args: list[Any]) -> Any:
        """Handle an event: the seam for per-event middleware.

        Override it and call ``super()``, or don't. What it returns is the acknowledgement; raise
        EventRefused to drop the event.
        """
        return await self._call(self._handlers[name], name, args)

    def _call(self, handler: Handler, name: str, args: list[Any]) -> Awaitable[Any]:
        if handler.named:
            args = [name, *args]
        if not handler.least <= len(args) <= handler.most:
            logger.warning(
                "event %s of namespace %s: %d argument(s) do not fit %s",
                safe(name),
                safe(self._namespace),
                len(args),
                handler.function.__qualname__,
            )
            raise EventRefused("arguments")
        if handler.is_async:
            result: Awaitable[Any] = handler.function(self, *args)
            return result
        return self._in_thread(handler.function, self, *args)

    # What it knows

    @property
    def namespace(self) -> Operator:
        """This namespace from outside: ``io.of(...)``, whose ``name`` is the namespace's."""
        return Operator(self._namespace)

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms of this socket, its own sid among them."""
        if not self._hub.here() and self._left is None:
            # Joins and leaves of this thread may still be on their way to the loop.
            rooms: frozenset[str] = self._hub.post(self._all_rooms).result()
            return rooms
        return self._all_rooms()

    @property
    def handshake(self) -> Handshake:
        """Headers, query and address of the request that the client connected with."""
        if self._handshake is None:
            self._handshake = read_handshake(self.scope, self.auth, self._client.connected_at)
        return self._handshake

    @property
    def transport(self) -> str:
        """ "polling" or "websocket"."""
        return self._client.session.transport

    # What it can

    def emit(self, event: str, *args: Any) -> Awaitable[None]:
        """Send an event to this client. bytes anywhere in ``args`` become binary attachments."""
        return self._send(self._hub.encoder.event(self._namespace, event, args))

    def send(self, *args: Any) -> Awaitable[None]:
        """``emit("message", ...)``."""
        return self.emit("message", *args)

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the client's acknowledgement, in a plain ``def`` handler."""
        return SocketOperator(self).call(event, *args)

    async def acall(self, event: str, *args: Any) -> Any:
        """Send an event and await the client's acknowledgement.

        Raises AckTimeout when there is none in time, Disconnected when the client leaves.
        """
        return await SocketOperator(self).acall(event, *args)

    def join(self, *rooms: Any) -> Awaitable[None]:
        """Enter rooms, text of at most ``MAX_ROOM_NAME_LENGTH``.

        Raises LimitExceeded for a longer one or too many.
        """
        wanted = [check_room(room, self._hub.settings.max_room_name_length) for room in rooms]
        return self._hub.run(self._join, wanted)

    def leave(self, *rooms: Any) -> Awaitable[None]:
        """Leave rooms."""
        return self._hub.run(self._leave_rooms, [as_room(room) for room in rooms])

    def to(self, *rooms: Any) -> Operator:
        """Everyone in any of these rooms but this socket."""
        return Operator(self._namespace, tuple(map(as_room, rooms)), (self.sid,))

    @property
    def broadcast(self) -> Operator:
        """Everyone in the namespace but this socket."""
        return Operator(self._namespace, exclude=(self.sid,))

    def exclude(self, *rooms: Any) -> Operator:
        """Everyone in the namespace but this socket and the members of these rooms."""
        return self.broadcast.exclude(*rooms)

    @property
    def volatile(self) -> SocketOperator:
        """What is sent may be dropped while the client cannot take it."""
        return SocketOperator(self).volatile

    def timeout(self, seconds: float) -> SocketOperator:
        """Wait at most so long for an acknowledgement."""
        return SocketOperator(self).timeout(seconds)

    def compress(self, compress: bool) -> SocketOperator:
        """Whether what is sent may be compressed (HTTP long-polling)."""
        return SocketOperator(self).compress(compress)

    def close(self, transport: bool = False) -> Awaitable[None]:
        """Make the client leave this namespace; with ``transport`` end its whole connection."""
        return self._hub.run(self._close, transport)

    # Life

    def _attach(self, client: Client, namespace: str, auth: Any, kwargs: dict[str, Any]) -> None:
        self.sid = client.hub.new_id()
        self.scope = client.scope
        self.user = client.scope.get("user")
        self.session = client.scope.get("session")
        self.auth = auth
        self.kwargs = kwargs
        self.data = {}
        self.connected = False
        self.recovered = False
        self._client = client
        self._hub: Hub = client.hub
        self._namespace = namespace
        # An attribute of the instance is found faster than one of the class.
        self._handlers = self._handlers  # type: ignore[misc]
        self._filters = self._filters  # type: ignore[misc]
        # What other processes still have to hear of before we get all of a room's messages.
        self._joining: Awaitable[None] | None = None
        self._handshake = None
        self._rooms: set[Room] | frozenset[Room] = NO_ROOMS
        self._own_rooms: tuple[Room, ...] = ()
        # While connect() runs nothing may be sent, for the client knows nothing of the namespace
        # yet.
        self._held: list[tuple[Frame, ...]] | None = []
        self._held_size = 0
        self._left: str | None = None
        self._busy = False
        self._queue: deque[Packet | _Leave] | None = None
        self._questions: dict[int, Question] | None = None

    async def _enter(self) -> None:
        """Run authenticate() and connect(); admit the client or refuse it."""
        try:
            await self._admit()
            if self._left is None:
                await self._settle_in()
        except ConnectionRefused as refused:
            data = {"message": refused.message}
            if refused.data is not None:
                data["data"] = refused.data
            self._refuse(data)
            return
        except PermissionDenied as denied:
            self._refuse({"message": str(denied) or "Permission denied"})
            return
        except LimitExceeded as limit:
            counters.limits.add(str(limit))
            self._refuse({"message": str(limit)})
            return
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cut_off():
                # The server ends the task in which connect() runs.
                self._left = self._left or "transport close"
                self._forget()
                self._hub.spawn(self._say_goodbye(self._left), self._client)
                raise
            counters.handler_errors.add("connect")
            logger.exception("connect() of namespace %s failed", safe(self._namespace))
            self._refuse({"message": "Internal server error"})
            return
        held, self._held = self._held, None
        if self._left is not None:
            # It left while connect() ran; what connect() did is undone in disconnect().
            self._forget()
            await self._say_goodbye(self._left)
            return
        self.connected = True
        self._client.joined()
        encoder = self._hub.encoder
        counters.traffic.control_out += 1
        self._client.send(make_frames(encoder.connect(self._namespace, {"sid": self.sid})))
        for frames in held or ():
            self._client.send(frames)
        if socket_connected.receivers:
            await self._announce(socket_connected)

    async def _admit(self) -> None:
        if self._on_authenticate is not None:
            self.user = await self._run(self._on_authenticate, self.auth)
        if self.login_required and not getattr(self.user, "is_authenticated", False):
            raise ConnectionRefused("Login required")
        permissions = self.permission_required
        if permissions:
            wanted = (permissions,) if isinstance(permissions, str) else tuple(permissions)
            if self.user is None or not await self._in_thread(self.user.has_perms, wanted):
                raise ConnectionRefused("Permission denied")
        if self._on_connect is not None:
            await self._run(self._on_connect, self.auth)
        if self._left == SERVER_DISCONNECT:
            raise ConnectionRefused

    async def _settle_in(self) -> None:
        """Enter the namespace and the rooms of user and session; what is sent there is held yet."""
        room = user_room(self.user)
        key = getattr(self.session, "session_key", None)
        own: list[Room | None] = [room, SessionRoom(key) if key else None]
        self._own_rooms = tuple(found for found in own if found is not None)
        for found in self._own_rooms:
            self._joining = self._hub.join_room(self, found) or self._joining
        self._joining = self._hub.enter(self) or self._joining
        if self._joining is not None:
            await self._joined()

    async def _joined(self) -> None:
        """Wait until the other processes' messages for our rooms come here, if that is soon."""
        joining, self._joining = self._joining, None
        if joining is not None and self._hub.network is not None and self._hub.network.bus.up:
            try:
                await asyncio.wait_for(_until(joining), JOIN_TIMEOUT)
            except asyncio.TimeoutError:
                logger.warning("the channel layer is slow to join a room")

    def _refuse(self, data: dict[str, Any]) -> None:
        counters.refusals.add("refused")
        self._left = self._left or "refused"
        self._held = None
        self._client.living -= 1
        self._forget()
        self._answer_no_more()
        if self._client.sockets.get(self._namespace) is not self:
            return
        try:
            self._client.refuse(self._namespace, data)
        except (TypeError, ValueError):
            logger.exception("the data of a ConnectionRefused cannot be sent")
            self._client.refuse(self._namespace, {"message": data["message"]})

    def _leave(self, reason: str) -> None:
        """The socket leaves the namespace: no event reaches or leaves it any more."""
        if self._left is not None:
            return
        self._left = reason
        if self._client.sockets.get(self._namespace) is self:
            del self._client.sockets[self._namespace]
        self._answer_no_more()
        if self._held is not None:
            return  # _enter() goes on when connect() has returned
        self.connected = False
        counters.disconnects.add(reason)
        self._forget()
        if reason == SERVER_DISCONNECT:
            # Whom the server has sent away does not act any more.
            while self._queue:
                self._next(self._queue)
        if self._busy:
            self._put(_Leave(reason))
        elif self._on_disconnect is not None or socket_disconnected.receivers:
            self._busy = True
            self._hub.spawn(self._work(_Leave(reason)), self._client)
        else:
            self._client.living -= 1

    def _answer_no_more(self) -> None:
        """Whoever waits for an answer of this client waits in vain."""
        if self._questions:
            for question in list(self._questions.values()):
                question.left(self)
            self._client.pending_acks -= len(self._questions)
            self._questions = None

    def _forget(self) -> None:
        """Take the socket out of all indexes; ``rooms`` still shows where it was."""
        self._hub.leave(self, (*self._rooms, *self._own_rooms))

    def _close(self, transport: bool) -> Awaitable[None]:
        if transport:
            self._client.disconnect()
        elif self.connected:
            encoder = self._hub.encoder
            self._client.send(make_frames(encoder.disconnect(self._namespace)))
            counters.traffic.control_out += 1
            self._leave(SERVER_DISCONNECT)
        elif self._left is None:
            self._left = SERVER_DISCONNECT
        return DONE

    # Events

    def _receive(self, packet: Packet) -> Coroutine[Any, Any, None] | None:
        """Take an event; returns work to be awaited, unless it has to wait for its turn."""
        if self._held is not None:
            self._client.violation(PacketError("an event before the namespace is connected"))
            return None
        if self._handlers[packet.data[0]].concurrent:
            self._client.queued(packet)
            self._hub.spawn(self._handle_concurrently(packet), self._client)
            return None
        if self._busy:
            self._client.queued(packet)
            self._put(packet)
            return None
        self._busy = True
        return self._work(packet)

    def _receive_now(self, packet: Packet) -> Coroutine[Any, Any, None] | None:
        """As :meth:`_receive`, but nothing is left to be awaited of a handler that never waits."""
        if self._busy or self._held is not None or self._handlers[packet.data[0]].concurrent:
            return self._receive(packet)
        self._busy = True
        handling = self._handle(packet)
        try:
            waited_for = handling.send(None)
        except StopIteration:
            if not self._queue:
                self._busy = False
                return None
            return self._work(self._next(self._queue))
        except BaseException:
            self._busy = False
            raise
        return self._work(resume(handling, waited_for))

    def _put(self, item: Packet | _Leave) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(item)

    async def _work(self, item: Packet | _Leave | Awaitable[None]) -> None:
        """Handle an event, and after it those that came meanwhile, one at a time.

        An event may have been begun: then ``item`` is what is left to do for it.
        """
        try:
            while True:
                if isinstance(item, Packet):
                    await self._handle(item)
                elif isinstance(item, _Leave):
                    await self._say_goodbye(item.reason)
                else:
                    await item
                if not self._queue:
                    return
                item = self._next(self._queue)
        finally:
            self._busy = False
            if self._queue and not self._hub.closing:
                # The server has cut off its task; what waits for a turn gets one of ours.
                self._busy = True
                self._hub.spawn(self._work(self._next(self._queue)), self._client)

    def _next(self, queue: deque[Packet | _Leave]) -> Packet | _Leave:
        item = queue.popleft()
        if isinstance(item, Packet):
            self._client.unqueued(item)
        return item

    async def _handle_concurrently(self, packet: Packet) -> None:
        try:
            await self._handle(packet)
        finally:
            self._client.unqueued(packet)

    async def _handle(self, packet: Packet) -> None:
        name, *args = packet.data
        handler = self._handlers[name]
        timing = handler.timing
        started = perf_counter()
        try:
            if event_received.receivers:
                await self._announce(event_received, event=name, args=args)
            if self._filters:
                result = await self.receive_event(name, args)
            elif handler.plain and handler.least <= len(args) <= handler.most:
                result = await handler.function(self, *args)  # as _call() does it
            else:
                result = await self._call(handler, name, args)
            if packet.id is not None and self.connected:
                if self._joining is not None:
                    await self._joined()
                answer = self._hub.encoder.ack(self._namespace, as_arguments(result), packet.id)
                self._client.send(make_frames(answer))
                counters.traffic.acks_out += 1
        except EventRefused as refused:
            counters.events_refused.add(refused.reason)
        except LimitExceeded as limit:
            self._client.violation(limit)
        except Disconnected as error:
            # The client that the handler waited for has gone: nothing is wrong with the handler.
            logger.info("the handler of event %s has ended: %s", safe(name), error)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cut_off():
                raise
            counters.handler_errors.add("event")
            timing.errors += 1
            logger.exception(
                "the handler of event %s in namespace %s failed", safe(name), safe(self._namespace)
            )
        took = perf_counter() - started
        timing.total += took
        if took < FAST:
            timing.fast += 1
        else:
            timing.add_slow(took)
        if took > timing.longest:
            timing.longest = took

    async def _say_goodbye(self, reason: str) -> None:
        try:
            await self._run_disconnect(reason)
        finally:
            self._client.living -= 1

    async def _run_disconnect(self, reason: str) -> None:
        try:
            if self._on_disconnect is not None:
                await self._run(self._on_disconnect, reason)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cut_off():
                raise
            counters.handler_errors.add("disconnect")
            logger.exception("disconnect() of namespace %s failed", safe(self._namespace))
        if socket_disconnected.receivers:
            await self._announce(socket_disconnected, reason=reason)

    async def _run(self, hook: Handler, argument: Any) -> Any:
        if hook.is_async:
            return await hook.function(self, argument)
        return await self._in_thread(hook.function, self, argument)

    async def _in_thread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        sensitive = self._client.thread_sensitive
        return await self._hub.in_thread(function, sensitive)(*args, **kwargs)

    async def _announce(self, signal: Signal, **kwargs: Any) -> None:
        """Send a signal; its receivers may use the ORM, and cannot harm the socket."""
        kwargs.update(sender=type(self), socket=self)
        for receiver, result in await self._hub.announce(
            signal, self._client.thread_sensitive, **kwargs
        ):
            if isinstance(result, Exception):
                logger.error("signal receiver %r failed", receiver, exc_info=result)

    # Rooms

    def _all_rooms(self) -> frozenset[str]:
        return frozenset([self.sid, *(room for room in self._rooms if isinstance(room, str))])

    def _join(self, rooms: list[Room]) -> Awaitable[None]:
        if self._left is None:
            new = [room for room in dict.fromkeys(rooms) if room not in self._rooms]
            if len(self._rooms) + len(new) > self._hub.settings.max_rooms:
                raise LimitExceeded("too many rooms")
            for room in new:
                if room != self.sid:
                    if isinstance(self._rooms, frozenset):
                        self._rooms = set()
                    self._rooms.add(room)
                    self._joining = self._hub.join_room(self, room) or self._joining
        return self._joining or DONE

    def _leave_rooms(self, rooms: list[Room]) -> Awaitable[None]:
        if self._left is None:
            for room in rooms:
                if isinstance(self._rooms, set) and room in self._rooms:
                    self._rooms.remove(room)
                    if room not in self._own_rooms:
                        self._hub.leave_room(self, room)
        return DONE

    # Packets

    def _send(
        self, packet: EncodedPacket, compress: bool = True, volatile: bool = False
    ) -> Awaitable[Any]:
        frames = make_frames(packet, compress)
        hub = self._hub
        if get_ident() == hub.thread and hub.loop.is_running():  # as hub.here()
            return DONE if self._write(frames, volatile) else self._client.drained()
        return hub.post(self._deliver, frames, volatile)

    def _deliver(self, frames: tuple[Frame, ...], volatile: bool) -> Awaitable[None]:
        return DONE if self._write(frames, volatile) else self._client.drained()

    def _write(self, frames: tuple[Frame, ...], volatile: bool) -> bool:
        """Write on the hub's thread. False when the client's buffer is above its low-water mark."""
        if self.connected:
            return self._client.send(frames, volatile)
        if self._held is not None:
            self._held.append(frames)
            self._held_size += sum(frame.size for frame in frames)
            if self._held_size > self._hub.settings.max_write_buffer_size:
                self._client.abort("transport error", "too much was sent while connect() ran")
        return True

    def _expect(self, question: Question) -> bool:
        """Register a question to this client. False when it has left or owes too many answers."""
        if self._left is not None:
            return False
        if self._client.pending_acks >= self._hub.settings.max_pending_acks:
            self._client.violation(LimitExceeded("too many unanswered acknowledgements"))
            return False
        if self._questions is None:
            self._questions = {}
        self._questions[question.ack_id] = question
        self._client.pending_acks += 1
        return True

    def _expect_no_more(self, question: Question) -> None:
        if self._questions and self._questions.pop(question.ack_id, None) is not None:
            self._client.pending_acks -= 1

    def _acknowledged(self, packet: Packet) -> None:
        """The client has answered. An answer to no question is ignored, as in Node."""
        question = self._questions.get(packet.id) if self._questions else None  # type: ignore[arg-type]
        if question is not None:
            counters.traffic.acks_in += 1
            self._expect_no_more(question)
            question.answered(self, packet.data)

    async def _ask(self, frames: tuple[Frame, ...], ack_id: int, timeout: float) -> Any:
        """Put a question to this client alone."""
        if self._held is not None:
            raise RuntimeError("connect() cannot wait for the client, which waits for connect()")
        return (await Question(ack_id).ask([self], frames, timeout)).one()


def _is_cut_off() -> bool:
    """Whether the running task is cancelled, and not only one that a handler waited for."""
    task = asyncio.current_task()
    cancelling = getattr(task, "cancelling", None)  # Python 3.11
    return cancelling is None or cancelling() > 0


def check_room(room: Any, longest: int) -> Room:
    """The room that ``room`` names; LimitExceeded when its name is too long."""
    found = as_room(room)
    if isinstance(found, str) and len(found) > longest:
        raise LimitExceeded("room name too long")
    return found


def _hook(cls: type[SocketIOConsumer], name: str) -> Handler | None:
    """A subclass's own connect, disconnect or authenticate; None for the one that does nothing."""
    function = getattr(cls, name)
    if function is getattr(SocketIOConsumer, name):
        return None
    hook = make_handler(name, function)
    if not hook.least <= 1 <= hook.most:
        raise TypeError(f"{function.__qualname__} must take one argument besides self")
    return hook


async def _until(awaitable: Awaitable[Any]) -> None:
    await awaitable
