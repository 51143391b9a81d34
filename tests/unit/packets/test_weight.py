"""What JSON weighs, counted in its text, against what it turns out to be when it is decoded."""

from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.packets import JSONCodec, Limits, Packet, PacketLimitExceeded, weigh
from django_socketio.packets.weight import check_json, has_more_values, weigh_text
from tests.unit.alarm import linear
from tests.unit.strategies import json_values

MEGABYTE = 1_000_000
UNLIMITED = 10**9
# Texts that look like what is counted.
tricky = st.text(st.sampled_from(',[]{}":\\é😀\ud800'), max_size=8)
trees = json_values | st.recursive(
    tricky | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=3),
    max_leaves=15,
)


def values_of(data: Any) -> int:
    """An array or object counts for two beside what is in it, an empty one for three."""
    if isinstance(data, dict):
        data = list(data.values())
    return 2 + (sum(map(values_of, data)) or 1) if isinstance(data, list) else 1


def depth_of(data: Any) -> int:
    if isinstance(data, dict):
        data = list(data.values())
    return 1 + max(map(depth_of, data), default=0) if isinstance(data, list) else 0


def passes(text: str, **limits: int) -> bool:
    rest = {"max_json_values": UNLIMITED, "max_nesting_depth": UNLIMITED} | limits
    try:
        check_json(text, Limits(**rest))
    except PacketLimitExceeded:
        return False
    return True


@given(trees, st.booleans(), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_values_and_depth_are_those_of_the_data(
    data: Any, ascii_only: bool, separators: tuple[str, str]
) -> None:
    text = json.dumps(data, ensure_ascii=ascii_only, separators=separators)
    values, depth = values_of(data), depth_of(data)
    assert passes(text, max_json_values=values)
    assert not passes(text, max_json_values=values - 1)
    assert has_more_values(text, values - 1)
    assert not has_more_values(text, values)
    assert passes(text, max_nesting_depth=depth)
    assert not depth or not passes(text, max_nesting_depth=depth - 1)


@given(st.text(st.sampled_from(',[]{}":\\ 1a'), max_size=40))
def test_what_is_no_json_is_counted_all_the_same(text: str) -> None:
    passes(text, max_json_values=1)
    passes(text, max_nesting_depth=1)


@pytest.mark.parametrize(
    "piece",
    ['"', '"",', '"[",', '\\"', "\\\\", '"\\\\",', "[", "]", "{}", '"a":', "é,", '"ab",', "[[],"],
)
def test_a_megabyte_is_counted_in_linear_time(piece: str) -> None:
    text = '["e",' + piece * (MEGABYTE // len(piece))
    with linear(2):
        passes(text, max_json_values=10, max_nesting_depth=10)
        passes(text, max_nesting_depth=10)


@pytest.mark.serial
@pytest.mark.parametrize("size", [4000, 200_000])
@pytest.mark.parametrize(
    "piece",
    ["{}", "[]", '{"":0}', '{"a":1,"b":2}', "[[[1]]]", '{"a":{"b":{}}}', "0.5", '"ab"', "7"],
)
def test_the_weight_is_about_what_python_takes(codec: JSONCodec, piece: str, size: int) -> None:
    text = '["e"' + f",{piece}" * (size // len(piece)) + "]"
    gc.collect()
    tracemalloc.start()
    try:
        data = codec.loads(text)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    for weight in (weigh_text(text), weigh(Packet("2", "/", data, size=len(text)))):
        assert taken * 0.7 < weight < taken * 10 + len(text)


def test_text_outside_ascii_weighs_what_it_takes() -> None:
    assert weigh_text('["' + "x" * 1000 + '😀"]') > 4000
