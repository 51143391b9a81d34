"""Who is here, who is elsewhere, and who has left, over all processes."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import get_user_model
from django.dispatch import receiver

from django_socketio import io
from django_socketio.signals import socket_connected, socket_disconnected, user_offline

from .consumers import ChatConsumer


@receiver([socket_connected, socket_disconnected], sender=ChatConsumer)
async def tell_who_is_where(**kwargs: Any) -> None:
    """A page has come or gone: tell all pages who is in which room.

    Somebody with three pages of a room is there once. Of two who come at once to two processes,
    one's news may overtake the other's: pages take those that were asked for last.
    """
    pages = io.of(ChatConsumer)
    asked = time.time()
    sockets = await pages.afetch_sockets()
    people = {(s.data["id"], s.data["room"]): s.data for s in sockets if "room" in s.data}
    pages.emit("presence", list(people.values()), asked)


@receiver(user_offline, sender=get_user_model())
def tell_who_has_left(user_id: str, **kwargs: Any) -> None:
    """A user's last page has been gone for a while: this was no reload and no other room.

    The signal is sent once, by one of the processes. It needs `SOCKETIO["PRESENCE"]`.
    """
    io.of(ChatConsumer).emit("left", int(user_id))
