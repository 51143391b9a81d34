"""The same namespaces and handlers as ``reference.mjs``."""

from __future__ import annotations

import asyncio
from typing import Any

from django_socketio import ConnectionRefused, SocketIOConsumer, event, register
from django_socketio.exceptions import Disconnected
from tests.project.journal import record


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


class Reference(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        auth = auth or {}
        self.tag = auth.get("tag")
        self.log("connect")
        mode = auth.get("mode", "")
        if mode in ("greet", "greet and leave"):
            self.emit("hello", 1)
        if mode == "greet":
            self.emit("hello", 2)
        if "leave" in mode:
            self.close(transport="all" in mode)

    async def ready(self) -> None:
        if (self.auth or {}).get("mode") == "ask":
            await self.ask()

    async def disconnect(self, reason: str) -> None:
        self.log("disconnect", reason=reason)
        if self.tag is not None:
            described = self.disconnect_detail is not None
            record(f"{self.tag}-detail", "disconnect", reason=reason, described=described)

    async def receive_event(self, name: Any, args: list[Any]) -> Any:
        self.log("event", event=[name, *map(plain, args)])
        return await super().receive_event(name, args)

    def log(self, what: str, **details: Any) -> None:
        if self.tag is not None:
            record(self.tag, what, **details)

    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        return args

    @event
    async def say(self, *args: Any) -> None:
        self.emit("said", *args)

    @event
    async def burst(self, count: int) -> None:
        for n in range(count):
            self.emit("n", n)

    @event
    async def large(self, size: int, compress: bool) -> None:
        self.compress(compress).emit("large", "x" * size)

    @event
    async def binary(self) -> None:
        self.emit("bytes", b"\x01\x02\x03", "and", b"\x04")

    @event
    async def early(self) -> str:
        await self.acknowledge("early", [1])
        self.emit("later")
        self.local.emit("to others")
        return "dropped"

    @event(concurrent=True)
    async def ask(self) -> None:
        try:
            answer = await self.acall("question")
        except Disconnected:
            return
        args = () if answer is None else answer if isinstance(answer, tuple) else (answer,)
        self.emit("answered", *map(plain, args))

    @event
    async def late(self, milliseconds: int) -> str:
        await asyncio.sleep(milliseconds / 1000)
        return "late"

    @event("leave")
    async def leave_namespace(self) -> None:
        self.emit("before", "leave")
        self.close()
        self.emit("after", "leave")

    @event("leave all")
    async def leave_all(self) -> None:
        self.emit("before", "leave all")
        self.close(transport=True)
        self.emit("after", "leave all")

    @event("handshake")
    async def tell_handshake(self) -> dict[str, Any]:
        seen = self.handshake
        return {
            "query": seen["query"],
            "auth": seen["auth"],
            "secure": seen["secure"],
            "address": seen["address"],
            "transport": self.transport,
        }

    @event("volatile")
    async def emit_volatile(self) -> None:
        self.volatile.emit("gone")

    @event("volatile burst")
    async def emit_volatile_burst(self, count: int) -> None:
        for n in range(count):
            self.volatile.emit("n", n)

    @event
    async def room(self) -> None:
        self.join("room")
        self.namespace.to("room").emit("in room")
        self.to("room").emit("to others")
        self.emit("to me")


@register("/")
class Default(Reference):
    pass


@register("/other")
class Other(Reference):
    pass


@register("/room-<int:number>")
class Dynamic(Reference):
    pass


@register("/refused")
class Refused(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        raise ConnectionRefused("no entry")


@register("/refused-with-data")
class RefusedWithData(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        raise ConnectionRefused("no entry", data={"code": 7, "list": [1, "é"]})


@register("/slow")
class Slow(Reference):
    """Lets its client in when the next packet has been handled, however slow the machine is."""

    async def connect(self, auth: Any) -> None:
        session = vars(self)["_SocketIOConsumer__socket"].client.session
        before = session.packets_in
        while session.packets_in == before:  # noqa: ASYNC110 (a session has no event to wait for)
            await asyncio.sleep(0.01)
        for _ in range(100):  # turns of the loop: more than it takes to enter a namespace
            await asyncio.sleep(0)
        await super().connect(auth)
