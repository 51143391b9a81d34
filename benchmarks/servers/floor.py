"""The floor: a bare ASGI application that answers the load's packets and knows nothing else.

It is what any application on the same ASGI server has to pay, so it parses no JSON, checks nothing
and sends no pings but where the time is of interest.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.servers import database

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PING_INTERVAL = float(os.environ["BENCH_PING_INTERVAL"])
OPEN = (
    '0{{"sid":"{sid}","upgrades":[{upgrades}],"pingInterval":'
    f"{PING_INTERVAL * 1000:.0f}"
    ',"pingTimeout":20000,"maxPayload":1000000}}'
)
BROADCAST, ACK, QUERY = '42["broadcast",', '427["ack",', '428["query"'

numbers = itertools.count()
room: set[Session] = set()
sessions: dict[str, Session] = {}
pings: set[asyncio.Task[None]] = set()


class Session:
    """A connection: a WebSocket's ``send``, or what waits for the next poll."""

    __slots__ = ("packets", "poll", "send", "sid", "timer")

    def __init__(self, send: Send | None) -> None:
        self.sid = f"{next(numbers):020d}"
        self.send = send
        self.packets: list[str] = []
        self.poll: asyncio.Future[None] | None = None
        self.timer = asyncio.get_running_loop().call_later(PING_INTERVAL, self.ping)

    def ping(self) -> None:
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(PING_INTERVAL, self.ping)
        if self.send is not None:
            pings.add(task := loop.create_task(self.write("2")))
            task.add_done_callback(pings.discard)

    async def write(self, data: str | bytes) -> None:
        if self.send is not None:
            key = "text" if isinstance(data, str) else "bytes"
            await self.send({"type": "websocket.send", key: data})
            return
        assert isinstance(data, str)
        self.packets.append(data)
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(None)

    async def receive(self, packet: str) -> None:
        if packet.startswith('42["echo"'):
            await self.write(packet)
        elif packet.startswith(ACK):
            await self.write("437[" + packet[len(ACK) :])
        elif packet.startswith(BROADCAST):
            message = {"type": "websocket.send", "text": packet}
            for member in list(room):
                assert member.send is not None
                await member.send(message)
        elif packet == "40":
            await self.write(f'40{{"sid":"{self.sid}"}}')
        elif packet == '420["join"]':
            room.add(self)
            await self.write("430[]")
        elif packet.startswith(QUERY):
            await self.write(f'438["{await database.aquery()}"]')

    def close(self) -> None:
        self.timer.cancel()
        room.discard(self)
        sessions.pop(self.sid, None)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await _websocket(scope, receive, send)
    elif scope["type"] == "http":
        await _http(scope, receive, send)


async def _websocket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    sid = scope["query_string"].partition(b"sid=")[2].decode()
    if sid:
        session = sessions[sid]
        await receive()  # 2probe
        await send({"type": "websocket.send", "text": "3probe"})
        await session.write("6")
        await receive()  # 5
        session.send = send
    else:
        session = Session(send)
        await session.write(OPEN.format(sid=session.sid, upgrades=""))
    try:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text")
            if text is None:
                continue
            if text.startswith("451-"):
                attachment = await receive()
                await session.write(text)
                await session.write(attachment["bytes"])
            else:
                await session.receive(text)
    finally:
        session.close()


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    sid = scope["query_string"].partition(b"sid=")[2].decode()
    if not sid:
        session = Session(None)
        sessions[session.sid] = session
        await _answer(send, OPEN.format(sid=session.sid, upgrades='"websocket"'))
    elif scope["method"] == "POST":
        body = (await receive())["body"].decode()
        await sessions[sid].receive(body)
        await _answer(send, "ok")
    else:
        session = sessions[sid]
        if not session.packets:
            session.poll = asyncio.get_running_loop().create_future()
            await session.poll
        packets, session.packets = session.packets, []
        await _answer(send, "\x1e".join(packets))


async def _answer(send: Send, text: str) -> None:
    body = text.encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/plain; charset=UTF-8"),
                (b"content-length", b"%d" % len(body)),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
