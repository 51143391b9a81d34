"""What the tests of several server processes talk to: a namespace, and a signal's receivers."""

from __future__ import annotations

import os
from typing import Any

from django.dispatch import receiver

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.signals import server_event, user_offline, user_online
from tests.project.journal import record


@register("/fleet")
class Fleet(SocketIOConsumer):
    """Open to everybody; a socket with a user is in that user's room."""

    async def disconnect(self, reason: str) -> None:
        record(self.sid, "disconnect", reason=reason)

    @event("join")
    async def join_rooms(self, *rooms: str) -> None:
        self.join(*rooms)

    @event("leave")
    async def leave_rooms(self, *rooms: str) -> None:
        self.leave(*rooms)

    @event
    async def remember(self, data: dict[str, Any]) -> None:
        self.data.update(data)

    @event
    async def say(self, room: str, *args: Any) -> None:
        self.to(room).emit("said", *args)

    @event
    async def count(self, rooms: list[str], total: int) -> None:
        """Emit numbers, each to the next of the rooms."""
        for number in range(total):
            io.of("/fleet").to(rooms[number % len(rooms)]).emit("number", number)

    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        return args

    @event
    async def where(self) -> int:
        return os.getpid()


@receiver(server_event)
def answer(sender: Any, namespace: str, event: str, args: list[Any], **kwargs: Any) -> Any:
    """Plain, so it runs on a worker thread."""
    record(event, "server event", namespace=namespace, args=[str(arg) for arg in args])
    if event == "fail":
        raise ValueError("on purpose")
    return {"pid": os.getpid(), "args": args}


@receiver(user_online)
def come(sender: Any, user_id: str, **kwargs: Any) -> None:
    record("presence", "online", user=user_id, model=sender.__name__)


@receiver(user_offline)
def go(sender: Any, user_id: str, **kwargs: Any) -> None:
    record("presence", "offline", user=user_id, model=sender.__name__)
