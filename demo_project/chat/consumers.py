"""Socket.IO's side of the chat: a page connects, and each event it may send has a method here."""

from __future__ import annotations

import os
from typing import Any

from django.core.exceptions import ValidationError

from django_socketio import ConnectionRefused, SocketIOConsumer, event, register
from django_socketio.exceptions import EventRefused

from . import history, receipts
from .limits import Allowance
from .models import Room


@register("/chat")
class ChatConsumer(SocketIOConsumer):
    """One open page. It shows one room, which it names in `auth`: `{"room": "lobby"}`."""

    login_required = True

    async def connect(self, auth: Any) -> None:
        """Let the page in, or refuse it. `self.user` is Django's own."""
        room = await Room.objects.named(auth.get("room") if isinstance(auth, dict) else None)
        if room is None:
            raise ConnectionRefused("No such room")
        self.room = room
        self.allowance = Allowance(burst=40, per_second=10)
        # Other processes can read `data`: `presence` asks them who is where.
        self.data.update(id=self.user.pk, name=self.user.get_username(), room=room.slug)
        self.join(room.channel)

    async def receive_event(self, name: str, args: list[Any]) -> Any:
        """Every event passes here first. A page that sends too many is not answered."""
        if not self.allowance.take():
            raise EventRefused("too many events")
        return await super().receive_event(name, args)

    @event
    def say(self, uid: object, text: object, image: object = None) -> dict[str, Any]:
        """Save a message and show it to the others. The acknowledgement tells that it is safe.

        A page that got no acknowledgement sends the message again. It is saved once, and
        the pages that have it already leave it out.
        """
        try:
            message = history.save_message(self.room, self.user, uid, text, image)
        except ValidationError as error:
            return {"error": " ".join(error.messages)}
        self.to(self.room.channel).emit("message", message.as_json())
        self.namespace.exclude(self.room.channel).emit("activity", self.room.slug)
        return message.as_json()

    @event
    async def typing(self, is_typing: object) -> None:
        """Volatile: of no use later to a page that cannot take it now."""
        self.to(self.room.channel).volatile.emit("typing", self.data, is_typing is True)

    @event
    async def seen(self, shown: object) -> None:
        """This page shows all messages up to `shown`: tell their authors."""
        shown = history.message_id(shown)
        if await receipts.mark(self.room, shown, by=self.user):
            self.to(self.room.channel).emit("delivered", shown)

    @event(concurrent=True)
    async def delivered(self) -> int:
        """Answer with the newest message that somebody else's page shows.

        It waits for other people's devices, so it must not hold up what this page sends next.
        """
        others = self.to(self.room.channel).exclude(self.user)
        return await receipts.ask(others, self.room, self.user)

    @event
    def earlier(self, before: object) -> dict[str, Any]:
        """Answer with the messages before one, for a page that is scrolled up."""
        return history.latest(self.room, history.message_id(before))

    @event
    def missed(self, after: object) -> dict[str, Any]:
        """Answer with the messages after one, for a page that was away."""
        return history.since(self.room, history.message_id(after))

    @event
    async def process(self) -> int:
        """Answer with the id of the process that serves this page. The page takes the time."""
        return os.getpid()
