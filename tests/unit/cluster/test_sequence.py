"""Sequence numbers: what is lost is noticed, what is not lost is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.cluster import sequence
from django_socketio.cluster.sequence import Receiver, Sender


def test_each_destination_is_numbered_on_its_own() -> None:
    sender = Sender()
    assert [sender.next("a"), sender.next("b"), sender.next("a")] == [(1, 1), (1, 1), (1, 2)]


def test_no_gap() -> None:
    sender, receiver = Sender(), Receiver()
    assert [receiver.lost("s", "g", *sender.next("g")) for _ in range(5)] == [0] * 5


def test_a_gap_is_counted_once() -> None:
    receiver = Receiver()
    assert [receiver.lost("s", "g", 1, number) for number in (1, 2, 5, 6)] == [0, 0, 2, 0]


def test_duplicates() -> None:
    receiver = Receiver()
    found = [receiver.lost("s", "g", 1, number) for number in (1, 1, 2, 3, 2, 3, 4)]
    assert found == [0, None, 0, 0, None, None, 0]


def test_the_first_message_sets_the_count() -> None:
    """A process that joins a group has no claim to what was sent before."""
    receiver = Receiver()
    assert [receiver.lost("s", "g", 1, number) for number in (41, 42, 44)] == [0, 0, 1]


def test_senders_and_groups_are_apart() -> None:
    receiver = Receiver()
    assert receiver.lost("s", "g", 1, 1) == 0
    assert receiver.lost("s", "", 1, 8) == 0
    assert receiver.lost("t", "g", 1, 5) == 0
    assert receiver.lost("s", "g", 1, 2) == 0


def test_a_group_that_was_left_begins_anew() -> None:
    receiver = Receiver()
    receiver.lost("s", "g", 1, 1)
    receiver.forget_group("g")
    assert receiver.lost("s", "g", 1, 9) == 0


def test_a_sender_that_is_gone_begins_anew() -> None:
    receiver = Receiver()
    receiver.lost("s", "g", 1, 7)
    receiver.forget("s")
    receiver.forget("unknown")
    assert receiver.lost("s", "g", 1, 1) == 0


@pytest.fixture
def two_destinations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "MAX_DESTINATIONS", 2)


@pytest.mark.usefixtures("two_destinations")
@pytest.mark.parametrize("sent", [1, 2, 5])
def test_a_forgotten_destination_begins_above_all_numbers_it_had(sent: int) -> None:
    """However often it was used before: what comes after is neither a gap nor a duplicate."""
    sender, receiver = Sender(), Receiver()
    for _ in range(sent):
        assert receiver.lost("s", "often", *sender.next("often")) == 0
    for other in ("b", "c", "d"):
        sender.next(other)
    assert [receiver.lost("s", "often", *sender.next("often")) for _ in range(3)] == [0, 0, 0]


@pytest.mark.usefixtures("two_destinations")
def test_a_loss_at_the_beginning_of_a_new_run_is_noticed() -> None:
    sender, receiver = Sender(), Receiver()
    receiver.lost("s", "a", *sender.next("a"))
    for other in ("b", "c", "d"):
        sender.next(other)
    sender.next("a")
    sender.next("a")
    assert receiver.lost("s", "a", *sender.next("a")) == 2


@pytest.mark.usefixtures("two_destinations")
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60))
def test_every_loss_is_counted(messages: list[tuple[str, bool]]) -> None:
    """Whatever is sent where, and whichever of it arrives."""
    sender, receiver = Sender(), Receiver()
    heard: set[str] = set()
    missing = dict.fromkeys("abcd", 0)
    last_run: dict[str, int] = {}
    for destination, arrives in messages:
        first, number = sender.next(destination)
        if last_run.get(destination) != first:
            # What is lost at the end of a run that was forgotten cannot be known.
            missing[destination] = 0
            last_run[destination] = first
        if not arrives:
            missing[destination] += 1
            continue
        found = receiver.lost("s", destination, first, number)
        assert found == (missing[destination] if destination in heard else 0)
        heard.add(destination)
        missing[destination] = 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "MAX_DESTINATIONS", 10)
    monkeypatch.setattr(sequence, "MAX_SENDERS", 10)
    sender, receiver = Sender(), Receiver()
    for number in range(100):
        sender.next(str(number))
        receiver.lost(str(number), "g", 1, 1)
    assert len(sender._runs) == 10
    assert len(receiver._last) == 10
