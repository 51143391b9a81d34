"""What processes say to each other.

A layer message is a dict of plain values (text, bytes, numbers, lists), which every channel layer
can carry::

    {"type": ..., "v": 1, "n": sender, "g": group or "", "f": the first number of the run,
     "s": sequence number, "o": operations}

An operation is a list that begins with its :class:`Kind`. What comes in is checked against
:data:`FORMS` like any input: an unknown version or kind, or a wrong shape, is counted and dropped.
"""

from __future__ import annotations

from enum import IntEnum, unique
from functools import lru_cache
from hashlib import sha256
from typing import Any

VERSION = 1
TYPE = "django_socketio.message"

# The group of all processes.
EVERYONE = "socketio.everyone"

# Flags of EMIT and ASK.
VOLATILE, UNCOMPRESSED = 1, 2


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
    REPORT = 40
    REPORTED = 41
    STRANGER = 22
    ECHO = 23


_NUMBER = (int, float)

# The types of an operation's items after its kind.
FORMS: dict[int, tuple[Any, ...]] = {
    # id (0 unless sent to several groups), namespace, rooms, exclude, flags, text, attachments
    Kind.EMIT: (int, str, list, list, int, str, list),
    # id, namespace ("" for all), rooms, exclude, action, names
    Kind.ACT: (int, str, list, list, str, list),
    # question, namespace, rooms, exclude
    Kind.FETCH: (int, str, list, list),
    # question, JSON
    Kind.FOUND: (int, str),
    # question, namespace, rooms, exclude, flags, text before and after the id, attachments, timeout
    Kind.ASK: (int, str, list, list, int, str, str, list, _NUMBER),
    # question, number of sockets asked
    Kind.ASKED: (int, int),
    # question, the acknowledgement as an ACK packet, its attachments
    Kind.ACKED: (int, str, list),
    # question, sockets that left, sockets that are silent
    Kind.DONE: (int, int, int),
    # question (0 for none), namespace, the event as an EVENT packet, its attachments
    Kind.SERVER_EVENT: (int, str, str, list),
    # question, answers as an ACK packet, its attachments
    Kind.SERVER_ANSWER: (int, str, list),
    # channel, seconds to the next one, whether an answer is wanted
    Kind.HELLO: (str, _NUMBER, bool),
    Kind.BYE: (),
    # whether an answer is wanted
    Kind.PULSE: (bool,),
    # tunnel, scope, body or None
    Kind.OPEN: (int, dict, (bytes, type(None))),
    # tunnel, message
    Kind.IN: (int, list),
    Kind.OUT: (int, list),
    # tunnel, bytes taken by the owner, and by the gate
    Kind.CREDIT: (int, int),
    Kind.RECEIPT: (int, int),
    Kind.ALIVE: (int,),
    Kind.ABORT: (int,),
    Kind.OVER: (int,),
    # question, what about, JSON
    Kind.REPORT: (int, str, str),
    # question, JSON
    Kind.REPORTED: (int, str),
    Kind.STRANGER: (),
    # number
    Kind.ECHO: (int,),
}


def is_well_formed(operation: Any) -> bool:
    """Whether an operation has the shape of its kind."""
    if not isinstance(operation, (list, tuple)) or not operation:
        return False
    form = FORMS.get(operation[0]) if isinstance(operation[0], int) else None
    return (
        form is not None
        and len(operation) == len(form) + 1
        and all(map(isinstance, operation[1:], form))
    )


@lru_cache(maxsize=8192)
def group_name(*parts: str) -> str:
    """The Channels group for some text: a hash, so that two texts never share a group."""
    digest = sha256(
        "\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    )
    return "socketio." + digest.hexdigest()[:40]
