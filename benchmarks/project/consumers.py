from __future__ import annotations

from typing import Any

from benchmarks.project.query import query
from django_socketio import SocketIOConsumer, event, io, register


@register("/")
class Consumer(SocketIOConsumer):
    """What every server of the benchmarks does."""

    @event
    async def echo(self, data: Any) -> None:
        self.emit("echo", data)

    @event
    async def ack(self, data: Any) -> Any:
        return data

    @event("join")
    async def enter_room(self) -> None:
        await self.join("all")

    @event("broadcast")
    async def tell_all(self, data: Any) -> None:
        io.to("all").emit("broadcast", data)

    @event("query")
    def ask_database(self) -> str:
        return query()
