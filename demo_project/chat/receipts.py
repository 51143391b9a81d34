"""The second tick: a message is delivered when the page of somebody else shows it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from django_socketio.exceptions import AckTimeout

from .history import is_message_id
from .models import Message, Room


async def mark(room: Room, shown: int, by: AbstractBaseUser) -> int:
    """Note that a page of `by` shows the others' messages up to `shown`. How many are new to it."""
    others = Message.objects.filter(room=room).exclude(author=by)
    return await others.filter(pk__lte=shown, delivered=False).aupdate(delivered=True)


async def ask(others: Any, room: Room, author: AbstractBaseUser) -> int:
    """Ask the pages of the others how far they are. Returns the newest message shown, or 0."""
    try:
        answers = await others.timeout(3).acall("shown")
    except AckTimeout as late:
        answers = late.answers
    shown = max((answer for answer in answers if is_message_id(answer)), default=0)
    mine = Message.objects.filter(room=room, author=author, pk__lte=shown)
    await mine.filter(delivered=False).aupdate(delivered=True)
    return shown
