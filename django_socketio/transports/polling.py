"""HTTP long-polling: https://socket.io/docs/v4/engine-io-protocol/#http-long-polling

A session has one :class:`Polling`, its link to the request that waits. A new
:class:`PollingConsumer` serves each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from channels.consumer import AsyncConsumer

from ..engineio import ErrorCode, Frame, HandshakeRefused, Reason
from ..engineio.packets import CLOSE, NOOP
from ..engineio.states import CLOSED, OPEN
from ..runtime.interruptible import Interrupted, Interruptible
from ..runtime.turns import MESSAGE, TURN
from ..signals import connection_refused
from ..sockets.client import Client
from ..sockets.stalls import note_poll
from ..sockets.transport import BODY_OVERDUE
from ..stats import counters
from .bodies import PIECE, BodyAborted, BodyTooLarge, read_body
from .forwarding import RELEASE_TYPE, forward_http
from .gateway import Gateway
from .http import (
    ANSWER_TIMEOUT,
    CLOSE_CONNECTION,
    VARIES,
    choose_encoding,
    compress,
    cors_headers,
    error_body,
    preflight_headers,
    respond,
)
from .refusals import tell_refused
from .request import Request

TEXT_TYPE, BINARY_TYPE = b"text/plain; charset=UTF-8", b"application/octet-stream"
# While a WebSocket probes, polls return after this many seconds, so that the client can pause; as
# in Node. The first returns sooner. It does not return at once: where the client's UPGRADE is right
# behind its probe, the poll came behind both, on another connection, and has to be refused.
PROBE_INTERVAL = 0.1
FIRST_PROBE_INTERVAL = 0.025
# After this many seconds a waiting poll gets a task that notices when its client leaves.
WATCH_AFTER = 0.25


class Polling:
    """The transport of a session that polls."""

    name = "polling"
    # A client waits for the answer to a POST before the next one, so a late answer slows it down.
    pausable = True

    def __init__(self) -> None:
        self.client: Client
        # The poll that waits, the POST that is being read, and large answers that are on their way.
        self.poll: asyncio.Future[None] | None = None
        self.post: Interruptible | None = None
        self.answers: tuple[Interruptible, ...] = ()
        # While a WebSocket probes, the next poll waits this many seconds.
        self.patience = 0.0

    def write(self, frame: Frame) -> None:
        """Never called: a polling session is never ``direct``."""
        raise RuntimeError("polling cannot write past the buffer")

    def flush(self) -> None:
        """Make the waiting poll return if the buffer holds anything."""
        if self.client.session.buffer:
            self.release()
        if self.post is not None and self.client.session.state is not OPEN:
            self.post.interrupt()  # no packet of it would be taken

    def release(self) -> None:
        """Make the waiting poll return, even with an empty buffer."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(None)

    def probed(self) -> None:
        """Make polls return soon: a WebSocket probes, and the client has to stop polling."""
        self.patience = FIRST_PROBE_INTERVAL
        if self.poll is not None:
            self.client.loop.call_later(self.patience, self.release)

    def close(self) -> None:
        """End the requests: the session is closed, or has another transport."""
        self.release()
        if self.post is not None and self.client.session.state is not OPEN:
            self.post.interrupt()  # what an upgrade finds under way still counts
        self._end_answers()

    def _end_answers(self) -> None:
        """Let answers end soon: their session has ended, or has another transport."""
        for answer in self.answers:
            self.client.loop.call_later(ANSWER_TIMEOUT, answer.interrupt)

    async def send_large(self, answer: Coroutine[Any, Any, None]) -> None:
        """Await the sending of a large answer: it waits for the client, but not for ever."""
        sending = Interruptible()
        self.answers = (*self.answers, sending)
        if self.client.transport is not self:
            self._end_answers()
        try:
            await sending.run(answer)
        except Interrupted:
            # The server ends the connection, since the answer is not complete.
            counters.limits.add("an answer that was not read")
        finally:
            self.answers = tuple(other for other in self.answers if other is not sending)
            if self.poll is not None and not self.answers:
                note_poll(self.client)  # it polled while the last of it was on its way


