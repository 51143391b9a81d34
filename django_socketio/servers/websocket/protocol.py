"""The WebSocket end of uvicorn: ``--ws django_socketio.servers.uvicorn:WebSocketProtocol``.

ASGI's side: https://asgi.readthedocs.io/en/latest/specs/www.html#websocket. What uvicorn expects of
such a class is what its own do, in ``uvicorn/protocols/websockets``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import (
    ClientDisconnected,
    get_client_addr,
    get_local_addr,
    get_path_with_query_string,
    get_remote_addr,
    is_ssl,
)
from uvicorn.server import ServerState

from .connection import BINARY, TEXT, Connection
from .direct import EXTENSION, VERSION, Line
from .link import ABNORMAL, CLOSED, CLOSING, CONNECTING, FAILED, LINGER, OPEN, RESTART
from .upgrade import (
    BadUpgrade,
    Headers,
    accept_response,
    plain_response,
    read_upgrade,
    response,
)

# So many bytes may have come that the application has not taken; it costs memory, not time.
MOST_QUEUED = 65536
# What a message in the queue counts beside its length.
MESSAGE = 100
# So much may come before the application has accepted.
MOST_EARLY = 65536

Message = dict[str, Any]


class WebSocketProtocol(Connection):
    """Serves one WebSocket: its handshake, and the application's ``receive`` and ``send``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        loop = _loop or asyncio.get_event_loop()
        super().__init__(loop, config.ws_max_size, config.ws_ping_interval, config.ws_ping_timeout)
        # Not "config": transports/advice.py would find there that it compresses.
        self._config = config
        self.server_state, self.app_state = server_state, app_state
        self.logger = logging.getLogger("uvicorn.error")
        self.scope: Any = {}
        # What has come of the request; behind it, what has come before the acceptance.
        self._early = b""
        self._begun = False
        self._key = b""
        # An answer other than an acceptance has begun.
        self._denying = False
        # The application has sent ``websocket.close``, or all of another answer.
        self._finished = False
        # The messages that the application has not received: text and bytes as they are.
        self._queue: deque[Any] = deque()
        self._queued = 0
        self._full = False
        self._waiter: asyncio.Future[None] | None = None
        self.message = self._put
        # What takes the place of receive() and send().
        self._line: Line | None = None

    # asyncio's side, until picows takes over

    def connection_made(self, transport: Any) -> None:
        """Take the connection from uvicorn's HTTP protocol."""
        self.server_state.connections.add(self)  # type: ignore[arg-type]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take the request, and what comes before it is answered; drop what comes afterwards."""
        if self.state is not CONNECTING:
            return
        self._early += data
        if self._begun:
            if len(self._early) > MOST_EARLY:
                self.transport.pause_reading()
            return
        head, end, rest = self._early.partition(b"\r\n\r\n")
        if end:
            self._early, self._begun = rest, True
            self._begin(head)

    def eof_received(self) -> None:
        """Let the transport close itself."""

    def connection_lost(self, error: Exception | None) -> None:
        """Take asyncio's word that the connection is gone."""
        self.gone()

    def gone(self) -> None:
        """Clean up, and let go who waits."""
        self.server_state.connections.discard(self)
        super().gone()
        # These refer to this object: without them it is freed at once.
        self.message, self.scope, self._line = _ignore, {}, None

    def shutdown(self) -> None:
        """End the connection, for uvicorn shuts down."""
        if self.state is OPEN:
            self.close(RESTART, "", LINGER)
            self.tell_end(RESTART)
        elif self.state is CONNECTING:
            self._answer(plain_response(503, self._headers(), b"Service Unavailable"))
        elif self.state is CLOSING:
            self.hang_up()

    # The handshake

    def _headers(self) -> Headers:
        return list(self.server_state.default_headers)

    def _begin(self, head: bytes) -> None:
        """Start the application for a request."""
        try:
            upgrade = read_upgrade(head)
        except BadUpgrade as error:
            headers = self._headers() + error.headers
            self._answer(plain_response(error.status, headers, str(error).encode()))
            return
        self._key = upgrade.key
        root, transport = self._config.root_path, self.transport
        self.scope = {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": root,
            "path": root + unquote(upgrade.path.decode("ascii")),
            "raw_path": root.encode("ascii") + upgrade.path,
            "query_string": upgrade.query,
            "headers": upgrade.headers,
            "subprotocols": upgrade.subprotocols,
            "state": self.app_state.copy(),
            "extensions": {
                "websocket.http.response": {},
                EXTENSION: {"version": VERSION, "take": self.take},
            },
        }
        self._queue.append({"type": "websocket.connect"})
        task = self.loop.create_task(self._run())
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    async def _run(self) -> None:
        """Run the application, and end what it leaves open."""
        code, text = 1000, b"Internal Server Error"
        try:
            result = await self._config.loaded_app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            code = FAILED
        else:
            if self.state is CONNECTING:
                self.logger.error("ASGI callable returned without completing handshake.")
            elif result is not None:
                self.logger.error("ASGI callable should return None, but returned '%s'.", result)
        if self.state is OPEN:
            self.close(code, "")
        elif self.state is CONNECTING and not self._denying:
            self._answer(plain_response(500, self._headers(), text))
        elif self.state is CONNECTING:
            self.hang_up()

    def _answer(self, data: bytes) -> None:
        """Write the whole of an answer that opens no WebSocket."""
        self._finished = True
        self.transport.write(data)
        self.hang_up()
        self.tell_end(ABNORMAL)

    def _note(self, outcome: str) -> None:
        address, path = get_client_addr(self.scope), get_path_with_query_string(self.scope)
        self.logger.info('%s - "WebSocket %s" %s', address, path, outcome)

    def _accept(self, message: Message) -> None:
        headers = [*self._headers(), *message.get("headers", ())]
        if message.get("subprotocol"):
            headers.append((b"sec-websocket-protocol", message["subprotocol"].encode("latin-1")))
        self.transport.write(accept_response(self._key, headers))
        self._note("[accepted]")
        early, self._early = self._early, b""
        self.open(early)

    def _deny(self, message: Message) -> None:
        """Begin an answer other than an acceptance: ``websocket.http.response.start``.

        https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response
        """
        status = message["status"]
        if not 200 <= status < 600:
            raise RuntimeError(f"Invalid HTTP status code '{status}' in response.")
        headers = [*self._headers(), *message.get("headers", ()), (b"connection", b"close")]
        self.transport.write(response(status, headers))
        self._note(str(status))
        self._denying = True

    def _send_body(self, message: Message) -> None:
        self.transport.write(message.get("body", b""))
        if not message.get("more_body", False):
            self._finished = True
            self.hang_up()
            self.tell_end(ABNORMAL)

    # In

    def _put(self, data: str | bytes) -> None:
        """Queue a message for the application. Reading pauses while it takes none."""
        self._queue.append(data)
        self._queued += len(data) + MESSAGE
        if self._queued > MOST_QUEUED and not self._full:
            self._full = True
            self.hold()
        self._wake_receiver()

    def take(self, receiver: Any) -> Line:
        """Let the application be called, in place of its calls: the direct extension's ``take``."""
        waiting = (item["code"] if item.__class__ is dict else item for item in self._queue)
        self._line = Line(self, receiver, deque(waiting))
        self._queue.clear()
        if self._full:
            self.release()
        return self._line

    def new_wire(self) -> None:
        """Have picows read and write from now on."""
        super().new_wire()
        if self._line is not None:
            self._line.renew()

    def ended(self, code: int, reason: str) -> None:
        """Tell the application the end, behind what it has not received."""
        if self._line is not None:
            self._line.ended(code)
            return
        self._queue.append({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._wake_receiver()

    def _wake_receiver(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self) -> Message:
        """Return the next message. Waits for ever behind ``websocket.disconnect``."""
        while not self._queue:
            self._waiter = self.loop.create_future()
            await self._waiter
        data = self._queue.popleft()
        if data.__class__ is dict:
            return dict(data)
        self._queued -= len(data) + MESSAGE
        if self._full and not self._queue:
            self._full = False
            self.release()
        return {"type": "websocket.receive", "text" if data.__class__ is str else "bytes": data}

    # Out

    async def send(self, message: Message) -> None:
        """Send what the application says. Waits while the client does not read.

        Raises ClientDisconnected, an OSError, once the connection is closed, and RuntimeError for a
        message out of turn.
        """
        if not self.writable:
            await self.wait_until_writable()
        kind, state = message["type"], self.state
        if state is OPEN:
            if kind == "websocket.send":
                data = message.get("bytes")
                if data is not None:
                    self.out.send(BINARY, data)
                elif (text := message.get("text")) is not None:
                    self.out.send(TEXT, text)
            elif kind == "websocket.close":
                code, reason = message.get("code", 1000), message.get("reason") or ""
                self._finished = True
                self.close(code, reason)
                self.tell_end(code, reason)
            else:
                raise RuntimeError(f"Unexpected ASGI message '{kind}' in an open WebSocket.")
        elif self._finished and state is not CLOSED:
            raise RuntimeError(f"Unexpected ASGI message '{kind}', after 'websocket.close'.")
        elif state is not CONNECTING or self.transport.is_closing():
            raise ClientDisconnected
        elif self._denying:
            if kind != "websocket.http.response.body":
                raise RuntimeError(f"Unexpected ASGI message '{kind}' in a denial response.")
            self._send_body(message)
        elif kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            self._note("403")
            self._answer(plain_response(403, self._headers(), b""))
        elif kind == "websocket.http.response.start":
            self._deny(message)
        else:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' before 'websocket.accept'.")

    def pause_writing(self) -> None:
        """Take the transport's word that it holds much that is not sent."""
        super().pause_writing()
        if self._line is not None:
            self._line.receiver.pause_writing()

    def resume_writing(self) -> None:
        """Take the transport's word that it can take more."""
        super().resume_writing()
        if self._line is not None:
            self._line.receiver.resume_writing()


def _ignore(data: str | bytes) -> None:
    """Take the messages of a connection that has ended."""
