"""A plain ASGI application, with a path for each thing that an application may do."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.layers import InMemoryChannelLayer, channel_layers  # noqa: E402

channel_layers.set("default", InMemoryChannelLayer())

BIG = "x" * 100_000
# What has happened on a path, for "/told".
told: dict[str, Any] = {}
counted: Counter[str] = Counter()
gate = asyncio.Event()


class Group(AsyncWebsocketConsumer):
    """A consumer as Channels' tutorial has it."""

    async def connect(self) -> None:
        await self.channel_layer.group_add("room", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard("room", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send("room", {"type": "said", "text": text_data})

    async def said(self, event: dict[str, Any]) -> None:
        await self.send(event["text"])


group = Group.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["word"] = "from lifespan"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/group":
        await group(scope, receive, send)
        return
    assert (await receive())["type"] == "websocket.connect"
    await PATHS[scope["path"].removeprefix("/mounted")](scope, receive, send)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    await go_on(scope, receive, send)


async def go_on(scope: Any, receive: Any, send: Any) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
    told[scope["query_string"].decode()] = [message["code"], message["reason"]]
    try:
        await send({"type": "websocket.send", "text": "too late"})
    except OSError:
        counted["too-late"] += 1


async def tell(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    key = scope["query_string"].decode()
    while key not in told and key not in counted:  # noqa: ASYNC110 - many may change it
        await asyncio.sleep(0.005)
    await send({"type": "websocket.send", "text": json.dumps(told.get(key, counted[key]))})
    await receive()


async def describe(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"x-own", b"1"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    chosen = scope["subprotocols"][-1] if scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": headers})
    plain = {key: scope[key] for key in ("scheme", "path", "root_path", "subprotocols", "client")}
    seen = {
        **plain,
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
        "word": scope["state"]["word"],
    }
    await send({"type": "websocket.send", "text": json.dumps(seen)})
    await receive()


async def deny(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"text/plain")]
    start = "websocket.http.response.start"
    await send({"type": start, "status": 418, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"no ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"tea"})
    assert (await receive())["type"] == "websocket.disconnect"


async def half_deny(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.http.response.start", "status": 418, "headers": []})


async def split_header(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept", "headers": [(b"a", b"b\r\nset-cookie: c=d")]})


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.close"})


async def leave(scope: Any, receive: Any, send: Any) -> None:
    """Return without a word."""


async def fail(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError("asked for")


async def fail_later(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    raise ValueError("asked for")


async def close(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    await receive()
    code, reason = scope["query_string"].decode().split("=")
    try:
        await send({"type": "websocket.close", "code": int(code), "reason": reason})
    except ValueError:
        await send({"type": "websocket.close", "code": 4000})
    assert (await receive())["type"] == "websocket.disconnect"


async def accept_late(scope: Any, receive: Any, send: Any) -> None:
    """Accept when "/go" is asked for."""
    counted["waiting"] += 1
    await gate.wait()
    await echo(scope, receive, send)


async def read_late(scope: Any, receive: Any, send: Any) -> None:
    """Read when "/go" is asked for."""
    await send({"type": "websocket.accept"})
    await gate.wait()
    await go_on(scope, receive, send)


async def go(scope: Any, receive: Any, send: Any) -> None:
    gate.set()
    await refuse(scope, receive, send)


async def flood(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    try:
        while True:
            await send({"type": "websocket.send", "text": BIG})
            counted["flood"] += 1
    except OSError:
        told["flood"] = "ended"


PATHS = {
    "/echo": echo,
    "/told": tell,
    "/describe": describe,
    "/deny": deny,
    "/half-deny": half_deny,
    "/split-header": split_header,
    "/refuse": refuse,
    "/leave": leave,
    "/fail": fail,
    "/fail-later": fail_later,
    "/close": close,
    "/accept-late": accept_late,
    "/read-late": read_late,
    "/go": go,
    "/flood": flood,
}
