"""Ours around a router that has a WebSocket route of plain Channels, and Django for the rest."""

from __future__ import annotations

import os

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

from django_socketio.asgi import SocketIOApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.project.settings")
django_application = get_asgi_application()


class PlainEcho(AsyncWebsocketConsumer):
    """A WebSocket of its own, which also speaks through the channel layer's groups."""

    groups = ("plain",) if hasattr(settings, "CHANNEL_LAYERS") else ()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is not None and text_data.startswith("all:"):
            await self.channel_layer.group_send("plain", {"type": "said", "text": text_data})
        else:
            await self.send(text_data=text_data, bytes_data=bytes_data)

    async def said(self, message: dict[str, str]) -> None:
        await self.send(text_data=message["text"])


application = SocketIOApplication(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": URLRouter([path("plain/", PlainEcho.as_asgi())]),
        }
    )
)
