"""The inbox without a loop: what is let in, what is dropped."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from django_socketio.cluster.inbox import Inbox
from django_socketio.cluster.messages import Kind, pack
from django_socketio.cluster.sequence import NONE, Numbers, Received
from tests.unit.cluster.layers import note
from tests.unit.cluster.test_operations import JUNK

ME = "me"
MINE = {"g"}
NUMBERS = Numbers(1, 2, 7, 5, "g")


def opened(message: Any) -> Received | None:
    return Inbox(ME).open(message, MINE)


def test_a_message_is_opened() -> None:
    for group in ("g", ""):
        packed = pack("other", group, NUMBERS, [note(1), note(2)])
        assert opened(packed) == Received("other", group, NUMBERS, [note(1), note(2)])


def test_groups_of_others_are_dropped() -> None:
    assert opened(pack("other", "left", NUMBERS, [note(1)])) is None


def test_own_messages() -> None:
    """An echo in a group is a sign; one to the own channel is read."""
    echo = pack(ME, "", NONE, [[Kind.ECHO, 1]])
    assert opened(pack(ME, "g", NUMBERS, [note(1)])) == Received(ME, "g", NUMBERS, [])
    assert opened(echo) == Received(ME, "", NONE, [[Kind.ECHO, 1]])


def test_malformed_operations_leave_the_others_alone() -> None:
    mixed = pack("other", "", NUMBERS, [note(1), [99], ["x"], note(2)])
    assert opened(mixed) == Received("other", "", NUMBERS, [note(1), note(2)])


@given(JUNK)
def test_junk_is_dropped(junk: Any) -> None:
    assert opened(junk) is None
