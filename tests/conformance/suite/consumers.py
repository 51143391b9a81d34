"""Tells a client its ``auth``, sends messages back and acknowledges them, in two namespaces.

What https://github.com/socketio/socket.io-protocol/tree/main/test-suite asks of a server.
"""

from __future__ import annotations

from typing import Any

from django_socketio import SocketIOConsumer, event, register


class Suite(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        self.emit("auth", auth or {})

    @event
    async def message(self, *args: Any) -> None:
        self.emit("message-back", *args)

    @event("message-with-ack")
    async def message_with_ack(self, *args: Any) -> tuple[Any, ...]:
        return args


@register("/")
class Main(Suite):
    pass


@register("/custom")
class Custom(Suite):
    pass
