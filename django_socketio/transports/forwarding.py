"""Carries requests that reach the wrong process through a tunnel to the session's owner, as ASGI.

The *gate* is the process that the client has reached. There :func:`forward_http` and
:func:`forward_websocket` carry a request between the ASGI server and the tunnel. The *owner* is the
process that has the session. There :func:`serve_forwarded` runs the same transport as for the
owner's own requests, with a ``receive`` and a ``send`` that use the tunnel.

Messages from the gate: ``["text", data]``, ``["bytes", data]``, ``["end", code]`` when the client
has left, ``["body", more, data]``, and RELEASE. From the owner: CONTINUE where it wants the body of
a request, ``["http", status, headers, body]``, or ``["accept"]``, ``["text", data]``,
``["bytes", data]``, ``["close", code]``, ``["deny", status, headers, body]``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from ..cluster.ends import RELEASE, IncomingEnd, Message, OutgoingEnd, OwnerGone
from ..conf import Settings
from ..engineio import ErrorCode, HandshakeRefused
from ..engineio.packets import PROBE_PONG, PacketType
from ..runtime.interruptible import Interruptible
from ..stats import counters
from .bodies import BodyAborted, BodyTooLarge, read_pieces
from .closing import ABNORMAL, GONE, NO_STATUS, NORMAL, SERVICE_RESTART, TOO_BIG, send_close
from .http import ANSWER_TIMEOUT, send_body
from .messages import frame_message, is_larger
from .request import Request

Scope = dict[str, Any]
ASGIApp = Callable[..., Awaitable[None]]

# The owner waits this many seconds for the receipt of an HTTP answer.
RECEIPT_TIMEOUT = 5.0
# The type of the ASGI message that asks a forwarded poll to answer now.
RELEASE_TYPE = "django_socketio.release"
# The key that marks the scope of a forwarded request.
FORWARDED = "django_socketio.tunnel"
# The message with which the owner answers a WebSocket that probes.
_PONG = ["text", PROBE_PONG.data]
# The message by which the owner asks for the body of a request that it serves.
CONTINUE: Message = ["continue"]

# The parts of a scope that the owner needs, beside headers and client.
_SCOPE: dict[str, type] = {
    "type": str,
    "method": str,
    "path": str,
    "query_string": bytes,
    "scheme": str,
    "http_version": str,
}
# The headers that the owner of a session reads. No other header leaves the gate, except with a
# handshake that another process takes over: the middleware there wants all of them.
OWNERS_HEADERS = frozenset(
    {
        b"accept-encoding",
        b"access-control-request-headers",
        b"content-length",
        b"content-type",
        b"host",
        b"origin",
    }
)
# What each header counts for beside its name and value, and the rest of a head, in bytes.
HEADER_OVERHEAD, HEAD_OVERHEAD = 8, 200


# At the gate


async def forward_http(request: Request, scope: Scope, receive: Any, send: Any) -> None:
    """Have the session's owner answer an HTTP request.

    The body of a POST is read when the owner asks for it. Raises HandshakeRefused if the owner is
    gone while the client still waits, BodyTooLarge for a body over MAX_HTTP_BUFFER_SIZE.
    """
    loop = asyncio.get_running_loop()
    settings = request.hub.settings
    async with _open_tunnel(request, scope) as end:
        reader = None if request.method == "POST" else loop.create_task(_watch(receive, end))
        try:
            answer = await end.read_first_message()
            if answer == CONTINUE:
                end.give_credit(answer)
                limit = settings.max_http_buffer_size
                reader = loop.create_task(_carry_body(receive, end, limit))
                answer = await end.read_without_credit()
        except ConnectionError:
            if reader is not None and reader.done() and reader.result():
                return
            raise
        finally:
            if reader is not None:
                reader.cancel()
        with suppress(OSError, asyncio.TimeoutError):
            _, status, headers, content = answer
            pairs = [(bytes(name), bytes(value)) for name, value in headers]
            await send({"type": "http.response.start", "status": status, "headers": pairs})
            sending = send_body(send, bytes(content), lambda: end.confirm_answer(answer))
            await Interruptible().run(sending, _patience(settings))


async def forward_websocket(request: Request, scope: Scope, receive: Any, send: Any) -> None:
    """Carry a WebSocket between its client and the session's owner until either side ends it.

    Raises HandshakeRefused if the owner is gone before it has accepted or refused the WebSocket.
    """
    async with _open_tunnel(request, scope) as end:
        message = await end.read_first_message()
        end.give_credit(message)
        limit = request.hub.settings.max_http_buffer_size
        reader = asyncio.get_running_loop().create_task(_forward_frames(receive, end, limit))
        sending = Interruptible()
        longest = _patience(request.hub.settings)
        try:
            while True:
                if message == _PONG:
                    if request.hub.local.leaving:
                        raise ConnectionError("this process ends")
                    end.upgrading = True
                await sending.run(_send_to_client(send, message), longest)
                if message[0] in ("close", "deny"):
                    return
                message = await end.read_message()
        except asyncio.TimeoutError:
            pass  # stands before OSError, of which it is a subclass since Python 3.11
        except OSError:
            # If the owner is gone but the client is not, make it connect anew.
            code = reader.result() if reader.done() else SERVICE_RESTART
            if code is not None:
                with suppress(*GONE, asyncio.TimeoutError):
                    await sending.run(send_close(send, code), ANSWER_TIMEOUT)
        finally:
            reader.cancel()


@asynccontextmanager
async def _open_tunnel(request: Request, scope: Scope) -> AsyncIterator[OutgoingEnd]:
    """Open a tunnel to the owner of a request's session, for the length of the block.

    Raises HandshakeRefused if the owner is gone, or if the block raises a ConnectionError.
    """
    head = {key: scope[key] for key in _SCOPE if key in scope}
    headers = [
        list(pair) for pair in scope["headers"] if request.passed_on or pair[0] in OWNERS_HEADERS
    ]
    head["headers"] = headers
    head["client"] = list(scope.get("client") or ("", 0))
    head["refusable"] = "websocket.http.response" in scope.get("extensions", {})
    texts = len(scope["path"]) + len(scope.get("query_string", b""))
    size = sum(len(name) + len(value) + HEADER_OVERHEAD for name, value in headers) + texts
    try:
        if request.owner is None:
            raise OwnerGone
        is_request = scope["type"] == "http"
        tunnels = request.hub.others.tunnels
        async with tunnels.open_tunnel(
            request.owner, head, size + HEAD_OVERHEAD, is_request
        ) as end:
            yield end
    except ConnectionError:
        if request.passed_on:
            raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503) from None
        raise HandshakeRefused(ErrorCode.UNKNOWN_SID) from None


def _patience(settings: Settings) -> float:
    """Return for how many seconds a client need not read: by then its session has ended."""
    return settings.ping_interval + settings.ping_timeout + ANSWER_TIMEOUT


async def _watch(receive: Any, end: OutgoingEnd) -> bool:
    """Break the tunnel once the client drops its request. Returns that it did."""
    while (await receive())["type"] != "http.disconnect":
        pass
    end.break_off()
    return True


async def _carry_body(receive: Any, end: OutgoingEnd, limit: int) -> bool:
    """Carry the body of a request, then wait for the client to drop it.

    Returns whether the client did, False if the tunnel broke. Raises BodyTooLarge.
    """
    try:
        async for piece, more in read_pieces(receive, limit):
            await end.send_message(["body", more, piece])
    except BodyAborted:
        end.break_off()
        return True
    except BodyTooLarge:
        counters.violations.add("a body over MAX_HTTP_BUFFER_SIZE")
        end.break_off()
        raise
    except ConnectionError:
        return False
    return await _watch(receive, end)


async def _forward_frames(receive: Any, end: OutgoingEnd, limit: int) -> int | None:
    """Carry the client's frames until one side ends, or one is larger than ``limit`` bytes.

    Returns the code with which the client is to be closed, None if it has left.
    """
    code: int | None = SERVICE_RESTART
    try:
        while code == SERVICE_RESTART:
            message = await receive()
            text = message.get("text")
            frame = (message.get("bytes") or b"") if text is None else text
            if message["type"] != "websocket.receive":
                code = None
                await end.send_message(["end", message.get("code") or NO_STATUS])
            elif is_larger(frame, limit):
                code = TOO_BIG
                counters.violations.add("a message over MAX_HTTP_BUFFER_SIZE")
                await end.send_message(["end", TOO_BIG])
            else:
                await end.send_message(["bytes" if text is None else "text", frame])
                if text == PacketType.UPGRADE:
                    end.upgrading = False
    except ConnectionError:
        pass
    finally:
        end.break_off()
    return code


async def _send_to_client(send: Any, message: Message) -> None:
    """Repeat a message of the owner to the client."""
    kind, *values = message
    if kind in ("text", "bytes"):
        await send(frame_message(values[0]))
    elif kind == "accept":
        await send({"type": "websocket.accept"})
    elif kind == "close":
        await send_close(send, values[0])
    elif kind == "deny":
        status, headers, body = values
        pairs = [(bytes(name), bytes(value)) for name, value in headers]
        kind = "websocket.http.response"
        await send({"type": kind + ".start", "status": status, "headers": pairs})
        await send({"type": kind + ".body", "body": bytes(body)})


# At the owner


def serve_forwarded(transports: Mapping[str, ASGIApp], end: IncomingEnd) -> Awaitable[None]:
    """Serve a forwarded request with the transport for its scope's type.

    Raises ValueError, KeyError or TypeError if the tunnel's head is no scope.
    """
    scope = _read_scope(end.head)
    forwarded = Forwarded(end, scope["type"], scope.get("method") == "POST")
    return transports[scope["type"]](scope, forwarded.receive, forwarded.send)


def _read_scope(head: dict[str, Any]) -> Scope:
    """Make an ASGI scope of a tunnel's head; check it, for it comes from outside."""
    plain = {key: head[key] for key in _SCOPE if key in head}
    headers = [(name, value) for name, value in head["headers"]]
    if (
        plain["type"] not in ("http", "websocket")
        or not all(isinstance(value, _SCOPE[key]) for key, value in plain.items())
        or not all(isinstance(item, bytes) for pair in headers for item in pair)
    ):
        raise ValueError("not a scope")
    return {
        **plain,
        "headers": headers,
        "client": tuple(head["client"]),
        "extensions": {"websocket.http.response": {}} if head.get("refusable") else {},
        "asgi": {"version": "3.0"},
        "root_path": "",
        "subprotocols": [],
        FORWARDED: True,
    }


