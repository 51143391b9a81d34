"""What happens when a page of the chat connects, and when it says something."""

from __future__ import annotations

import re
import time
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.dispatch import receiver

from django_socketio import ConnectionRefused, SocketIOConsumer, event, register
from django_socketio.exceptions import AckTimeout, EventRefused
from django_socketio.signals import socket_connected

from . import history
from .limits import Allowance
from .models import Message, Room

# The largest id that every database can hold.
MAX_ID = 2**63 - 1


@register("/chat")
class ChatConsumer(SocketIOConsumer):
    """One open page. It shows one room, which it names in `auth`: `{"room": "lobby"}`."""

    login_required = True

    async def connect(self, auth: Any) -> None:
        slug = auth.get("room") if isinstance(auth, dict) else None
        if not isinstance(slug, str) or not re.fullmatch(r"[-\w]{1,50}", slug):
            raise ConnectionRefused("No such room")
        try:
            self.room = await Room.objects.aget(slug=slug)
        except Room.DoesNotExist:
            raise ConnectionRefused("No such room") from None
        self.allowance = Allowance(burst=40, per_second=10)
        # What `who_is_here` reads, in whichever process it runs.
        self.data.update(id=self.user.pk, name=self.user.get_username())
        self.join(self.room.channel)

    async def disconnect(self, reason: str) -> None:
        await self.who_is_here()

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

    @event(concurrent=True)
    async def delivered(self) -> int:
        """Ask the pages of the others how far they are. Answers with the newest message shown.

        It waits for other people's devices, so it must not hold up what this page sends next.
        """
        others = self.to(self.room.channel).exclude(self.user).timeout(3)
        try:
            answers = await others.acall("shown")
        except AckTimeout as late:
            answers = late.answers
        shown = max((message_id(answer) or 0 for answer in answers), default=0)
        mine = Message.objects.filter(room=self.room, author=self.user)
        await mine.filter(pk__lte=shown, delivered=False).aupdate(delivered=True)
        return shown

    @event
    async def seen(self, shown: object) -> None:
        """This page has caught up and shows all messages up to `shown`: tell their authors."""
        if (shown := message_id(shown)) is None:
            raise EventRefused("not the id of a message")
        others = Message.objects.filter(room=self.room).exclude(author=self.user)
        if await others.filter(pk__lte=shown, delivered=False).aupdate(delivered=True):
            self.to(self.room.channel).emit("delivered", shown)

    @event
    async def typing(self, is_typing: object) -> None:
        self.to(self.room.channel).volatile.emit("typing", self.data, is_typing is True)

    @event
    def earlier(self, before: object) -> dict[str, Any]:
        """The messages before one, for a page that is scrolled up."""
        if (before := message_id(before)) is None:
            raise EventRefused("not the id of a message")
        return history.latest(self.room, before)

    @event
    def missed(self, after: object) -> dict[str, Any]:
        """The messages after one, for a page that was away."""
        if (after := message_id(after)) is None:
            raise EventRefused("not the id of a message")
        return history.since(self.room, after)

    async def who_is_here(self) -> None:
        """Tell everybody in the room who is in it. Somebody with three open pages is one person.

        Of two who come at once to two processes, one's news may overtake the other's: pages take
        those that were asked for last.
        """
        everybody = self.namespace.to(self.room.channel)
        asked = time.time()
        sockets = await everybody.afetch_sockets()
        people = {socket.data["id"]: socket.data for socket in sockets if "id" in socket.data}
        everybody.emit("presence", list(people.values()), asked)


@receiver(socket_connected, sender=ChatConsumer)
def tell_arrival(socket: ChatConsumer, **kwargs: Any) -> None:
    """In `connect` the socket is not yet among those that are found, here it is."""
    async_to_sync(socket.who_is_here)()


def message_id(value: object) -> int | None:
    """What a page sent, if it can be the id of a message. 0 stands before the first."""
    return value if type(value) is int and 0 <= value <= MAX_ID else None
