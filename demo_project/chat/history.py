"""Saving messages once, and reading them back in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from django_socketio.exceptions import EventRefused

from . import images
from .forms import MessageForm
from .models import Image, Message, Room

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

PAGE = 50
# The largest id that every database can hold.
MAX_ID = 2**63 - 1


def is_message_id(value: object) -> TypeGuard[int]:
    """Whether what a page sent can be the id of a message. 0 stands before the first."""
    return type(value) is int and 0 <= value <= MAX_ID


def message_id(value: object) -> int:
    """Return what a page sent, which must be the id of a message."""
    if not is_message_id(value):
        raise EventRefused("not the id of a message")
    return value


def save_message(
    room: Room, author: AbstractBaseUser, uid: object, text: object, image: object
) -> Message:
    """Save what a page sent, or find it when it was saved before.

    `uid` is the page's own name for the message. ValidationError says what is wrong with it.
    """
    if not isinstance(uid, str) or not isinstance(text, str):
        raise ValidationError("A message has an id and a text.")
    if image is not None and not isinstance(image, bytes):
        raise ValidationError("An image is sent as binary data.")
    form = MessageForm({"uid": uid, "text": text})
    if not form.is_valid():
        raise ValidationError([error for errors in form.errors.values() for error in errors])
    clean = form.cleaned_data
    if not clean["text"] and not image:
        raise ValidationError("The message is empty.")
    info = images.inspect(image) if image else None
    try:
        with transaction.atomic():
            message = Message.objects.create(
                room=room, author=author, uid=clean["uid"], text=clean["text"]
            )
            if image and info:
                Image.objects.create(message=message, content=image, **info._asdict())
    except IntegrityError:
        # It is here already, or its room or author is gone.
        known = Message.objects.with_details().filter(room=room, author=author, uid=clean["uid"])
        try:
            return known.get()
        except Message.DoesNotExist:
            raise ValidationError("This room is closed.") from None
    return message


def latest(room: Room, before: int | None = None) -> dict[str, Any]:
    """The newest messages (before message `before`), and whether there are older ones."""
    messages = room.messages.with_details().order_by("-pk")
    if before is not None:
        messages = messages.filter(pk__lt=before)
    found = [message.as_json() for message in messages[: PAGE + 1]]
    return {"messages": found[:PAGE][::-1], "more": len(found) > PAGE}


def since(room: Room, after: int) -> dict[str, Any]:
    """The messages that follow message `after`, and whether there are more."""
    messages = room.messages.with_details().filter(pk__gt=after).order_by("pk")
    found = [message.as_json() for message in messages[: PAGE + 1]]
    return {"messages": found[:PAGE], "more": len(found) > PAGE}
