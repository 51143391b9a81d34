"""Makes daphne wait: its ``send`` for clients that do not read, its clients while we do not read.

And has it pass on the headers with which a WebSocket is accepted.

daphne hands each message to Twisted, whose transport keeps without bound what cannot be written
yet, and puts all that comes into a queue without bound. But Twisted tells a producer when to pause,
and a transport that it is to pause:
https://docs.twisted.org/en/stable/core/howto/producers.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LINE_ENDS = frozenset(b"\r\n\0")

# What daphne's WebSocket has, from autobahn.
_NEEDED = ("registerProducer", "unregisterProducer", "is_closed")


# So many messages may wait in daphne's queue; Twisted reads on in steps of 64 KiB.
MOST = 64


def patient(send: Send) -> Send:
    """Return a ``send`` that waits while the connection is not writable.

    Any other server's ``send`` comes back as it is.
    """
    protocol = _protocol_of(send)
    return send if protocol is None else Producer(send, protocol).send


def passing_headers(send: Send) -> Send:
    """Return a ``send`` for a handshake: daphne would drop the headers of ``websocket.accept``.

    autobahn, below it, takes them together with the subprotocol, and writes them as they are. Any
    other server's ``send`` comes back as it is.
    """
    if not isinstance(getattr(send, "__self__", None), Producer):
        return send

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "websocket.accept" and message.get("headers"):
            headers: dict[str, list[str]] = {}
            for name, value in message["headers"]:
                if {*name, *value} & _LINE_ENDS:
                    raise ValueError("a header holds the end of a line")
                headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
            message = {**message, "subprotocol": (message.get("subprotocol"), headers)}
        await send(message)

    return send_with_headers


def intake_of(receive: Receive, send: Send) -> Intake | None:
    """Return what reads from daphne's queue; None for any other server."""
    queue, protocol = getattr(receive, "__self__", None), _protocol_of(send)
    transport = getattr(protocol, "transport", None)
    if isinstance(queue, asyncio.Queue) and hasattr(transport, "pauseProducing"):
        return Intake(queue, transport)
    return None


def _protocol_of(send: Send) -> Any:
    """Return daphne's WebSocket, whose bound method its ``send`` calls; None for other servers."""
    protocol = send.args[0] if isinstance(send, partial) and send.args else None
    return protocol if all(hasattr(protocol, name) for name in _NEEDED) else None


class Intake:
    """daphne's queue of what has come over a WebSocket. The client waits while it is long."""

    __slots__ = ("_paused", "_queue", "_transport")

    def __init__(self, queue: asyncio.Queue[Message], transport: Any) -> None:
        self._queue = queue
        self._transport = transport
        self._paused = False

    async def receive(self) -> Message:
        """Return the next message."""
        if self._paused:
            if self._queue.empty():
                self.resume()
        elif self._queue.qsize() > MOST:
            self.pause()
        return await self._queue.get()

    def pause(self) -> None:
        """Make the client wait until the queue is empty."""
        if not self._paused:
            self._paused = True
            self._transport.pauseProducing()

    def resume(self) -> None:
        """Let the client go on."""
        if self._paused:
            self._paused = False
            self._transport.resumeProducing()


class Producer:
    """What Twisted calls a push producer: its methods have the names that Twisted calls."""

    __slots__ = ("_free", "_protocol", "_send")

    def __init__(self, send: Send, protocol: Any) -> None:
        self._send = send
        self._protocol = protocol
        # Pending while the transport holds more than it likes.
        self._free: asyncio.Future[None] | None = None
        # In place of the HTTP channel, which has no part in the connection any more.
        protocol.unregisterProducer()
        protocol.registerProducer(self, True)
        protocol.is_closed.addCallback(self._closed)

    async def send(self, message: dict[str, Any]) -> None:
        """Hand over a message, then wait until the connection can take the next one."""
        if message["type"] == "websocket.close":
            # Twisted does not end a connection for which somebody still produces.
            self._protocol.unregisterProducer()
            self.resumeProducing()
        await self._send(message)
        if self._free is not None:
            await asyncio.shield(self._free)

    def pauseProducing(self) -> None:  # noqa: N802
        """Make ``send`` wait."""
        if self._free is None:
            self._free = asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:  # noqa: N802
        """Let ``send`` go on."""
        free, self._free = self._free, None
        if free is not None:
            free.set_result(None)

    def stopProducing(self) -> None:  # noqa: N802
        """Let ``send`` go on: the connection is gone, and daphne drops what it is given."""
        self.resumeProducing()

    def _closed(self, result: Any) -> Any:
        # autobahn may drop a connection without a word to the producer.
        self.resumeProducing()
        return result
