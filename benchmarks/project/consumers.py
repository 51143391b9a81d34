from __future__ import annotations

import asyncio
from typing import Any

from benchmarks.project.query import query
from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, register


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


@register("/target")
@register("/many/<int:number>")
class Target(SocketIOConsumer):
    """What hostile clients call."""

    @event
    async def echo(self, data: Any) -> None:
        self.emit("echo", data)

    @event
    async def take(self, *args: Any) -> None: ...

    @event
    def plain(self, *args: Any) -> None: ...

    @event
    def fail(self, *args: Any) -> None:
        raise LookupError("a mistake in a plain handler")

    @event
    async def fail_at_once(self, *args: Any) -> None:
        raise LookupError("a mistake in an async handler")

    @event(concurrent=True)
    async def overlap(self, *args: Any) -> None:
        await asyncio.sleep(0.1)

    @event
    async def slow(self, *args: Any) -> None:
        await asyncio.sleep(2)

    @event
    def wait(self) -> None:
        self.call("question")

    @event
    async def enter(self, *rooms: str) -> None:
        self.join(*rooms)

    @event
    async def publish(self, size: int) -> None:
        self.emit("published", "x" * size)


@register("/refused")
class Refused(SocketIOConsumer):
    """Lets nobody in."""

    async def authenticate(self, auth: Any) -> Any:
        raise ConnectionRefused("no")
