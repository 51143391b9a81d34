"""Makes daphne's ``send`` wait while a client does not read.

daphne hands each message to Twisted, whose transport keeps without bound what cannot be written
yet. But Twisted tells a producer when to pause:
https://docs.twisted.org/en/stable/core/howto/producers.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]

# What daphne's WebSocket has, from autobahn.
_NEEDED = ("registerProducer", "unregisterProducer", "is_closed")


def patient(send: Send) -> Send:
    """Return a ``send`` that waits while the connection is not writable.

    Any other server's ``send`` comes back as it is.
    """
    protocol = send.args[0] if isinstance(send, partial) and send.args else None
    if not all(hasattr(protocol, name) for name in _NEEDED):
        return send
    return Producer(send, protocol).send


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
