"""What JSON weighs in memory, found by counting characters, before anything of it is decoded.

Text says little of it: ``{}`` and its comma are 3 characters on the wire, and 72 bytes as a dict in
a list. All of this takes linear time, in C.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import accumulate, count
from sys import getsizeof
from typing import Any

from .packet import Limits, PacketLimitExceeded

# Bytes that a value takes at most, about, with its place in a list or dict: 8 as a small number, 60
# as a short text, 70 as an empty dict, 190 as one with a key.
_VALUE = 64
# An array or object counts for so many values beside what is in it.
_MORE = 2

_OPENING, _CLOSING = b"[", b"]"
_AS_ARRAYS = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE = bytes(set(range(256)) - set(b'",[]{}'))


def check_json(text: str, limits: Limits) -> None:
    """Raise PacketLimitExceeded for JSON that has too many values or is nested too deeply.

    An array or object counts for two beside what is in it, an empty one for three. What is no JSON
    may pass, or be refused here.
    """
    openings = text.count("[") + text.count("{")
    deep = openings > limits.max_nesting_depth
    # As if all of these characters had a meaning: most text ends here.
    many = 1 + text.count(",") + _MORE * openings > limits.max_json_values
    if not deep and not many:
        return
    structure = _structure(text)
    if many and _count(structure) > limits.max_json_values:
        raise PacketLimitExceeded("too many JSON values")
    if deep and _depth(structure) > limits.max_nesting_depth:
        raise PacketLimitExceeded("JSON nested too deeply")


def has_more_values(text: str, limit: int) -> bool:
    """Return whether JSON has more than ``limit`` values; see :func:`check_json`."""
    return _count(_structure(text)) > limit


def weigh_text(text: str) -> int:
    """Return about how many bytes JSON takes when it is decoded, rather too many than too few."""
    values = 1 + text.count(",") + _MORE * (text.count("[") + text.count("{"))
    return getsizeof(text) + _VALUE * values


def weigh_data(data: Any) -> int:
    """Return the same for decoded JSON, without what its texts have. Goes through all of it."""
    found = [data]
    larger = 0
    for value in found:
        if type(value) is list:
            found += value
            larger += 1
        elif type(value) is dict:
            found += value.values()
            larger += 1
    return _VALUE * (len(found) + _MORE * larger)


def _structure(text: str) -> bytes:
    """Return the commas and brackets of JSON outside its strings; objects are taken for arrays."""
    data = text.encode("utf-8", "surrogatepass")
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotes in a row: nothing in a string, or nothing between two, which become one.
    data = data.translate(_AS_ARRAYS, _NO_STRUCTURE).replace(b'""', b"")
    return b"".join(data.split(b'"')[::2]) if b'"' in data else data


def _count(structure: bytes) -> int:
    return 1 + structure.count(b",") + _MORE * structure.count(_OPENING)


def _depth(structure: bytes) -> int:
    """Return how deep arrays are nested: how far the openings are ahead of the closings at most."""
    runs = structure.translate(None, b",").split(_CLOSING)
    depths: Iterator[int] = map(operator.sub, accumulate(map(len, runs)), count())
    return max(depths)
