"""django-sio: Socket.IO on a Channels consumer per transport."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django has to be set up
from django.urls import path  # noqa: E402
from sio import SocketIOConsumer  # noqa: E402

from benchmarks.servers import database  # noqa: E402


class Consumer(SocketIOConsumer):
    async def connect(self, socket: Any, auth: Any) -> bool:
        return True

    async def event_echo(self, socket: Any, data: Any, ack: Any = None) -> None:
        await socket.emit("echo", data)

    async def event_ack(self, socket: Any, data: Any, ack: Any = None) -> None:
        await ack(data)

    async def event_join(self, socket: Any, ack: Any = None) -> None:
        await socket.join("all")
        await ack()

    async def event_broadcast(self, socket: Any, data: Any, ack: Any = None) -> None:
        await socket.server.emit("broadcast", data, room="all")

    async def event_query(self, socket: Any, ack: Any = None) -> None:
        await ack(await database.aquery())


consumer = Consumer.as_asgi()
application = ProtocolTypeRouter(
    {
        "http": URLRouter([path("socket.io/", consumer)]),
        "websocket": URLRouter([path("socket.io/", consumer)]),
    }
)
