"""The sockets that staff have chosen for an action, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from django.contrib.auth import get_user_model
from django.utils.translation import gettext

from ..addressing.rooms import Room, UserRoom
from ..stats.gather import gather
from ..stats.reports import SOCKETS
from ..stats.shapes import SocketRow, SocketsParams

# Less than the fields that Django takes in one form (DATA_UPLOAD_MAX_NUMBER_FIELDS, 1000).
MAX_CHOSEN = 900


@dataclass(frozen=True)
class Chosen:
    """A socket, or with ``whole_user`` every connection of its user."""

    sid: str
    namespace: str
    user_id: str
    whole_user: bool
    row: SocketRow | None = None

    @property
    def room(self) -> Room:
        """The room to act on."""
        if self.whole_user and self.user_id:
            return UserRoom(user_model_label(), self.user_id)
        return self.sid

    @property
    def username(self) -> str:
        """The name of the user; its id where the socket did not answer, "" for nobody."""
        return (self.row["username"] if self.row else "") or self.user_id

    @property
    def box(self) -> str:
        """What :func:`read_chosen` reads."""
        return f"{self.sid} {self.user_id} {self.namespace}"

    def __str__(self) -> str:
        if isinstance(self.room, UserRoom):
            return gettext("every socket of user %(user)s") % {"user": self.username}
        names = {"sid": self.sid, "namespace": self.namespace, "user": self.username}
        if self.username:
            return gettext("socket %(sid)s of user %(user)s in %(namespace)s") % names
        return gettext("socket %(sid)s in %(namespace)s") % names


def read_chosen(boxes: Iterable[str], whole_user: bool) -> list[Chosen]:
    """Return what the checked boxes name, each once; a box's value is "sid user_pk namespace".

    Processes are asked whose the sockets are: the admin's log must not believe a form.
    """
    read: dict[tuple[str, str], str] = {}
    for box in list(boxes)[:MAX_CHOSEN]:
        sid, _space, rest = box.partition(" ")
        pk, _space, namespace = rest.partition(" ")
        if sid and namespace:
            read[(sid, namespace)] = pk
    if not read:
        return []
    sids = [sid for sid, _namespace in read]
    rows = {
        (row["sid"], row["namespace"]): row
        for report in gather(SOCKETS, SocketsParams(sids=sids, limit=len(sids))).reports.values()
        for row in report["rows"]
    }
    return _once(
        Chosen(*key, row["user_id"], whole_user, row)
        if (row := rows.get(key))
        else Chosen(*key, pk if whole_user else "", whole_user)
        for key, pk in read.items()
    )


def all_matches(filters: SocketsParams, whole_user: bool) -> tuple[list[Chosen], int]:
    """Return the sockets that pass the filters, and how many pass.

    Of more than :data:`MAX_CHOSEN` it is the newest.
    """
    asked = cast(SocketsParams, {**filters, "limit": MAX_CHOSEN})
    reports = gather(SOCKETS, asked).reports.values()
    rows = sorted(
        (row for report in reports for row in report["rows"]),
        key=lambda row: row["since"],
        reverse=True,
    )
    chosen = _once(
        Chosen(row["sid"], row["namespace"], row["user_id"], whole_user, row)
        for row in rows[:MAX_CHOSEN]
    )
    return chosen, sum(report["total"] for report in reports)


def _once(chosen: Iterable[Chosen]) -> list[Chosen]:
    """Leave out all sockets of a user but one, where the whole user is meant."""
    found: dict[object, Chosen] = {}
    for one in chosen:
        whole = isinstance(one.room, UserRoom)
        found.setdefault(one.room if whole else (one.sid, one.namespace), one)
    return list(found.values())


def user_model_label() -> str:
    """Return the label of the user model, as in :class:`.UserRoom`."""
    concrete = get_user_model()._meta.concrete_model
    return "" if concrete is None else concrete._meta.label_lower
