"""A connected client: one Engine.IO session, its transport, and its sockets in many namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterator
from datetime import datetime, timezone
from math import inf
from typing import Any

from ..addressing.logins import Login
from ..engineio import Frame, Reason, Session
from ..engineio.states import CLOSED, CLOSING, OPEN
from ..exceptions import ConnectionRefused
from ..packets import AuthTooLarge, PacketError, PacketLimitExceeded, PacketType
from ..runtime.awaitables import DONE
from ..signals import transport_upgraded
from ..stats import counters
from .admission import begin, refuse_auth
from .backlog import Backlog, release
from .clients import Clients
from .endpoint import CONNECTED
from .holding import await_attachments, hold_incomplete, wait_until_caught_up
from .incidents import note_end, note_refusal, note_violation
from .places import Place
from .protocols import PROTOCOL_5
from .socket import Socket
from .stalls import go_on, go_on_if_read, stall
from .transport import NO_TRANSPORT, Transport
from .upgrades import tell_upgraded

# A global is found faster than an attribute of a class.
EVENT = PacketType.EVENT
# How an Engine.IO packet begins that is an event.
EVENT_MESSAGE = "42"


class Client:
    """Sits between a session and the sockets: decodes what comes in, writes what goes out.

    ``sockets`` by namespace are its sockets, those still connecting too, ``scope`` is the ASGI
    scope of the handshake after the middleware; further attributes are those of
    :class:`.connection.Connection`.
    """

    __slots__ = (
        "_counted",
        "_decoder",
        "_drain_waiters",
        "_ended",
        "attachments_deadline",
        "backlog",
        "clients",
        "connected_at",
        "crowded",
        "living",
        "local",
        "login",
        "loop",
        "pending_acks",
        "place",
        "prober",
        "refusals",
        "scope",
        "session",
        "settings",
        "slot",
        "sockets",
        "stalled",
        "thread_sensitive",
        "transport",
    )

    protocol = PROTOCOL_5

    def __init__(
        self,
        clients: Clients[Client],
        scope: dict[str, Any],
        transport: Transport,
        place: Place[Client],
    ) -> None:
        self.clients = clients
        local = self.local = clients.local
        self.loop = local.runtime.loop
        settings = self.settings = local.settings
        now = self.loop.time()
        self.scope, self.transport = scope, transport
        self.session = self.new_session(now)
        self.sockets: dict[str, Socket] = {}
        self.connected_at = datetime.now(timezone.utc)
        self.pending_acks = 0
        # Sockets whose disconnect() has not ended yet.
        self.living = 0
        # The WebSocket that wants to take over from polling.
        self.prober: Transport | None = None
        # In tests the ORM must run in the thread of the test's transaction.
        self.thread_sensitive = bool(scope.get("django_socketio.thread_sensitive"))
        self.slot: int | None = None
        self._decoder = self.protocol.new_decoder(settings)
        self.place: Place[Client] | None = place
        self.refusals = 0
        self.attachments_deadline: float | None = None
        self._drain_waiters: list[asyncio.Future[None]] = []
        self.stalled: dict[Any, asyncio.Future[None]] | None = None
        # Events that wait for the handler before them, None until the first; ``crowded`` says that
        # they are so many that reading should pause.
        self.backlog: Backlog | None = None
        self.crowded = False
        self._ended = False
        # The key under which the session is counted.
        self._counted = counters.sessions.enter(transport.name)
        self.login: Login | None = None
        clients.add(self)
        place.take(self, now + settings.connect_timeout)
        clients.wheel.schedule(self, min(self.session.next_ping, now + settings.connect_timeout))

    def new_session(self, now: float) -> Session:
        """Make the session. Called once."""
        options = self.settings.session_options
        return Session(self.local.new_id(), options, self.transport.name, now)

    def __repr__(self) -> str:
        return f"<Client {self.session.transport} {self.session.state}>"

    # In

    def receive_packet(self, packet: str | bytes) -> Coroutine[Any, Any, None] | None:
        """Take an Engine.IO packet; see :meth:`receive` for what is returned."""
        session, decoder = self.session, self._decoder
        if session.expectant:
            session.grant_time(self.loop.time())
        if (
            packet.__class__ is str
            and packet[:2] == EVENT_MESSAGE
            and session.state is OPEN
            and decoder.pending is None
            and "/" in self.sockets
        ):
            # A shorter way for nearly every packet; benchmarks/scenarios/echo.py measures it.
            try:
                event = decoder.main_event(packet, 1)
            except PacketError as error:
                self.violation(error)
                return None
            if event is not None:
                session.packets_in += 1
                return self.sockets["/"].receive_now(event)
        message = session.receive(packet)
        if message is not None:
            return self.receive(message)
        if self.session.state is CLOSED:
            self._end()
        return None

    def receive_payload(self, payload: Any) -> Iterator[Coroutine[Any, Any, None] | None]:
        """Take the body of a POST, a packet with each step, so that the caller may pause between.

        Yields what :meth:`receive` returns.
        """
        for message in self.session.receive_payload(payload):
            yield None if message is None else self.receive(message)
        if self.session.state is CLOSED:
            self._end()

    def receive(self, message: str | bytes) -> Coroutine[Any, Any, None] | None:
        """Take a message: a Socket.IO packet, or an attachment of one.

        Returns a coroutine that the caller has to await: it runs a handler, then the events that
        have arrived meanwhile. None means that there is nothing to await.
        """
        if self._ended:
            return None
        decoder = self._decoder
        try:
            packet = decoder.feed(message)
        except AuthTooLarge as error:
            refuse_auth(self, error)
            return None
        except PacketError as error:
            self.violation(error)
            return None
        if packet is None:
            await_attachments(self, decoder)
            return None
        if self.attachments_deadline is not None:
            self.attachments_deadline = None
            hold_incomplete(self, 0)
        kind = packet.type
        socket = self.sockets.get(packet.namespace)
        if socket is not None and kind == EVENT:
            return socket.receive(packet)
        if socket is None and kind == PacketType.CONNECT:
            return begin(self, packet)
        if socket is None:
            self.violation(PacketError("not connected to the namespace"))
        elif kind == PacketType.ACK:
            socket.acknowledged(packet)
        elif kind == PacketType.DISCONNECT:
            socket.leave_namespace(Reason.CLIENT_DISCONNECT)
            self._wait_if_alone()
        else:
            self.violation(PacketError("packet out of turn"))
        return None

    def violation(self, error: PacketError) -> None:
        """Count a breach of the protocol and close this session, and nothing else."""
        note_violation(self.local.runtime.log, self.scope, error)
        if self._ended:
            return
        self.close(Reason.PARSE_ERROR)
        session = self.session
        if session.close_reason is Reason.PARSE_ERROR and not session.detail:
            session.detail = str(error)  # for disconnect(), which runs later; it is logged already

    # Namespaces

    def _wait_if_alone(self) -> None:
        if self.place is not None and not self.sockets:
            self.place.wait()

    def admitted(self) -> None:
        """Note that a namespace has admitted this client: the connect timeout is off."""
        place, self.place = self.place, None
        if place is not None:
            place.leave()

    def refuse(self, namespace: str, data: dict[str, Any]) -> None:
        """Send CONNECT_ERROR: the client may not enter a namespace. ``data`` says why."""
        self.sockets.pop(namespace, None)
        note_refusal(self.local.runtime.log, self.scope, namespace, data["message"])
        counters.traffic.control_out += 1
        refusal = self.protocol.connect_error(self.local.encoder, namespace, data)
        self.send(self.local.make_frames(refusal))
        self._wait_if_alone()
        self.clients.refused(self)

    # Out

    def send(self, frames: tuple[Frame, ...], volatile: bool = False) -> bool:
        """Write frames, or put them into the session's buffer.

        Returns False when the buffer is above its low-water mark. A volatile packet is dropped when
        the transport cannot take it now: the server's ``send()`` waits, or no poll does that has
        nothing to return yet.
        """
        session = self.session
        if volatile and not (session.writable and not session.buffer):
            counters.traffic.volatile_dropped += 1
            return True
        session.packets_out += 1
        for frame in frames:
            if session.direct:
                session.unheard += frame.size
                if session.unheard > session.unheard_mark and not self._ping():
                    break
                self.transport.write(frame)
            elif session.send(frame):
                self.transport.flush()
        if session.direct:
            return True
        if session.state is CLOSED:
            self._end()
        if session.buffered <= session.options.low_water:
            return True
        if self.stalled is None and not self._ended:
            stall(self)
        return False

    def _ping(self) -> bool:
        """Ping a client that was sent much and is silent. Returns False when it is too much."""
        if (ping := self.session.ping(self.loop.time())) is not None:
            self.transport.write(ping)
        return self.session.direct

    def wait_until_drained(self) -> Awaitable[None]:
        """Wait until the buffer is below its low-water mark, or the client is gone."""
        if self.session.buffered <= self.session.options.low_water:
            return DONE
        waiter = self.loop.create_future()
        self._drain_waiters.append(waiter)
        return waiter

    def written(self) -> None:
        """Note that the transport has taken something out of the session's buffer."""
        session = self.session
        if session.suspicious and session.state is OPEN:
            ping = session.ping(self.loop.time())
            if ping is not None:
                session.send(ping)  # behind what waits: the transport goes on with it
            if session.state is CLOSED:
                self._end()
        if self._drain_waiters and self.session.buffered <= self.session.options.low_water:
            release(self._drain_waiters)
        go_on_if_read(self)

    # Events that wait for the handler before them

    def wait_until_caught_up(self) -> Awaitable[None]:
        """Wait until so few events wait that reading may go on."""
        return DONE if self._ended else wait_until_caught_up(self)

    # Time

    def upgraded(self) -> None:
        """Note that the session has moved to a WebSocket."""
        counters.traffic.upgrades += 1
        self._counted = counters.sessions.move(self._counted, self.session.transport)
        if transport_upgraded.receivers:
            tell_upgraded(self)
        go_on_if_read(self)  # the upgrade has shown that the last poll is read

    def upgrade_started(self, prober: Transport) -> None:
        """Note that ``prober``, a WebSocket, wants to take over; start the upgrade timeout."""
        self.prober = prober
        self.clients.wheel.hasten(self, self.loop.time() + self.settings.upgrade_timeout)

    def tick(self, now: float) -> float | None:
        """See :class:`~.timers.Timed`."""
        session = self.session
        connect_deadline = inf if self.place is None else self.place.deadline
        if now >= connect_deadline:
            counters.limits.add("connect timeout")
            self.close(Reason.SERVER_CLOSE)
        elif self.attachments_deadline is not None and now >= self.attachments_deadline:
            self.violation(PacketLimitExceeded("attachments overdue"))
        upgrading = session.upgrading
        deadline = session.tick(now)
        if not session.upgrading:
            if upgrading and session.state is OPEN:
                counters.limits.add("upgrade timeout")
            self._dismiss_prober()
        if deadline is None:
            self._end()
            return None
        self.transport.flush()
        for own in (connect_deadline, self.attachments_deadline):
            if own is not None and session.state is OPEN:
                deadline = min(deadline, own)
        return deadline

    def _dismiss_prober(self) -> None:
        if self.prober is not None:
            self.prober.close()
            self.prober = None

    # The end

    def close(self, reason: Reason) -> None:
        """End the connection in an orderly way: what was sent before still arrives."""
        self.session.close(reason, self.loop.time())
        self._end()
        self.transport.flush()

    def abort(self, reason: Reason, detail: str = "") -> None:
        """End the connection at once."""
        self.session.abort(reason, detail)
        self._end()

    def disconnect(self) -> None:
        """Leave every namespace, then end the connection: Node's ``socket.disconnect(true)``."""
        for name, socket in list(self.sockets.items()):
            admitted = socket.state is CONNECTED
            socket.close(transport=False)
            if not admitted:
                # A client that is refused gives up; one that only loses its connection comes again.
                self.refuse(name, {"message": ConnectionRefused().message})
        self.close(Reason.SERVER_CLOSE)

    def _end(self) -> None:
        """Clean up: the session has closed, or is closing with its last packets to be fetched."""
        session = self.session
        if not self._ended:
            self._ended = True
            self._decoder.reset()
            hold_incomplete(self, 0)
            reason = session.close_reason or Reason.FORCED_CLOSE
            if reason is Reason.PING_TIMEOUT:
                counters.limits.add(reason)
            if session.detail:
                note_end(self.local.runtime.log, self.scope, reason, session.detail)
            self.admitted()  # or never will be: the connect timeout is off
            for socket in list(self.sockets.values()):
                socket.leave_namespace(reason)
            self.sockets.clear()
            if self.backlog is not None:
                self.backlog.give_up()
            release(self._drain_waiters)
            go_on(self)
        if session.state is CLOSED and self.clients.forget(self):
            counters.sessions.leave(self._counted)
            counters.traffic.fold(session)
            self.clients.wheel.cancel(self)
            self._dismiss_prober()
            transport, self.transport = self.transport, NO_TRANSPORT
            transport.close()
        elif session.state is CLOSING:
            self.clients.wait_for_poll(self)
            self.clients.wheel.hasten(self, session.tick(self.loop.time()) or 0)
