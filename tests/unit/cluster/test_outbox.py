"""The outbox without a loop: which operations share a message, its number, and what overflows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.cluster import outbox
from django_socketio.cluster.messages import CARRIED
from django_socketio.cluster.outbox import Outbox, OutgoingMessage
from tests.unit.cluster.layers import note


def take_all(box: Outbox) -> list[OutgoingMessage]:
    found = []
    while box.size:
        found.append(box.take())
    return found


def put(box: Outbox, destinations: str, size: int = 0) -> None:
    """An operation for each: a group for a small letter, a channel for a capital one."""
    for number, name in enumerate(destinations):
        group, channel = (name, "") if name.islower() else ("", name)
        box.put(group, channel, note(number), size)


def test_neighbours_share_a_message() -> None:
    box = Outbox(1_000_000)
    put(box, "aaabAAa")
    found = [
        (message.group, message.channel, [operation[1] for operation in message.operations])
        for message in take_all(box)
    ]
    assert found == [
        ("a", "", [0, 1, 2]),
        ("b", "", [3]),
        ("", "A", [4, 5]),
        ("a", "", [6]),
    ]


def test_each_destination_is_numbered() -> None:
    box = Outbox(1_000_000)
    put(box, "abaBaB")
    found = [(m.destination, m.numbers.number, m.numbers.position) for m in take_all(box)]
    assert found == [("a", 1, 1), ("b", 1, 2), ("a", 2, 3), ("B", 1, 4), ("a", 3, 5), ("B", 2, 6)]
    assert box.position == 6


def test_a_message_that_is_being_sent_is_closed() -> None:
    box = Outbox(1_000_000)
    put(box, "a")
    first = box.take()
    put(box, "a")
    assert len(first.operations) == 1
    assert box.take().numbers.number == 2


def test_milestones_are_those_of_operations() -> None:
    box = Outbox(1_000_000)
    milestones = [box.put("g", "", note(n), 0) for n in range(3)]
    other = box.put("h", "", note(3), 0)
    box.sent.finish(box.take().last)
    assert all(milestone.done for milestone in milestones)
    assert not other.done
    box.sent.finish(box.take().last)
    assert other.done


def test_the_oldest_overflow() -> None:
    box = Outbox(3 * (1000 + outbox.OVERHEAD))
    put(box, "abcde", 1000)
    assert box.overflows
    assert [message.group for message in box.drop_overflow()] == ["a", "b"]
    assert not box.overflows
    assert [message.group for message in take_all(box)] == ["c", "d", "e"]
    put(box, "ab")
    # What was dropped has a number.
    assert [message.numbers.number for message in take_all(box)] == [2, 2]


def test_one_message_is_kept_whatever_its_size() -> None:
    box = Outbox(1000)
    put(box, "a", 100_000)
    assert box.drop_overflow() == []
    assert len(take_all(box)) == 1
    with pytest.raises(IndexError):
        box.take()


def test_congestion() -> None:
    box = Outbox(10**9)
    for number in range(outbox.CONGESTED):
        put(box, "ab"[number % 2])
    assert not box.congested
    put(box, "c")
    assert box.congested
    box.take()
    assert not box.congested


@given(st.lists(st.tuples(st.sampled_from("abABCD"), st.integers(0, 400_000)), max_size=60))
def test_nothing_is_lost_or_reordered(puts: list[tuple[str, int]]) -> None:
    box = Outbox(10**9)
    for number, (name, size) in enumerate(puts):
        group, channel = (name, "") if name.islower() else ("", name)
        if name in "CD":
            group = CARRIED
        box.put(group, channel, note(number), size)
    found = [
        (message.channel or message.group, operation[1])
        for message in take_all(box)
        for operation in message.operations
    ]
    assert found == [(name, number) for number, (name, _) in enumerate(puts)]
    assert box.size == 0


# What tunnels carry


def test_what_tunnels_carry_has_numbers_of_its_own() -> None:
    box = Outbox(10**9)
    for group, channel in (("", "A"), (CARRIED, "A"), ("", "A"), (CARRIED, "A"), (CARRIED, "B")):
        box.put(group, channel, note(0), 0)
    found = [(message.group, message.channel, message.numbers.number) for message in take_all(box)]
    assert found == [
        ("", "A", 1),
        (CARRIED, "A", 1),
        ("", "A", 2),
        (CARRIED, "A", 2),
        (CARRIED, "B", 1),
    ]


def test_what_tunnels_carry_is_not_dropped() -> None:
    """However old it is, and whatever is."""
    box = Outbox(4 * (1000 + outbox.OVERHEAD))
    for number in range(10):
        box.put(CARRIED if number % 5 == 0 else "", "AB"[number % 2], note(number), 1000)
    assert len(box.drop_overflow()) == 6
    assert [message.operations[0][1] for message in take_all(box)] == [0, 5, 8, 9]
    assert box.size == 0


def test_half_of_the_room_is_left_to_others() -> None:
    box = Outbox(4 * (1000 + outbox.OVERHEAD))
    made: list[int] = []
    box.when_room_is_made(lambda: made.append(box.size))
    assert box.has_room(1000)
    box.put(CARRIED, "A", note(0), 1000)
    # What takes more than half waits until it fits.
    assert not box.has_room(4 * 1000)
    box.put(CARRIED, "A", note(0), 1000)
    assert box.has_room(1000)
    box.put("g", "", note(0), 0)
    assert not box.has_room(0)
    with pytest.raises(ValueError, match="larger than"):
        box.has_room(4 * 1000 + 3 * outbox.OVERHEAD + 1)
    # Who was told that there is none is told when there is, once.
    assert made == []
    take_all(box)
    assert made == [outbox.OVERHEAD]


def test_broadcasts_without_end_do_not_stop_tunnels() -> None:
    """A share of the room is theirs: for it broadcasts are dropped."""
    box = Outbox(16 * (1000 + outbox.OVERHEAD))
    made: list[int] = []
    box.when_room_is_made(lambda: made.append(box.size))

    def broadcast() -> None:
        for number in range(20):
            box.put("gh"[number % 2], "", note(number), 1000)
        box.drop_overflow()

    broadcast()
    for _ in range(2):
        assert box.has_room(1000)
        box.put(CARRIED, "A", note(0), 1000)
    assert not box.has_room(1000)
    for _ in range(16):
        box.take()
        broadcast()
    assert made
    assert box.has_room(1000)


def test_a_message_that_is_not_numbered_keeps_its_place() -> None:
    box = Outbox(10_000)
    milestone = box.put("", "A", note(1), 0)
    packed = {"s": 1}
    box.put_packed("A", packed, 3000)
    box.put("", "A", note(2), 0)
    first, again, last = take_all(box)
    assert (again.channel, again.packed, again.operations) == ("A", packed, [])
    assert (first.numbers.number, last.numbers.number) == (1, 2)
    box.sent.finish(first.last)
    assert milestone.done
    assert first.last <= again.last < last.last


def test_half_is_left_for_what_is_new() -> None:
    box = Outbox(10_000)
    assert box.room == 5000
    box.put_packed("A", {}, 5001)
    assert box.room == -1
