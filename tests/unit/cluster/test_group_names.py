"""Group names: made by hashing, so that no two rooms share a group."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from django_socketio.addressing.rooms import Room, UserRoom
from django_socketio.addressing.target import room_key
from django_socketio.cluster.messages import group_name

LONG = "x" * 200

# Any text, half a surrogate pair too: JavaScript may send one.
ANY_TEXT = st.text(st.characters(codec=None), max_size=20)
PARTS = st.lists(ANY_TEXT, min_size=1, max_size=4).map(tuple)

# What channels and its layers on Redis accept.
VALID = re.compile(r"^[a-zA-Z\d\-_.]{1,99}$")

TRICKY = [
    ("a b",),
    ("a_b",),
    ("a-b",),
    ("é",),
    ("ü",),
    ("e\u0301",),  # é in two characters
    (LONG + "1",),
    (LONG + "2",),
    ("ab", "c"),
    ("a", "bc"),
    ("abc",),
    ("a", "b", "c"),
    ("a\0b",),
    ("a", "b"),
    ("1:a",),
    ("a", ""),
    ("", "a"),
    ("a",),
    ("",),
    ("", ""),
    ("\ud800",),
    ("\udc00",),
    ("?",),
    ("1:a\x001:b",),
    ("A",),
    ("a ",),
]


def test_tricky_names_have_groups_of_their_own() -> None:
    assert len({group_name(*parts) for parts in TRICKY}) == len(TRICKY)


@given(PARTS, PARTS)
def test_two_names_never_share_a_group(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assume(one != other)
    assert group_name(*one) != group_name(*other)


@given(PARTS)
def test_every_name_is_one_that_a_layer_accepts(parts: tuple[str, ...]) -> None:
    assert VALID.match(group_name(*parts))


@pytest.mark.parametrize("parts", TRICKY)
def test_a_name_does_not_depend_on_the_process(parts: tuple[str, ...]) -> None:
    before = group_name(*parts)
    group_name.cache_clear()
    assert group_name(*parts) == before


def test_a_group_is_the_same_in_every_version() -> None:
    """Processes of two releases may run side by side while one replaces the other."""
    assert group_name("/chat", "room", "a b") == "socketio.7e057eaea6dfe92471df10d3c5d83971e08e1332"


def test_a_room_cannot_be_named_like_a_user() -> None:
    rooms: list[Room] = ["user", "auth.user", "5", UserRoom("auth.user", "5")]
    keys = {room_key(room) for room in rooms}
    assert len(keys) == len(rooms)
    assert len({group_name("/", *key) for key in keys} | {group_name("/")}) == len(rooms) + 1
