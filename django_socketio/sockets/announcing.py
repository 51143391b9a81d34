"""The signals of rooms; called only where somebody listens."""

from __future__ import annotations

from typing import Any

from ..addressing.rooms import Room
from ..runtime.announcer import Announcer
from ..signals import room_created, room_deleted, room_joined, room_left


def tell_joined(
    announcer: Announcer, socket: Any, namespace: str, room: Room, *, created: bool
) -> None:
    """Send ``room_joined``, after ``room_created`` where the socket is the first member here."""
    if isinstance(room, str):
        about = {"namespace": namespace, "room": room}
        sensitive = socket.client.thread_sensitive
        if created and room_created.receivers:
            announcer.put(room_created, about, sensitive)
        if room_joined.receivers:
            announcer.put(room_joined, {**about, "sid": socket.sid}, sensitive)


def tell_left(
    announcer: Announcer, socket: Any, namespace: str, room: Room, *, deleted: bool
) -> None:
    """Send ``room_left``, before ``room_deleted`` where the socket was the last member here."""
    if isinstance(room, str):
        about = {"namespace": namespace, "room": room}
        sensitive = socket.client.thread_sensitive
        if room_left.receivers:
            announcer.put(room_left, {**about, "sid": socket.sid}, sensitive)
        if deleted and room_deleted.receivers:
            announcer.put(room_deleted, about, sensitive)