class Forwarded:
    """The ASGI ``receive`` and ``send`` of a forwarded request."""

    def __init__(self, end: IncomingEnd, kind: str, has_body: bool) -> None:
        self._end = end
        self._is_http = kind == "http"
        self._has_body = has_body
        self._begun = False
        # The status and the headers of an answer whose body is still to come, and its pieces.
        self._start: list[Any] = []
        self._pieces: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        """Return the next ASGI message; after the tunnel breaks, that the client has gone."""
        begun, self._begun = self._begun, True
        if not (begun or self._is_http):
            return {"type": "websocket.connect"}
        if not (begun or self._has_body):
            return {"type": "http.request", "body": b"", "more_body": False}
        try:
            if not begun:
                await self._end.send_message(CONTINUE)
            message = await self._end.read_message()
            while self._has_body and message == RELEASE:  # which is for polls
                message = await self._end.read_message()
        except ConnectionError:
            if self._is_http:
                return {"type": "http.disconnect"}
            return {"type": "websocket.disconnect", "code": ABNORMAL}
        kind, *_, value = message
        if kind == "body":
            return {"type": "http.request", "body": value, "more_body": message[1]}
        if message == RELEASE:
            return {"type": RELEASE_TYPE}
        if kind == "end":
            return {"type": "websocket.disconnect", "code": value}
        return {"type": "websocket.receive", kind: value}

    async def send(self, message: dict[str, Any]) -> None:
        """Send an ASGI message. For an HTTP answer, wait until the gate has sent it.

        Raises ConnectionError if the tunnel is broken.
        """
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            headers = [list(pair) for pair in message.get("headers", ())]
            self._start = [message["status"], headers]
        elif kind == "http.response.body":
            self._pieces.append(message.get("body", b""))
            if message.get("more_body", False):
                return
            await self._end.send_message(["http", *self._start, b"".join(self._pieces)])
            await self._end.wait_for_receipt(RECEIPT_TIMEOUT)
        elif kind == "websocket.http.response.body":
            await self._end.send_message(["deny", *self._start, message.get("body", b"")])
        elif kind == "websocket.accept":
            await self._end.send_message(["accept"])
        elif kind == "websocket.close":
            await self._end.send_message(["close", message.get("code") or NORMAL])
        elif message.get("text") is not None:
            await self._end.send_message(["text", message["text"]])
        else:
            await self._end.send_message(["bytes", message["bytes"]])
