"""What comes over the layer is checked like any input."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.addressing.rooms import UserRoom
from django_socketio.addressing.target import Target, name_from_wire, name_to_wire
from django_socketio.cluster.messages import ITEMS, Kind, is_well_formed

CONTRACT = Path(__file__).parents[3] / "docs" / "layer.md"

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(SCALARS, inner, max_size=3),
    max_leaves=10,
)

# A value for each type of an item.
SAMPLES: dict[Any, Any] = {int: 7, str: "text", list: [], dict: {}, bool: True, bytes: b"bytes"}


def sample(kind: Kind) -> list[Any]:
    types = ITEMS[kind].values()
    return [SAMPLES[item[0] if isinstance(item, tuple) else item] for item in types]


def test_the_items_of_every_kind_are_known() -> None:
    assert set(ITEMS) == set(Kind)


def test_the_contract_lists_every_operation() -> None:
    """docs/layer.md, the tables whose rows begin with a kind and its name."""
    rows = re.findall(r"^\| (\d+) \| ([A-Z_]+) \| ([^|]*?) ?\|", CONTRACT.read_text(), re.MULTILINE)
    listed = [(int(kind), name, items.split(", ") if items else []) for kind, name, items in rows]
    assert sorted(listed) == sorted((kind, kind.name, list(ITEMS[kind])) for kind in Kind)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_an_operation_of_the_right_form(kind: Kind) -> None:
    operation = [kind, *sample(kind)]
    assert is_well_formed(operation)
    assert is_well_formed(tuple(operation))
    assert not is_well_formed([*operation, 0])
    for place in range(len(operation)):
        assert not is_well_formed(operation[:place])
        assert not is_well_formed([*operation[:place], object(), *operation[place + 1 :]])


@pytest.mark.parametrize(
    "junk", [None, 1, "x", b"", [], {}, [0], [-1], [99], ["1"], [None], [1.0], [[1]], [{}]]
)
def test_junk(junk: Any) -> None:
    assert not is_well_formed(junk)


@given(JUNK)
def test_no_junk_raises(junk: Any) -> None:
    assert is_well_formed(junk) in (True, False)


@given(st.sampled_from(list(Kind)), st.lists(JUNK, max_size=9))
def test_no_junk_after_a_kind_raises(kind: Kind, items: list[Any]) -> None:
    assert is_well_formed([int(kind), *items]) in (True, False)


# Whom an operation addresses

ANY_TEXT = st.text(st.characters(codec=None), max_size=10)
ROOMS = ANY_TEXT | st.builds(UserRoom, st.text(), st.text())


@given(st.text(), st.lists(ROOMS).map(tuple), st.lists(ROOMS).map(tuple))
def test_a_target_comes_back_as_it_was(
    namespace: str, rooms: tuple[Any, ...], exclude: tuple[Any, ...]
) -> None:
    target = Target(namespace, rooms, exclude)
    assert Target.from_wire(*target.to_wire()) == target


@given(ANY_TEXT)
def test_every_name_can_be_packed(name: str) -> None:
    """msgpack takes no half of a surrogate pair."""
    assert name_from_wire(msgpack.unpackb(msgpack.packb(name_to_wire(name)))) == name


@given(st.lists(JUNK, max_size=3), st.lists(JUNK, max_size=3))
def test_junk_for_rooms_is_refused(rooms: list[Any], exclude: list[Any]) -> None:
    try:
        target = Target.from_wire("/", rooms, exclude)
    except ValueError:
        return
    assert all(isinstance(room, (str, tuple)) for room in (*target.rooms, *target.exclude))
