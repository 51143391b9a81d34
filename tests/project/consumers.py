"""The namespaces that the client scenarios talk to."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import logging
import re
import threading
import time
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied

from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, register
from django_socketio.exceptions import AckTimeout, EventRefused
from tests.project import chaos, fleet, recovery  # noqa: F401 - they register namespaces
from tests.project.journal import record

DEADLINE = 10.0

logger = logging.getLogger("django_socketio.tests")


def seen(value: Any) -> Any:
    """`value` for the journal, which is JSON: bytes as {"bytes": hexadecimal digits}."""
    return {"bytes": value.hex()} if isinstance(value, bytes) else value


class Recorded(SocketIOConsumer):
    """Notes the disconnect reason, and the rooms as `disconnect` sees them."""

    async def disconnect(self, reason: str) -> None:
        record(self.sid, "disconnect", reason=reason, rooms=sorted(self.rooms))


@register("/")
class Introduction(Recorded):
    """The server half of the introduction in the Socket.IO documentation."""

    async def connect(self, auth: Any) -> None:
        self.send("Hello!")
        self.emit("greetings", "Hey!", {"ms": "jane"}, bytes([4, 3, 3, 1]))

    @event
    async def message(self, data: Any) -> None:
        record(self.sid, "message", args=[seen(data)])

    @event
    async def salutations(self, elem1: Any, elem2: Any, elem3: Any) -> None:
        record(self.sid, "salutations", args=[seen(elem1), seen(elem2), seen(elem3)])

    @event
    async def finished(self) -> None: ...


class Gate:
    """Opened by one handler for another, which may wait on a worker thread or on the loop."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def wait(self) -> None:
        if not self._open.wait(DEADLINE):
            raise TimeoutError("the gate stayed closed")

    async def wait_async(self) -> None:
        end = time.monotonic() + DEADLINE
        while not self._open.is_set():
            if time.monotonic() > end:
                raise TimeoutError("the gate stayed closed")
            await asyncio.sleep(0.005)


gates: dict[str, Gate] = {}


@register("/lab")
class Lab(Recorded):
    """A bit of everything."""

    async def disconnect(self, reason: str) -> None:
        # Whatever closed the socket, the database can be used here.
        await get_user_model().objects.acount()
        await super().disconnect(reason)

    @event
    def add(self, a: int, b: int) -> int:
        return a + b

    @event
    async def nothing(self) -> None: ...

    @event("count users")
    async def count_users(self) -> int:
        return await get_user_model().objects.acount()

    @event("count users plainly")
    def count_users_plainly(self) -> int:
        return get_user_model().objects.count()

    @event
    async def pair(self) -> tuple[str, dict[str, int]]:
        return "a", {"b": 1}

    @event("list")
    async def a_list(self) -> list[int]:
        return [1, 2]

    @event
    async def types(self) -> dict[str, Any]:
        return {
            "when": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
            "price": decimal.Decimal("1.10"),
            "id": uuid.UUID("12345678123456781234567812345678"),
        }

    @event
    async def fails(self) -> None:
        raise ValueError("on purpose")

    @event
    async def refuses(self) -> None:
        raise EventRefused("on purpose")

    @event
    async def one(self, value: Any) -> Any:
        return value

    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        return args

    @event
    async def ask(self, *args: Any) -> Any:
        return [await self.acall("question", *args)]

    @event("ask plainly")
    def ask_plainly(self, *args: Any) -> Any:
        return [self.call("question", *args)]

    @event("ask impatiently")
    async def ask_impatiently(self) -> str:
        try:
            await self.timeout(0.05).acall("silence")
        except AckTimeout as error:
            return type(error).__name__
        return "answered"

    @event
    async def mark(self, n: Any) -> None:
        record(self.sid, "mark", n=n)

    @event("long question")
    async def long_question(self, n: Any) -> None:
        record(self.sid, "asking", n=n)
        record(self.sid, "answered", answer=await self.acall("question", n))

    @event(concurrent=True)
    async def overlap(self, n: Any) -> Any:
        answer = await self.acall("question", n)
        record(self.sid, "answered", answer=answer)
        return answer

    @event("wait for gate")
    async def wait_for_gate(self, name: str) -> str:
        self.emit("waiting")
        await gates.setdefault(name, Gate()).wait_async()
        return "through"

    @event("wait for gate plainly")
    def wait_for_gate_plainly(self, name: str) -> str:
        self.emit("waiting")
        gates.setdefault(name, Gate()).wait()
        return "through"

    @event("open gate")
    async def open_gate(self, name: str) -> None:
        gates.setdefault(name, Gate()).open()

    @event("join")
    async def join_rooms(self, *rooms: str) -> list[str]:
        self.join(*rooms)
        return sorted(self.rooms)

    @event("leave")
    def leave_room(self, room: str) -> list[str]:
        self.leave(room)
        return sorted(self.rooms)

    @event
    async def say(self, room: str, text: str) -> None:
        self.to(room).emit("said", text)

    @event("say all")
    def say_all(self, room: str, text: str) -> None:
        io.of("/lab").to(room).emit("said", text)

    @event("say except")
    async def say_except(self, room: str, excluded: str, text: str) -> None:
        self.to(room).exclude(excluded).emit("said", text)

    @event("poll room")
    async def poll_room(self, room: str) -> list[Any]:
        return await io.of("/lab").to(room).timeout(DEADLINE).acall("question", "all")

    @event
    async def who(self, room: str) -> list[str]:
        return [socket.sid for socket in await io.of("/lab").to(room).afetch_sockets()]

    @event
    async def tick(self) -> None:
        self.volatile.emit("tick", 1)

    @event("close me")
    async def close_me(self, transport: bool) -> None:
        self.close(transport=transport)

    @event("kick room")
    async def kick_room(self, room: str) -> None:
        io.of("/lab").to(room).disconnect_sockets()

    @event
    async def me(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "transport": self.transport,
            "namespace": self.namespace.name,
            "rooms": sorted(self.rooms),
            "connected": self.connected,
        }

    @event
    def username(self) -> str:
        return self.user.get_username()


