"""The numbers of what is sent: each destination's own, and the position among all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.cluster import sequence
from django_socketio.cluster.sequence import Numbers, Sender


def test_each_destination_is_numbered_on_its_own() -> None:
    sender = Sender()
    assert [sender.next(name) for name in "abaa"] == [
        Numbers(first=1, number=1, position=1, previous=0, before=""),
        Numbers(first=1, number=1, position=2, previous=0, before="a"),
        Numbers(first=1, number=2, position=3, previous=1, before="b"),
        Numbers(first=1, number=3, position=4, previous=3, before="a"),
    ]
    assert sender.position == 4


def test_the_destinations_that_were_used_lately() -> None:
    sender = Sender()
    for name in "abacb":
        sender.next(name)
    assert sender.used_since(0, 10) == (5, [("a", 3), ("c", 4), ("b", 5)])
    assert sender.used_since(3, 10) == (5, [("c", 4), ("b", 5)])
    assert sender.used_since(5, 10) == (5, [])


def test_too_many_destinations_are_named_in_turn() -> None:
    """The oldest first: those that are used all the time speak for themselves."""
    sender = Sender()
    for name in "abacb":
        sender.next(name)
    assert sender.used_since(0, 2) == (4, [("a", 3), ("c", 4)])
    sender.next("a")
    assert sender.used_since(4, 2) == (6, [("b", 5), ("a", 6)])


@pytest.fixture
def two_destinations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "MAX_DESTINATIONS", 2)


@pytest.mark.usefixtures("two_destinations")
@pytest.mark.parametrize("sent", [1, 2, 5])
def test_a_forgotten_destination_begins_above_all_numbers_it_had(sent: int) -> None:
    sender = Sender()
    for _ in range(sent):
        last = sender.next("often")
    for other in ("b", "c", "d"):
        sender.next(other)
    first, number, _, previous, before = sender.next("often")
    assert first == number > last.number
    assert (previous, before) == (0, "d")
    assert sender.next("often") == Numbers(first, number + 1, sent + 5, sent + 4, "often")


@pytest.mark.usefixtures("two_destinations")
@given(st.lists(st.sampled_from("abcd"), max_size=60))
def test_numbers_only_grow(destinations: list[str]) -> None:
    sender = Sender()
    last: dict[str, Numbers] = {}
    for position, destination in enumerate(destinations, 1):
        numbers = sender.next(destination)
        assert numbers.position == position
        before = last.get(destination)
        if before is not None:
            assert numbers.number > before.number
            assert numbers.first in (before.first, numbers.number)
            assert numbers.previous == (before.position if numbers.first == before.first else 0)
        last[destination] = numbers


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "MAX_DESTINATIONS", 10)
    sender = Sender()
    for number in range(100):
        sender.next(str(number))
    assert len(sender._runs) == 10
