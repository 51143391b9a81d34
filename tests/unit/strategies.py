"""Hypothesis strategies for what goes over the wire."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

# Half a surrogate pair is text to Python and JavaScript, but two of them may become one character.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
binaries = st.binary(max_size=20)
scalars = st.none() | st.booleans() | numbers | texts


def _no_placeholder(value: dict[str, Any]) -> bool:
    return value.get("_placeholder") is not True


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.dictionaries(
                texts | st.sampled_from(["_placeholder", "num"]), inner, max_size=5
            ).filter(_no_placeholder)
        ),
        max_leaves=15,
    )


json_values = _trees(scalars)
values = _trees(scalars | binaries)
namespaces = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=","), max_size=20
).map("/{}".format)
ack_ids = st.none() | st.integers(0, 2**53 - 1)
event_names = texts.filter(
    lambda name: name not in {"connect", "connect_error", "disconnect", "disconnecting"}
)

# Text that looks like packets: the characters that mean something, and pieces of JSON.
_pieces = st.sampled_from(
    [
        *'0123456789b-,/[]{}:"\\. eE+\x1e\x00\ud800é😀',
        "[]",
        "{}",
        '["a"]',
        '["message",',
        '{"_placeholder":true,"num":0}',
        '{"_placeholder":true,"num":1}',
        "null",
        "true",
        "NaN",
        "Infinity",
        "1e999",
        "\\ud800",
        "/chat,",
        "probe",
        "51-",
        "451-",
        "2probe",
    ]
)
packet_like_texts = st.lists(_pieces, max_size=25).map("".join)
any_texts = st.text(max_size=60) | packet_like_texts
any_packets = any_texts | st.binary(max_size=60)

frame_texts = st.builds(
    "{}{}".format,
    st.sampled_from("0123456"),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e"), max_size=60),
)
