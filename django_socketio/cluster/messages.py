"""What processes say to each other; docs/layer.md is the contract.

A message is a dict of plain values (text, bytes, numbers, lists), which :mod:`.signing` packs and
signs::

    {"n": sender, "g": group, "" or CARRIED, "f": the first number of the run,
     "s": sequence number, "p": position, "q": the position before,
     "b": what was said before, "o": operations}

An operation is a list that begins with its :class:`Kind`; :data:`ITEMS` names what follows. What
comes in is checked like any input: an unknown kind, or a wrong shape, is counted and dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, unique
from functools import lru_cache
from hashlib import sha256
from typing import Any

from ..addressing.ids import is_node
from .sequence import Numbers

VERSION = 2
TYPE = "django_socketio.message"

# The group of all processes.
EVERYONE = "socketio.everyone"
# Stands for a group in what tunnels send to one process: they have sequence numbers of their own.
CARRIED = "socketio.carried"
# What stands for a group in messages to one process.
PRIVATE = ("", CARRIED)

# Flags of EMIT and ASK.
VOLATILE, UNCOMPRESSED, NAMED = 1, 2, 4


@unique
class Kind(IntEnum):
    """The first item of an operation."""

    EMIT = 1
    ACT = 2
    FETCH = 3
    FOUND = 4
    ASK = 5
    ASKED = 6
    ACKED = 7
    DONE = 8
    SERVER_EVENT = 9
    SERVER_ANSWER = 10
    HELLO = 11
    BYE = 12
    PULSE = 13
    OPEN = 14
    IN = 15
    OUT = 16
    CREDIT = 17
    RECEIPT = 18
    ALIVE = 19
    ABORT = 20
    OVER = 21
    STRANGER = 22
    ECHO = 23
    LOGOUT = 24
    SAID = 25
    AGAIN = 26
    RESENT = 27
    ANSWERED = 28
    VISITS = 30
    REPORT = 40
    REPORTED = 41
    COUNT = 50
    COUNTED = 51
    WHO = 52
    HERE = 53
    PRESENCE = 54
    ANNOUNCED = 55
    SEEK = 56
    HAS = 57
    TAKE = 58
    GIVEN = 59
    BEQUEATH = 60


_NUMBER = (int, float)
_TARGET = {"namespace": str, "rooms": list, "exclude": list}

# The items of an operation after its kind: their names and types. docs/layer.md explains them.
ITEMS: dict[Kind, dict[str, Any]] = {
    Kind.EMIT: {"id": int, **_TARGET, "flags": int, "text": str, "attachments": list},
    Kind.ACT: {"id": int, **_TARGET, "action": str, "names": list},
    Kind.FETCH: {"question": int, **_TARGET},
    Kind.FOUND: {"question": int, "sockets": str},
    Kind.ASK: {
        "question": int,
        **_TARGET,
        "flags": int,
        "before": str,
        "after": str,
        "attachments": list,
        "timeout": _NUMBER,
    },
    Kind.ASKED: {"question": int, "sockets": int},
    Kind.ACKED: {"question": int, "text": str, "attachments": list},
    Kind.DONE: {"question": int, "gone": int, "silent": int},
    Kind.SERVER_EVENT: {"question": int, "namespace": str, "text": str, "attachments": list},
    Kind.SERVER_ANSWER: {"question": int, "text": str, "attachments": list},
    Kind.HELLO: {"channel": str, "interval": _NUMBER, "wanted": bool},
    Kind.BYE: {},
    Kind.PULSE: {"wanted": bool},
    Kind.OPEN: {"tunnel": int, "head": dict},
    Kind.IN: {"tunnel": int, "message": list},
    Kind.OUT: {"tunnel": int, "message": list},
    Kind.CREDIT: {"tunnel": int, "bytes": int},
    Kind.RECEIPT: {"tunnel": int, "bytes": int},
    Kind.ALIVE: {"tunnel": int},
    Kind.ABORT: {"tunnel": int},
    Kind.OVER: {"tunnel": int},
    Kind.STRANGER: {},
    Kind.ECHO: {"number": int},
    Kind.LOGOUT: {"logins": list, "user": str},
    Kind.SAID: {
        "channel": str,
        "answer": bool,
        "since": int,
        "until": int,
        "last": list,
        "gone": list,
    },
    Kind.AGAIN: {"channel": str, "since": int, "missing": list},
    Kind.RESENT: {"messages": list},
    Kind.ANSWERED: {"question": int, "sid": str, "text": str, "attachments": list},
    Kind.VISITS: {"visiting": bool},
    Kind.REPORT: {"question": int, "subject": str, "params": str},
    Kind.REPORTED: {"question": int, "report": str},
    Kind.COUNT: {"question": int, **_TARGET, "users": bool},
    Kind.COUNTED: {"question": int, "sockets": int, "users": list},
    Kind.WHO: {"owner": bool},
    Kind.HERE: {"first": bool, "last": bool, "users": list},
    Kind.PRESENCE: {"users": list},
    Kind.ANNOUNCED: {"users": list},
    Kind.SEEK: {"question": int, "namespace": str, "pid": str},
    Kind.HAS: {"question": int, "session": str},
    Kind.TAKE: {"question": int, "pids": list, "offset": str, "all": bool},
    Kind.GIVEN: {"question": int, "sessions": str, "packets": list, "left": int},
    Kind.BEQUEATH: {"sessions": str, "more": bool},
}

_FORMS = {int(kind): (int, *items.values()) for kind, items in ITEMS.items()}


def is_well_formed(operation: Any) -> bool:
    """Whether an operation has the shape of its kind."""
    if not isinstance(operation, (list, tuple)) or not operation:
        return False
    form = _FORMS.get(operation[0]) if isinstance(operation[0], int) else None
    return (
        form is not None and len(operation) == len(form) and all(map(isinstance, operation, form))
    )


def check_items(items: list[Any], form: tuple[type | tuple[type, ...], ...]) -> None:
    """Raise ValueError unless each item of a list is a list of these types."""
    for item in items:
        if (
            not isinstance(item, (list, tuple))
            or len(item) != len(form)
            or not all(map(isinstance, item, form))
        ):
            raise ValueError("an item of another form")


class BadMessage(ValueError):
    """A message from the layer that has a wrong shape."""


def pack(sender: str, group: str, numbers: Numbers, operations: list[list[Any]]) -> dict[str, Any]:
    """Return a message, ready to be signed."""
    return {
        "n": sender,
        "g": group,
        "f": numbers.first,
        "s": numbers.number,
        "p": numbers.position,
        "q": numbers.previous,
        "b": numbers.before,
        "o": operations,
    }


def unpack(message: Any) -> tuple[str, str, Numbers, Sequence[Any]]:
    """Return the sender, group, numbers and operations of a message.

    Raises BadMessage for a wrong shape. The operations are not checked yet.
    """
    if not isinstance(message, dict):
        raise BadMessage("not a message")
    sender, group, operations = message.get("n"), message.get("g"), message.get("o")
    first, number = message.get("f"), message.get("s")
    position, previous, before = message.get("p"), message.get("q"), message.get("b")
    if not (
        isinstance(sender, str)
        and is_node(sender)
        and isinstance(group, str)
        and isinstance(first, int)
        and isinstance(number, int)
        and isinstance(position, int)
        and isinstance(previous, int)
        and isinstance(before, str)
        and isinstance(operations, (list, tuple))
    ):
        raise BadMessage("not a message")
    return sender, group, Numbers(first, number, position, previous, before), operations


@lru_cache(maxsize=8192)
def group_name(*parts: str) -> str:
    """Return the Channels group for some text: a hash, so that no two texts share a group."""
    digest = sha256(
        "\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    )
    return "socketio." + digest.hexdigest()[:40]