class PollingConsumer(AsyncConsumer):
    """Serves one HTTP request: a handshake, a poll, a POST or a preflight."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        # The task that notices when the client of a waiting poll leaves.
        self._watcher: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the request, without the channel and the tasks of Channels' own method."""
        self.scope = scope
        self.receive = receive
        self.base_send = send
        request = self.gateway.read_request(scope)
        cors = VARIES
        try:
            self.gateway.check_origin(scope, request)
            cors = cors_headers(request)
            if request.method == "OPTIONS" and request.origin is not None:
                await respond(send, 204, headers=preflight_headers(request))
                return
            self.gateway.check(scope, request)
            client = request.client
            if request.owner is not None:
                await forward_http(request, scope, receive, send)
            elif client is None:
                await self._handshake(request, cors)
            elif request.method == "GET":
                await self._poll(client, request, cors)
            elif request.method == "POST":
                await self._post(client, request, cors)
            else:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        except BodyTooLarge:
            await respond(send, 413, headers=[*cors, CLOSE_CONNECTION])
        except HandshakeRefused as refused:
            self.gateway.note_refusal(scope, request, refused)
            if connection_refused.receivers:
                await tell_refused(scope, request, refused)
            await respond(send, refused.status, error_body(refused), b"application/json", cors)

    async def _handshake(self, request: Request, cors: list[tuple[bytes, bytes]]) -> None:
        outer, place = self.gateway.reserve(self.scope, request)
        link = Polling()
        client: Client | None = None
        lost = True

        async def answer(scope: Any, send: Any) -> None:
            nonlocal client
            client = link.client = request.new_client(scope, link, place)
            session = client.session
            cookie = request.hub.settings.bake_cookie(session.sid)
            headers = cors
            if cookie is not None:
                headers = [*cors, (b"set-cookie", cookie.encode("latin-1"))]
            session.set_writable(True)
            frames = session.take()
            session.set_writable(False)
            await self._answer(send, link, frames, request, headers)

        try:
            await self.gateway.wait_until_known(request)
            handshake = await self.gateway.shake_hands(
                request, outer, self.receive, self.base_send, answer
            )
            lost = handshake.gone or not handshake.begun
        finally:
            place.leave_if_empty()
            if lost and client is not None:
                client.abort(Reason.TRANSPORT_CLOSE)  # it does not know its session's id

    async def _poll(
        self, client: Client, request: Request, cors: list[tuple[bytes, bytes]]
    ) -> None:
        session = client.session
        link = _link(client)
        if link.poll is not None:
            client.abort(Reason.TRANSPORT_ERROR, "a poll while another one waits")
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        if not link.answers:  # else the client has not read what it was sent
            note_poll(client)
        session.set_writable(True)
        if not session.buffer:
            await self._wait(client, link)
        frames = []
        if client.transport is link:  # not upgraded meanwhile
            frames = session.take()
            session.set_writable(False)
            client.written()
        elif session.transport != link.name:
            # As if it had come after the upgrade: a client waits for its poll, and then upgrades.
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        if not frames:
            # The poll returns with an empty buffer: a WebSocket probes, or the session is closed.
            over = session.state is CLOSED and session.close_reason is not Reason.TRANSPORT_CLOSE
            frames = [CLOSE if over else NOOP]
        drained = session.drained
        if drained:
            client.abort(Reason.FORCED_CLOSE)
        if drained and client.local.closing:
            # Every client connects again after this error; not all do so after CLOSE.
            raise HandshakeRefused(ErrorCode.UNKNOWN_SID)
        try:
            await self._answer(self.base_send, link, frames, request, cors)
        except OSError:
            client.abort(Reason.TRANSPORT_ERROR, "the answer to a poll was lost")

    async def _wait(self, client: Client, link: Polling) -> None:
        """Wait until there is something to send, or the session or the request ends."""
        loop = client.loop
        link.poll = loop.create_future()
        watch = loop.call_later(WATCH_AFTER, self._start_to_watch, client, link)
        timer = None
        if client.session.probed:
            timer = loop.call_later(link.patience, link.release)
            link.patience = PROBE_INTERVAL
        try:
            await link.poll
        finally:
            link.poll = None
            watch.cancel()
            if self._watcher is not None:
                self._watcher.cancel()
            if timer is not None:
                timer.cancel()

    def _start_to_watch(self, client: Client, link: Polling) -> None:
        self._watcher = client.loop.create_task(self._watch(client, link))

    async def _watch(self, client: Client, link: Polling) -> None:
        while (kind := (await self.receive())["type"]) != "http.disconnect":
            if kind == RELEASE_TYPE:
                link.release()
        client.abort(Reason.TRANSPORT_ERROR, "a poll was dropped")

    async def _post(
        self, client: Client, request: Request, cors: list[tuple[bytes, bytes]]
    ) -> None:
        link = _link(client)
        if link.post is not None:
            client.abort(Reason.TRANSPORT_ERROR, "a POST while another one is read")
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        binary = request.header(b"content-type") == "application/octet-stream"
        if binary and not client.session.takes_binary_bodies:
            client.abort(Reason.TRANSPORT_ERROR, "a binary body")
            raise HandshakeRefused(ErrorCode.BAD_REQUEST)
        post = link.post = Interruptible()
        try:
            settings = client.settings
            reading = read_body(self.receive, request.headers, settings.max_http_buffer_size)
            body = await post.run(reading, settings.body_timeout)
            if client.session.state is CLOSED:
                raise HandshakeRefused(ErrorCode.UNKNOWN_SID)
            if client.session.expectant:
                client.session.grant_time(client.loop.time())
            try:
                payload = body if binary else body.decode("utf-8")
            except UnicodeDecodeError:
                client.abort(Reason.PARSE_ERROR, "a body that is not UTF-8")
            else:
                await self._receive(client, payload)
        except BodyTooLarge:
            client.abort(Reason.TRANSPORT_ERROR, "a body over MAX_HTTP_BUFFER_SIZE")
            raise
        except BodyAborted:
            client.abort(Reason.TRANSPORT_ERROR, "a POST was dropped")
            return
        except Interrupted:
            raise HandshakeRefused(ErrorCode.UNKNOWN_SID) from None
        except asyncio.TimeoutError:
            client.abort(Reason.TRANSPORT_ERROR, BODY_OVERDUE)
            await respond(self.base_send, 408, headers=[*cors, CLOSE_CONNECTION])
            return
        finally:
            link.post = None
        try:
            await respond(self.base_send, 200, b"ok", b"text/html", cors)
        except OSError:
            client.abort(Reason.TRANSPORT_ERROR, "the answer to a POST was lost")

    async def _receive(self, client: Client, payload: str | bytes) -> None:
        """Handle a payload, with pauses for other clients and for the handlers of this one."""
        spent = 0
        for work in client.receive_payload(payload):
            if work is not None:
                client.local.runtime.spawn(work, client)
            spent += MESSAGE
            if client.crowded:
                await client.wait_until_caught_up()
            elif spent > TURN:
                spent = 0
                await asyncio.sleep(0)

    async def _answer(
        self,
        send: Any,
        link: Polling,
        frames: list[Frame],
        request: Request,
        headers: list[tuple[bytes, bytes]],
    ) -> None:
        content = link.client.session.encode_payload(frames)
        kind = TEXT_TYPE if isinstance(content, str) else BINARY_TYPE
        body = content.encode() if isinstance(content, str) else content
        threshold = request.hub.settings.compression_threshold
        compressed = (
            threshold is not None
            and len(body) >= threshold
            and any(frame.compress for frame in frames)
        )
        frames.clear()  # a client may take long to read the body
        if compressed:
            encoding = choose_encoding(request.header(b"accept-encoding"))
            if encoding is not None:
                body = await compress(body, encoding, request.hub.settings.compression_level)
                headers = [
                    *headers,
                    (b"content-encoding", encoding.encode()),
                    (b"vary", b"Accept-Encoding"),
                ]
        answer = respond(send, 200, body, kind, headers)
        await (answer if len(body) <= PIECE else link.send_large(answer))


def _link(client: Client) -> Polling:
    """Return the link of a polling client. Raises HandshakeRefused for a client on a WebSocket."""
    link = client.transport
    if not isinstance(link, Polling):
        raise HandshakeRefused(ErrorCode.BAD_REQUEST)
    return link
