"""Namespaces for hostile clients, which note what reached them."""

from __future__ import annotations

import asyncio
from typing import Any

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import AckTimeout
from tests.project.journal import gate, record


class Noted(SocketIOConsumer):
    """Notes that it came and why it went."""

    async def connect(self, auth: Any) -> None:
        self.note("connect")

    async def disconnect(self, reason: str) -> None:
        self.note("disconnect", reason=reason)

    def note(self, what: str, **details: Any) -> None:
        record(self.sid, what, **details)


@register("/")
class Main(Noted):
    """What an ordinary project might have."""

    @event
    async def echo(self, *args: Any) -> Any:
        return args

    @event
    async def note_it(self, *args: Any) -> None:
        self.note("event", count=len(args))

    @event("1")
    async def one(self, *args: Any) -> str:
        return "an event may be named by a number"

    @event
    def in_thread(self, text: str) -> str:
        return text

    @event
    async def enter(self, *rooms: str) -> int:
        self.join(*rooms)
        return len(self.rooms)

    @event
    async def say(self, room: str, *args: Any) -> None:
        self.to(room).emit("said", *args)

    @event
    async def publish(self, room: str, times: int, size: int) -> None:
        for _ in range(times):
            self.to(room).emit("said", "x" * size)
            await asyncio.sleep(0)

    @event
    async def publish_patiently(self, room: str, times: int, size: int) -> None:
        for _ in range(times):
            await self.to(room).emit("said", "x" * size)

    @event
    async def hold(self, name: str, *args: Any) -> None:
        """A handler that takes long."""
        await gate(name).wait()
        self.note("held")

    @event
    async def hold_and_ask(self, name: str) -> None:
        """A handler that waits for its client's answer."""
        await self.timeout(30).acall("question")

    @event
    async def ask(self, times: int) -> list[Any]:
        """Put questions, and see what comes of them."""
        asked = [self.acall("question", number) for number in range(times)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        self.note("asked", results=sorted({type(result).__name__ for result in results}))
        return [isinstance(result, AckTimeout) for result in results]

    @event(concurrent=True)
    def ask_in_thread(self) -> Any:
        """A plain handler that waits for its client's answer."""
        return self.timeout(30).call("question")

    @event
    async def herd(self, room: str, into: str) -> None:
        """Make a room's members enter another room."""
        io.to(room).sockets_join(into)

    @event
    async def who(self, room: str) -> list[Any]:
        """Everything that one may know of others."""
        return [
            {
                "sid": socket.sid,
                "rooms": sorted(socket.rooms),
                "data": socket.data,
                "handshake": [
                    socket.handshake.headers,
                    socket.handshake.query,
                    socket.handshake.address,
                    socket.handshake.auth,
                ],
                "namespace": socket.namespace.name,
                "repr": repr(socket),
            }
            for socket in await io.to(room).afetch_sockets()
        ]

    @event
    async def shaken(self) -> dict[str, Any]:
        """What the server believes of this client's handshake."""
        shaken = self.handshake
        return {"query": shaken.query, "address": shaken.address, "secure": shaken.secure}


@register("/<str:name>/many")
class Many(Noted):
    """As many namespaces as a client can think of."""


@register("/gated")
class Gated(Noted):
    """Admits nobody before its gate is open."""

    async def connect(self, auth: Any) -> None:
        name = str((auth or {}).get("gate"))
        self.note(name)
        await gate(name).wait()

    @event
    async def echo(self, *args: Any) -> Any:
        self.note("event", count=len(args))
        return args


@register("/members")
class Members(Noted):
    login_required = True


@register("/generous")
class Generous(Noted):
    """Says a lot before it has admitted its client."""

    async def connect(self, auth: Any) -> None:
        self.note(auth["name"])
        for _ in range(auth["pieces"]):
            self.emit("piece", "x" * auth["size"])


@register("/rooms-at-once")
class RoomsAtOnce(Noted):
    """Enters rooms while it connects."""

    async def connect(self, auth: Any) -> None:
        await super().connect(auth)
        self.join(*auth["rooms"])