@register("/quiet")
class Quiet(Recorded):
    """A namespace where no other test talks."""

    @event("broadcast")
    async def to_everybody(self, *args: Any) -> None:
        self.broadcast.emit("said", *args)

    @event
    async def nothing(self) -> None: ...


@register("/auth")
class Auth(SocketIOConsumer):
    def connect(self, auth: Any) -> None:
        token = (auth or {}).get("token")
        if token == "forbidden":
            raise PermissionDenied
        if token != "right":
            raise ConnectionRefused("Wrong token", data={"code": 401})

    @event
    async def me(self) -> dict[str, Any]:
        return {"sid": self.sid, "auth": self.auth, "query": self.handshake["query"]}


@register("/members")
class Members(SocketIOConsumer):
    login_required = True

    def disconnect(self, reason: str) -> None:
        record(
            self.sid,
            "disconnect",
            reason=reason,
            user=get_user_model().objects.get(pk=self.user.pk).get_username(),
        )

    @event
    async def add(self, a: int, b: int) -> int:
        return a + b

    @event
    async def username(self) -> str:
        return self.user.get_username()


@register("/counted")
class Counted(SocketIOConsumer):
    """A namespace whose sockets use no database once they are connected."""

    login_required = True

    @event
    async def add(self, a: int, b: int) -> int:
        return a + b

    @event
    async def username(self) -> str:
        return self.user.get_username()


@register("/any")
class Anything(Recorded):
    @event("count users")
    async def count_users(self) -> int:
        return await get_user_model().objects.acount()

    @event("*")
    async def anything_else(self, name: str, *args: Any) -> list[Any]:
        return [name, list(args)]


@register("/doc-<int:pk>")
class Document(SocketIOConsumer):
    @event
    async def captured(self) -> dict[str, Any]:
        return self.kwargs


@register(re.compile(r"/named-.*", re.DOTALL))
class Named(SocketIOConsumer):
    """Clients name it as they like."""


@register("/flood")
class Flood(SocketIOConsumer):
    """Numbered messages both ways; some carry a blob whose bytes follow from the number."""

    async def connect(self, auth: Any) -> None:
        self.numbers: list[int | str] = []
        self.transports: list[str] = []
        self.blobs = 0

    @event
    async def number(self, n: int, blob: bytes | None = None) -> None:
        if blob is not None:
            self.blobs += 1
        whole = blob is None or blob == bytes([n % 251]) * len(blob)
        self.numbers.append(n if whole else f"wrong {n}")
        self.transports.append(self.transport)

    @event
    async def received(self) -> dict[str, Any]:
        return {
            "numbers": self.numbers,
            "blobs": self.blobs,
            "first": self.transports[0],
            "last": self.transports[-1],
        }

    @event(concurrent=True)
    async def flood(self, asked: dict[str, Any]) -> list[str]:
        first = self.transport
        for n in range(asked["total"]):
            if asked["upgrades"] and n == asked["total"] // 2:
                await self.until_upgraded()
            if asked["every"] and n % asked["every"] == 0:
                self.emit("number", n, bytes([n % 251]) * asked["size"])
            else:
                self.emit("number", n)
            if n % 10 == 9:
                await asyncio.sleep(0)
        return [first, self.transport]

    async def until_upgraded(self) -> None:
        end = time.monotonic() + DEADLINE
        while self.transport != "websocket":
            if time.monotonic() > end:
                raise TimeoutError("the transport was not upgraded")
            await asyncio.sleep(0.005)


@register("/crowd")
class Crowd(SocketIOConsumer):
    """Many clients in one room. What is worth knowing of them goes to the process's log."""

    async def connect(self, auth: Any) -> None:
        self.join("crowd")

    async def disconnect(self, reason: str) -> None:
        logger.info("%s has left: %s", self.sid, reason)

    @event
    async def say(self, n: int) -> int:
        """Numbers come one after the other, whatever happens between the two sides."""
        if n != self.data.setdefault("next", n):
            logger.error("%s skipped from %s to %s", self.sid, self.data["next"], n)
        self.data["next"] = n + 1
        return n

    @event(concurrent=True)
    async def tick(self, seconds: float) -> None:
        """Tell all of them a number every few seconds, as long as this socket stays."""
        n = 0
        while self.connected:
            self.namespace.to("crowd").emit("tick", self.sid[:8], n)
            n += 1
            await asyncio.sleep(seconds)
