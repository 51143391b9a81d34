"""A namespace whose processes count aloud, for clients that lose their connections meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.server.hubs import current_hub

_counting: dict[str, asyncio.Task[None]] = {}


async def count(seconds: float) -> None:
    """Tell the lobby a number every so many seconds; the last one when this is cancelled."""
    node, n = current_hub().node, 0
    lobby = io.of("/recovery").to("lobby")
    try:
        while True:
            lobby.emit("tick", node, n)
            n += 1
            await asyncio.sleep(seconds)
    finally:
        lobby.emit("last", node, n - 1)


@register("/recovery")
class Recovery(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        if self.recovered:
            self.data["times"] = self.data.get("times", 0) + 1
        else:
            self.join("lobby")
            self.data["name"] = self.sid

    @event
    async def count(self, seconds: float) -> str:
        """Begin to count in this process. Returns its id."""
        node = current_hub().node
        _counting[node] = asyncio.create_task(count(seconds))
        return node

    @event
    async def stop(self) -> None:
        _counting.pop(current_hub().node).cancel()

    @event
    async def state(self) -> dict[str, Any]:
        return {
            "recovered": self.recovered,
            "rooms": sorted(self.rooms - {self.sid}),
            "data": self.data,
            "node": current_hub().node,
        }

    @event
    async def tell(self, sid: str, *args: Any) -> None:
        """Send an event to a socket, whatever process it is in."""
        io.of("/recovery").to(sid).emit("told", *args)
