"""What a Django project does without Socket.IO: Channels' generic consumer, groups, plain JSON."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")
django.setup()

from channels.db import database_sync_to_async  # noqa: E402 - Django has to be set up
from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from benchmarks.project.query import query  # noqa: E402


class Consumer(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        event = content["event"]
        if event == "echo":
            await self.send_json(content)
        elif event == "join":
            await self.channel_layer.group_add("all", self.channel_name)
            await self.send_json(content)
        elif event == "broadcast":
            await self.channel_layer.group_send("all", {"type": "forward", "content": content})
        elif event == "query":
            answer = await database_sync_to_async(query)()
            await self.send_json({"event": event, "data": answer})

    async def forward(self, message: dict[str, Any]) -> None:
        await self.send_json(message["content"])

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("all", self.channel_name)


application = ProtocolTypeRouter({"websocket": URLRouter([path("plain/", Consumer.as_asgi())])})
