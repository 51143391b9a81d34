"""python-socketio's asynchronous server, with its defaults."""

from __future__ import annotations

import os
from typing import Any

import socketio

from benchmarks.servers import database

redis = os.environ["BENCH_REDIS"]
server = socketio.AsyncServer(
    async_mode="asgi",
    cors_allowed_origins=[],
    ping_interval=float(os.environ["BENCH_PING_INTERVAL"]),
    client_manager=socketio.AsyncRedisManager(f"redis://{redis}/0") if redis else None,
)
application = socketio.ASGIApp(server)


@server.event
async def echo(sid: str, data: Any) -> None:
    await server.emit("echo", data, to=sid)


@server.event
async def ack(sid: str, data: Any) -> Any:
    return data


@server.event
async def join(sid: str) -> None:
    await server.enter_room(sid, "all")


@server.event
async def broadcast(sid: str, data: Any) -> None:
    await server.emit("broadcast", data, room="all")


@server.event
async def query(sid: str) -> str:
    return await database.aquery()
