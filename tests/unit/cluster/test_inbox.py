"""The inbox without a loop: what is let in, what is missing before it, what is dropped."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from django_socketio.cluster.inbox import Inbox, Received
from django_socketio.cluster.messages import Kind, pack
from tests.unit.cluster.layers import note
from tests.unit.cluster.test_operations import JUNK

ME = "me"
MINE = {"g"}


def message(number: int, group: str = "g", sender: str = "other") -> dict[str, Any]:
    return pack(sender, group, 1, number, [note(number)])


def opened(inbox: Inbox, *messages: Any) -> list[Received | None]:
    return [inbox.open(one, MINE) for one in messages]


def test_what_comes_in_order() -> None:
    assert opened(Inbox(ME), message(1), message(2)) == [
        Received("other", "g", 0, [note(1)]),
        Received("other", "g", 0, [note(2)]),
    ]


def test_a_gap_is_told_with_the_message_behind_it() -> None:
    found = opened(Inbox(ME), message(1), message(4), message(5))
    assert [received.lost for received in found if received] == [0, 2, 0]


def test_duplicates_and_groups_of_others_are_dropped() -> None:
    assert opened(Inbox(ME), message(1), message(1), message(1, "left"))[1:] == [None, None]


def test_a_gap_while_this_process_was_not_in_the_group_is_none() -> None:
    inbox = Inbox(ME)
    opened(inbox, message(1))
    inbox.forget_group("g")
    assert opened(inbox, message(7)) == [Received("other", "g", 0, [note(7)])]


def test_own_messages() -> None:
    """An echo in a group is a sign; one to the own channel is read, whatever its number."""
    echo = pack(ME, "", 0, 0, [[Kind.ECHO, 1]])
    assert opened(Inbox(ME), message(1, sender=ME), echo, echo) == [
        Received(ME, "g", 0, []),
        Received(ME, "", 0, [[Kind.ECHO, 1]]),
        Received(ME, "", 0, [[Kind.ECHO, 1]]),
    ]


def test_malformed_operations_leave_the_others_alone() -> None:
    mixed = pack("other", "", 1, 1, [note(1), [99], ["x"], note(2)])
    assert opened(Inbox(ME), mixed) == [Received("other", "", 0, [note(1), note(2)])]


@given(JUNK)
def test_junk_is_dropped(junk: Any) -> None:
    assert Inbox(ME).open(junk, MINE) is None
