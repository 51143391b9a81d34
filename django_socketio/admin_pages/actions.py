"""What staff can do to sockets, and the admin's log of it. Payloads are never logged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..addressing.delivery import Action
from ..addressing.rooms import UserRoom
from ..addressing.target import Target
from ..conf import get_settings
from ..models import Connection, ServerProcess
from ..packets import RESERVED_EVENTS
from ..server.hubs import on_all_hubs
from ..server.operators import io
from .chosen import Chosen

# An action, the permission that it needs, and what its button says.
ACTIONS = {
    "disconnect": ("disconnect_sockets", _("Disconnect")),
    "join": ("change_rooms", _("Join room")),
    "leave": ("change_rooms", _("Leave room")),
    "emit": ("send_events", _("Send event")),
}


class ActionForm(forms.Form):
    """What is to be done; :func:`.read_chosen` reads to which sockets."""

    action = forms.ChoiceField(choices=[(key, value[1]) for key, value in ACTIONS.items()])
    whole_user = forms.BooleanField(required=False)
    room = forms.CharField(required=False)
    event = forms.CharField(required=False)
    args = forms.CharField(required=False, initial="[]")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        action, settings = data.get("action"), get_settings()
        if action in ("join", "leave"):
            room = data.get("room", "")
            if not room or len(room) > settings.max_room_name_length:
                self.add_error("room", gettext("Name a room."))
        elif action == "emit":
            name = data.get("event", "")
            if not name or name in RESERVED_EVENTS or len(name) > settings.max_event_name_length:
                self.add_error("event", gettext("Name an event that is not reserved."))
            try:
                data["args"] = json.loads(data.get("args") or "[]", parse_constant=_refuse)
            except (ValueError, RecursionError):
                data["args"] = None
            if not isinstance(data["args"], list):
                self.add_error("args", gettext("The arguments are a JSON list, such as [1, “a”]."))
        return data


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def carry_out(data: dict[str, Any], chosen: Iterable[Chosen]) -> int:
    """Do what an :class:`ActionForm` asks for. Returns to how many it was done."""
    done = 0
    for one in chosen:
        room = one.room
        operator = io.of(one.namespace).to(room)
        if data["action"] == "disconnect":
            # For a user: every connection, in all namespaces.
            everywhere = "" if isinstance(room, UserRoom) else one.namespace
            _disconnect(Target(everywhere, (room,)))
        elif data["action"] == "join":
            operator.sockets_join(data["room"])
        elif data["action"] == "leave":
            operator.sockets_leave(data["room"])
        else:
            operator.emit(data["event"], *data["args"])
        done += 1
    return done


def _disconnect(target: Target) -> None:
    on_all_hubs(lambda hub: hub.act(target, Action.DISCONNECT, []))


def describe(data: dict[str, Any]) -> str:
    """Return an action in words, without the arguments of an event."""
    action = data["action"]
    if action == "join":
        return str(gettext("Joined room “%s”.") % data["room"][:100])
    if action == "leave":
        return str(gettext("Left room “%s”.") % data["room"][:100])
    if action == "emit":
        return str(gettext("Sent event “%s”.") % data["event"][:100])
    return gettext("Disconnected.")


def write_entry(user: Any, what: str, message: str) -> None:
    """Write one entry to the admin's log."""
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(ServerProcess),
        object_id="",
        object_repr=what[:200],
        action_flag=CHANGE,
        change_message=message,
    )


def write_log(user: Any, data: dict[str, Any], chosen: Iterable[Chosen]) -> None:
    """Write an entry to the admin's log for each; it shows what was done in its name."""
    content_type = ContentType.objects.get_for_model(Connection, for_concrete_model=False)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user.pk,
            content_type=content_type,
            object_id="",
            object_repr=_in_words(data, str(one))[:200],
            action_flag=CHANGE,
            change_message=describe(data),
        )
        for one in chosen
    )


def _in_words(data: dict[str, Any], whom: str) -> str:
    """Return what is done to whom, without the arguments of an event."""
    names = {"whom": whom, "room": data["room"][:60], "event": data["event"][:60]}
    return {
        "disconnect": gettext("Disconnected %(whom)s"),
        "join": gettext("Room “%(room)s” joined by %(whom)s"),
        "leave": gettext("Room “%(room)s” left by %(whom)s"),
        "emit": gettext("Event “%(event)s” sent to %(whom)s"),
    }[data["action"]] % names
