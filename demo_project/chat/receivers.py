"""What is changed elsewhere, in the admin for example, changes on the open pages too."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from django_socketio import io

from .models import Message, Room


@receiver(post_save, sender=Room)
def list_new_room(instance: Room, created: bool, raw: bool, **kwargs: Any) -> None:
    if created and not raw:
        io.of("/chat").on_commit.emit("room", instance.as_json())


@receiver(post_delete, sender=Room)
def close_room(instance: Room, **kwargs: Any) -> None:
    pages = io.of("/chat").on_commit
    pages.emit("closed", instance.slug)
    pages.to(instance.channel).disconnect_sockets()


@receiver(post_delete, sender=Message)
def remove_message(instance: Message, origin: Any, **kwargs: Any) -> None:
    # With a room all its messages go: the pages hear of the room only.
    if getattr(origin, "model", type(origin)) is Message:
        room = Room(pk=instance.room_id)
        io.of("/chat").on_commit.to(room.channel).emit("removed", instance.pk)
