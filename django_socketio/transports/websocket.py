"""WebSocket: https://socket.io/docs/v4/engine-io-protocol/#websocket

The handshake of a new session, and the upgrade of a polling one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import iscoroutinefunction
from channels.consumer import AsyncConsumer

from ..engineio import Frame, HandshakeRefused, Probe, Reason
from ..engineio.packets import PROBE_PONG
from ..runtime.steps import FINISHED, resume, start
from ..runtime.turns import MESSAGE, TURN, next_turn
from ..signals import connection_refused
from ..sockets.client import Client
from ..sockets.stalls import stall
from .closing import GONE, NORMAL, PROTOCOL_ERRORS, SERVICE_RESTART, TOO_BIG, send_close
from .daphne import Intake, intake_of, passing_headers, patient
from .forwarding import forward_websocket
from .gateway import Gateway
from .handshake import has_logged_out
from .http import error_body
from .messages import frame_message, is_larger
from .polling import Polling
from .refusals import tell_refused
from .request import Request

# A client that does not read may delay the end of its connection for this many seconds.
CLOSE_TIMEOUT = 10


class WebSocketConsumer(AsyncConsumer):
    """Serves one WebSocket, and is the transport of its session.

    The ASGI server's task reads frames and runs their handlers. When a handler has to wait, another
    task goes on reading, so that acknowledgements and other namespaces need not wait as well. So a
    connection whose handlers never wait needs no task of ours.
    """

    name = "websocket"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.client: Client
        self.pausable = True
        self._intake: Intake | None = None
        # Pending while the server's task waits until it shall read again.
        self._spare: asyncio.Future[None] | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._finished = False
        self._closing = False
        # The task that writes what waits for a slow client.
        self._drainer: asyncio.Task[Any] | None = None
        self._close_code = NORMAL

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the WebSocket, without the tasks and the dispatch of Channels' own method."""
        self.scope = scope
        intake = self._intake = intake_of(receive, send)
        self.receive = receive if intake is None else intake.receive
        self.pausable = intake is not None or not _is_endless(receive)
        send = patient(send)
        self.base_send = send if iscoroutinefunction(send) else _as_coroutine(send)
        try:
            if (await receive())["type"] == "websocket.connect" and await self._open():
                # Called here, so that the locals of _open() are freed before the connection ends.
                await self._serve()
        except asyncio.CancelledError:
            # Once the connection is over (our close took too long, or the server has cut it off),
            # the cancellation is no news.
            if not self._closing:
                raise

    async def _open(self) -> bool:
        """Accept or refuse the WebSocket. Returns whether it is now the transport of a session."""
        request = self.gateway.read_request(self.scope)
        # The loop is given because looking it up is a system call on Python 3.11.
        self._reader = asyncio.current_task(request.hub.runtime.loop)
        try:
            self.gateway.check_origin(self.scope, request)
            self.gateway.check(self.scope, request)
            if request.owner is not None:
                await forward_websocket(request, self.scope, self.receive, self.base_send)
                return False
            if request.client is None:
                return await self._handshake(request)
        except HandshakeRefused as refused:
            self.gateway.note_refusal(self.scope, request, refused)
            if connection_refused.receivers:
                await tell_refused(self.scope, request, refused)
            await self._refuse(refused)
            return False
        return await self._upgrade(request.client)

    async def _refuse(self, refused: HandshakeRefused) -> None:
        """Refuse the handshake; with the protocol's error answer if the server can send one."""
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            await self.base_send({"type": "websocket.close"})
            return
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await self.base_send(
            {
                "type": "websocket.http.response.start",
                "status": refused.status,
                "headers": headers,
            }
        )
        await self.base_send({"type": "websocket.http.response.body", "body": error_body(refused)})

    async def _handshake(self, request: Request) -> bool:
        outer, place = self.gateway.reserve(self.scope, request)
        scope = outer

        async def answer(inner: Any, send: Any) -> None:
            nonlocal scope
            scope = inner
            await send({"type": "websocket.accept"})

        try:
            await self.gateway.wait_until_known(request)
            send = passing_headers(self.base_send)
            handshake = await self.gateway.shake_hands(request, outer, self.receive, send, answer)
            if handshake.gone or handshake.begun != "websocket.accept" or not handshake.answered:
                return False
            self.client = request.new_client(scope, self, place)
        finally:
            place.leave_if_empty()
        self._take_over()
        if has_logged_out(request, scope):  # while it was accepted
            self.client.close(Reason.SERVER_CLOSE)
        return True

    async def _say(self, message: dict[str, Any]) -> bool:
        """Send an ASGI message. Returns False if the connection is gone; ``receive`` reports it."""
        try:
            await self.base_send(message)
        except GONE:
            return False
        return True

    async def _upgrade(self, client: Client) -> bool:
        """Let a polling session move to this WebSocket. Returns whether it did.

        https://socket.io/docs/v4/engine-io-protocol/#upgrade
        """
        session = client.session
        if not await self._say({"type": "websocket.accept"}):
            return False
        if not session.start_upgrade(client.loop.time()):
            await self._say({"type": "websocket.close"})
            return False
        self.client = client
        client.upgrade_started(self)
        while True:
            message = await self.receive()
            if message["type"] != "websocket.receive":
                if client.prober is self:
                    client.prober = None
                    session.cancel_upgrade()
                return False
            if client.prober is not self:
                continue  # timed out, or the session is closed: our close() is under way
            if client.local.leaving and not session.probed:
                # Without a pong the client goes on polling; see Shutdown.wait_for_upgrades().
                client.prober = None
                session.cancel_upgrade()
                self.close()
                continue
            again = session.probed
            probe = session.receive_probe(_packet(message))
            if probe is Probe.PONG:
                await self._say({"type": "websocket.send", "text": PROBE_PONG.data})
                if not again and isinstance(client.transport, Polling):
                    client.transport.probed()
            elif probe is Probe.REFUSED:
                client.prober = None
                self.close()
            else:
                break
        client.prober = None
        old, client.transport = client.transport, self
        old.close()
        session.grant_time(client.loop.time())  # its pong may be on the way between the two
        client.upgraded()
        self._take_over()
        return True

    # In

    async def _serve(self) -> None:
        """Read until the connection ends, which is when the server's task may return."""
        try:
            await self._read()
            while not self._finished:
                self._spare = self.client.loop.create_future()
                await self._spare
                self._spare = None
                if not self._finished:
                    await self._read()
        except asyncio.CancelledError:
            self._lost(Reason.TRANSPORT_CLOSE)
            raise

    async def _read(self) -> None:
        """Read and handle frames until the connection ends or another task reads."""
        client, receive = self.client, self.receive
        session = client.session
        reader = self._reader = asyncio.current_task(client.loop)
        limit = client.settings.max_http_buffer_size
        spent, turn = 0, None
        while True:
            if client.crowded:
                if self._intake is not None:
                    self._intake.pause()
                await client.wait_until_caught_up()
            message = await receive()
            if message["type"] != "websocket.receive":
                self._disconnected(message.get("code"))
                return
            packet = message.get("text")
            if packet is None:
                packet = message.get("bytes") or b""
            size = len(packet)
            session.bytes_in += size
            spent += size + MESSAGE
            if size * 4 > limit and is_larger(packet, limit):
                self._close_code = TOO_BIG
                client.abort(Reason.TRANSPORT_ERROR, "a message over MAX_HTTP_BUFFER_SIZE")
                continue
            work = client.receive_packet(packet)
            message = packet = None  # frees them while the client is silent
            if work is not None:
                waited_for = start(work)
                if waited_for is not FINISHED:
                    self._hand_over()
                    await resume(work, waited_for)
                    if self._reader is not reader:
                        return
                work = None
            if spent > TURN:
                spent = 0
                if turn is not None and not turn.done():
                    await turn  # nobody else has run since it began
                turn = next_turn(client.loop)

    def _hand_over(self) -> None:
        """Let another task read, for this one has to wait for a handler."""
        spare = self._spare
        if spare is not None and not spare.done():
            self._reader = None
            spare.set_result(None)
        else:
            self._reader = None
            self.client.local.runtime.spawn(self._read(), self.client)

    def _disconnected(self, code: int | None) -> None:
        if code == SERVICE_RESTART:
            reason = Reason.SHUTTING_DOWN
        else:
            reason = Reason.TRANSPORT_ERROR if code in PROTOCOL_ERRORS else Reason.TRANSPORT_CLOSE
        self._lost(reason)

    def _lost(self, reason: Reason) -> None:
        """End the session: the connection is gone."""
        self._closing = self._finished = True
        if self.client.transport is self:
            self.client.session.set_writable(False)
            self.client.abort(reason)
        if self._drainer is not None:
            self._drainer.cancel()
        if self._spare is not None and not self._spare.done():
            self._spare.set_result(None)

    # Out

    def _take_over(self) -> None:
        self.client.session.set_writable(True)
        self.flush()

    def write(self, frame: Frame) -> None:
        """Write a frame at once. If the server's ``send`` has to wait, a task finishes it.

        ``send`` is a coroutine that waits only while the connection is not writable.
        """
        message = frame.wire
        if message is None:
            message = frame.wire = frame_message(frame.data)
        send = self.base_send
        coro = send(message)
        try:
            waited_for = coro.send(None)
        except StopIteration:
            return
        except GONE:
            # The connection is gone; receive() reports it.
            self.client.session.set_writable(False)
        except Exception as error:
            self.client.local.runtime.log.failure(error, "the server's send() failed")
            self.client.session.set_writable(False)
        else:
            client = self.client
            client.session.set_writable(False)
            if frame.size > client.session.options.low_water and client.stalled is None:
                stall(client)  # the session's buffer does not hold it
            drain = self._drain(coro, waited_for)
            self._drainer = client.local.runtime.spawn(drain, client)

    async def _drain(self, coro: Any, waited_for: Any) -> None:
        """Finish a write that waits, then write the frames in the buffer."""
        client = self.client
        session = client.session
        try:
            await resume(coro, waited_for)
            client.written()
            while (frame := session.take_one()) is not None:
                await self.base_send(frame_message(frame.data))
                client.written()
        except Exception as error:
            if not isinstance(error, GONE) and not self._closing:
                client.local.runtime.log.failure(error, "the server's send() failed")
            return
        finally:
            self._drainer = None
        if not self._closing:
            session.set_writable(True)
        if session.drained:
            client.abort(Reason.FORCED_CLOSE)

    def flush(self) -> None:
        """Write the frames in the session's buffer until one has to wait."""
        session = self.client.session
        while session.writable and (frame := session.take_one()) is not None:
            self.write(frame)
            self.client.written()
        if session.writable and not session.buffer:
            session.set_writable(True)
        if session.drained and self._drainer is None:
            self.client.abort(Reason.FORCED_CLOSE)

    def close(self) -> None:
        """Close the WebSocket, in a task that waits at most CLOSE_TIMEOUT seconds."""
        if self._closing:
            return
        self._closing = True
        if self._intake is not None:
            self._intake.resume()  # for the client's answer
        self.client.local.runtime.spawn(self._send_close(), self.client)

    async def _send_close(self) -> None:
        try:
            await asyncio.wait_for(send_close(self.base_send, self._close_code), CLOSE_TIMEOUT)
        except (
            asyncio.TimeoutError,
            RuntimeError,
        ):
            # Stands before OSError, of which TimeoutError is a subclass since Python 3.11.
            # ASGI has no way to cut the connection off but to end the server's task.
            self._lost(Reason.TRANSPORT_CLOSE)
            if self._reader is not None:
                self._reader.cancel()
        except OSError:
            pass


def _as_coroutine(send: Any) -> Any:
    """Wrap a ``send`` that returns another kind of awaitable than a coroutine (granian's)."""

    async def send_as_coroutine(message: dict[str, Any]) -> None:
        await send(message)

    return send_as_coroutine


def _is_endless(receive: Any) -> bool:
    """Return whether the server reads on while nobody calls ``receive``.

    daphne does: its ``receive`` is the ``get`` of a queue without bound. Other servers stop.
    """
    queue = getattr(receive, "__self__", None)
    return isinstance(queue, asyncio.Queue) and queue.maxsize <= 0


def _packet(message: dict[str, Any]) -> str | bytes:
    text = message.get("text")
    return text if text is not None else message.get("bytes") or b""
