"""What a process keeps of its messages: how much, for how long, and what it finds again."""

from __future__ import annotations

from typing import Any

import pytest

from django_socketio.cluster import kept
from django_socketio.cluster.kept import KEEP_TIME, MESSAGE_WEIGHT, OPERATION_WEIGHT, Kept
from django_socketio.cluster.outbox import OVERHEAD, Outbox
from tests.unit.cluster.layers import note

# What a message with one operation weighs.
WEIGHT = MESSAGE_WEIGHT + OPERATION_WEIGHT + OVERHEAD


def keep(store: Kept, destinations: str, box: Outbox | None = None) -> Outbox:
    """A message to each group, in this order; what is packed is its position."""
    box = box or Outbox(10**6)
    for group in destinations:
        box.put(group, "", note(0), 0)
        message = box.take()
        store.add(message, {"p": message.numbers.position})
    return box


def found(
    store: Kept, *missing: tuple[str, int, int], room: int = 10**6
) -> tuple[list[int], dict[str, int]]:
    batch, _, gone = store.find(missing, room)
    return [packed["p"] for packed in batch], gone


@pytest.fixture
def store() -> Kept:
    return Kept(10**6)


def test_what_is_missing_is_found_in_the_order_in_which_it_was_sent(store: Kept) -> None:
    keep(store, "abcabcab")
    assert found(store, ("a", 1, 7)) == ([4, 7], {})
    assert found(store, ("b", 0, 5), ("a", 4, 7)) == ([2, 5, 7], {})
    assert found(store, ("c", 3, 3)) == ([], {})


def test_a_position_between_messages_will_do(store: Kept) -> None:
    """Who has heard nothing of a group yet knows only from where on it has a claim."""
    keep(store, "abcabcab")
    assert found(store, ("a", 2, 7)) == ([4, 7], {})


def test_what_is_too_old_is_gone() -> None:
    store = Kept(4 * WEIGHT)
    keep(store, "abababab")
    assert len(store) == 4
    assert store.size == 4 * WEIGHT
    assert found(store, ("a", 1, 7), ("b", 0, 4)) == ([5, 7], {"a": 3, "b": 4})
    assert found(store, ("a", 3, 7)) == ([5, 7], {})


def test_a_message_that_is_larger_than_all_may_be() -> None:
    store = Kept(WEIGHT - 1)
    keep(store, "aa")
    assert (len(store), store.size) == (0, 0)
    assert found(store, ("a", 1, 2)) == ([], {"a": 2})


def test_what_was_never_sent_or_went_elsewhere_is_gone(store: Kept) -> None:
    keep(store, "ab")
    assert found(store, ("a", 0, 9)) == ([], {"a": 9})
    assert found(store, ("a", 1, 2)) == ([], {"a": 2})


def test_what_the_layer_cannot_carry_is_gone(store: Kept) -> None:
    keep(store, "aaa")
    store.refuse(2)
    store.refuse(17)
    assert found(store, ("a", 0, 3)) == ([1, 3], {"a": 2})


def test_one_batch_is_small(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BATCH", 3)
    keep(store, "aaaaaaaa")
    assert found(store, ("a", 0, 8)) == ([1, 2, 3], {})
    assert found(store, ("a", 0, 8), room=2 * WEIGHT) == ([1, 2], {})
    assert found(store, ("a", 0, 8), room=1) == ([1], {})


def test_one_batch_over_several_groups(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BATCH", 3)
    keep(store, "abbbbba")
    assert found(store, ("a", 0, 7), ("b", 0, 6)) == ([1, 2, 3], {})


def test_messages_are_kept_for_a_while(store: Kept) -> None:
    box = keep(store, "aa")
    store.age(1000.0)
    keep(store, "a", box)
    store.age(1000.0 + KEEP_TIME - 1)
    assert len(store) == 3
    store.age(1000.0 + KEEP_TIME)
    assert found(store, ("a", 0, 3)) == ([3], {"a": 2})
    store.age(1000.0 + 2 * KEEP_TIME)
    assert (len(store), store.size, store._next) == (0, 0, {})


def test_the_same_destination_after_it_was_forgotten(store: Kept) -> None:
    """A new run begins, and its first message has no one before it."""
    box = Outbox(10**6)
    messages: list[Any] = []
    for _ in range(2):
        box.put("a", "", note(0), 0)
        messages.append(box.take())
        box._sender._runs.clear()
    for message in messages:
        store.add(message, {"p": message.numbers.position})
    assert found(store, ("a", 0, 2)) == ([2], {})
