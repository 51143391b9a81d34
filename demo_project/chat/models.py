"""Rooms, the messages in them, and the images that came with the messages."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse


class RoomQuerySet(models.QuerySet["Room"]):
    async def named(self, slug: object) -> Room | None:
        """The room that a page names, or None: what comes from a page may be anything."""
        if not isinstance(slug, str) or not re.fullmatch(r"[-\w]{1,50}", slug):
            return None
        return await self.filter(slug=slug).afirst()


class Room(models.Model):
    """A place to talk. Every user may read and write in every room."""

    name = models.CharField(max_length=40, unique=True)
    slug = models.SlugField(max_length=50, unique=True, allow_unicode=True)
    topic = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("room", args=[self.slug])

    @property
    def channel(self) -> str:
        """The Socket.IO room of all the pages that show this room."""
        return f"room-{self.pk}"

    def as_json(self) -> dict[str, Any]:
        """What the page needs to list this room."""
        return {"slug": self.slug, "name": self.name, "url": self.get_absolute_url()}


class MessageQuerySet(models.QuerySet["Message"]):
    def with_details(self) -> MessageQuerySet:
        """Fetch what `as_json` needs in the same query, without the bytes of the images."""
        return self.select_related("author", "image").defer("image__content")


class Message(models.Model):
    """What somebody wrote, or what the staff announced."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="messages"
    )
    # Made by the author's page: a message sent again after a lost connection is known by it.
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    text = models.TextField(blank=True)
    announcement = models.BooleanField(default=False)
    # True when the page of at least one other user has shown the message.
    delivered = models.BooleanField(default=False, editable=False)
    at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("room", "author", "uid"), name="chat_message_once"),
        )
        indexes = (models.Index(fields=("room", "id"), name="chat_message_history"),)

    def __str__(self) -> str:
        return self.text[:60] or "(image)"

    def as_json(self) -> dict[str, Any]:
        """What pages get to see, in the history as over the socket."""
        image = getattr(self, "image", None)
        return {
            "id": self.pk,
            "uid": str(self.uid),
            "author": {"id": self.author_id, "name": self.author.get_username()},
            "text": self.text,
            "image": image and image.as_json(),
            "at": self.at,
            "announcement": self.announcement,
            "delivered": self.delivered,
        }


class Image(models.Model):
    """The image that came with a message."""

    class Type(models.TextChoices):
        PNG = "image/png", "PNG"
        JPEG = "image/jpeg", "JPEG"
        GIF = "image/gif", "GIF"
        WEBP = "image/webp", "WebP"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="image")
    content = models.BinaryField()
    content_type = models.CharField(max_length=20, choices=Type.choices)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.width} × {self.height} {self.content_type}"

    def get_absolute_url(self) -> str:
        return reverse("image", args=[self.pk])

    def as_json(self) -> dict[str, Any]:
        """Where the image is and how much space the page keeps for it."""
        return {"url": self.get_absolute_url(), "width": self.width, "height": self.height}
