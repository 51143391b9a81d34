"""What MessagePack weighs in memory, found before anything of it is decoded.

A byte may stand for a whole list, and five bytes for one of as many values as a decoder will make
room for, in each level anew. The format: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

import math
import re
from struct import unpack_from

from .packet import Limits, PacketError, PacketLimitExceeded

# An array or object counts for so many values with its own.
_CONTAINER = 2
# The extensions that are known, as (type, bytes): notepack's undefined and Date, MessagePack's own
# timestamps.
EXTENSIONS = frozenset({(0, 1), (0, 8), (255, 4), (255, 8), (255, 12)})
_CONTAINERS = bytes([*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF])
# What may begin binary data, an extension or a list of declared length; and a NaN or an infinity.
# Many messages have no such bytes; whether they mean it, going through the values tells.
_SUSPICIOUS = bytes([0xC1, *range(0xC4, 0xCA), *range(0xD4, 0xD9), 0xDC, 0xDD])
_NOT_FINITE = re.compile(rb"[\xca\xcb][\x7f\xff]")
# Values of one byte.
_RUN = re.compile(rb"[\x00-\x7f\xc0\xc2\xc3\xe0-\xff]+")
# Bytes of a value whose length its first byte tells, 0 for the others.
_LENGTHS = [0] * 256
for _code in (*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):
    _LENGTHS[_code] = 1
for _code in range(0xA0, 0xC0):
    _LENGTHS[_code] = 1 + _code - 0xA0
for _code, _length in zip(range(0xCA, 0xD4), (5, 9, 2, 3, 5, 9, 2, 3, 5, 9), strict=True):
    _LENGTHS[_code] = _length
for _code, _length in zip(range(0xD4, 0xD9), (3, 4, 6, 10, 18), strict=True):
    _LENGTHS[_code] = _length
# The format of the length behind the first byte, and what comes beside that many bytes.
_PREFIXED = {
    0xC4: (">B", 2), 0xC5: (">H", 3), 0xC6: (">I", 5),
    0xC7: (">B", 3), 0xC8: (">H", 4), 0xC9: (">I", 6),
    0xD9: (">B", 2), 0xDA: (">H", 3), 0xDB: (">I", 5),
}  # fmt: skip
_COUNTED = {0xDC: (">H", 3), 0xDD: (">I", 5), 0xDE: (">H", 3), 0xDF: (">I", 5)}


def check_msgpack(data: bytes, limits: Limits) -> None:
    """Check a packet of MessagePack, a map around its data.

    Values count as in :func:`.weight.check_json`. Raises :class:`PacketError` for what is no
    MessagePack, too.
    """
    length = len(data)
    if len(data.translate(None, _SUSPICIOUS)) == length and not _NOT_FINITE.search(data):
        containers = length - len(data.translate(None, _CONTAINERS))
        if (
            containers <= limits.max_nesting_depth
            and length + _CONTAINER * containers <= limits.max_json_values
        ):
            return
    try:
        _walk(data, limits)
    except IndexError:
        raise PacketError("invalid MessagePack") from None


def _walk(data: bytes, limits: Limits) -> None:
    """Go through all values, without making any. Raises IndexError for data that ends too early."""
    end, at = len(data), 0
    values = attachments = size = 0
    # How many values are still to come in the innermost container, and whether it is a map, where
    # each second is a key. The same of those around it. The packet itself is the outermost.
    left, in_map = 1, False
    around: list[tuple[int, bool]] = []
    while True:
        while not left:
            if not around:
                if at != end:
                    raise PacketError("invalid MessagePack")
                return
            left, in_map = around.pop()
        code = data[at]
        is_key = in_map and not left & 1
        left -= 1
        length = _LENGTHS[code]
        if is_key:
            if not (0xA0 <= code < 0xC0 or 0xD9 <= code <= 0xDB):
                raise PacketError("the keys of an object are text")
            at += length or _read_number(data, at, code) + _PREFIXED[code][1]
            if len(around) == 1:
                values = 0  # each value of the packet is counted for itself
            continue
        if length:
            if at + length > end:
                raise PacketError("invalid MessagePack")
            if 0xCA <= code <= 0xCB:
                (number,) = unpack_from(">f" if code == 0xCA else ">d", data, at + 1)
                if not math.isfinite(number):
                    raise PacketError("NaN or an infinity")
            elif code >= 0xD4 and code <= 0xD8:
                _check_extension(data[at + 1], length - 2)
            at += length
            values += 1
            if length == 1 and left and not in_map:
                run = _RUN.match(data, at, at + left)
                if run is not None:
                    count = run.end() - at
                    at, left, values = at + count, left - count, values + count
        elif code in _PREFIXED:
            length, before = _read_number(data, at, code), _PREFIXED[code][1]
            if code <= 0xC6:
                attachments += 1
                size += length
            elif code <= 0xC9:
                _check_extension(data[at + before - 1], length)
            at += before + length
            values += 1
        else:
            if code in _COUNTED:
                count = _read_number(data, at, code)
                at += _COUNTED[code][1]
            elif 0x80 <= code <= 0x9F:
                count = code & 15
                at += 1
            else:
                raise PacketError("invalid MessagePack")
            around.append((left, in_map))
            in_map = code < 0x90 or code >= 0xDE
            left = 2 * count if in_map else count
            values += _CONTAINER if count else _CONTAINER + 1
            if len(around) > limits.max_nesting_depth + 1:
                raise PacketLimitExceeded("JSON nested too deeply")
            if count > end - at:
                raise PacketError("invalid MessagePack")
        if values > limits.max_json_values:
            raise PacketLimitExceeded("too many JSON values")
        if attachments > limits.max_attachments:
            raise PacketLimitExceeded("too many attachments")
        if size > limits.max_attachments_size:
            raise PacketLimitExceeded("attachments too large")


def _read_number(data: bytes, at: int, code: int) -> int:
    """Return how many bytes, or values, the first bytes of a value announce."""
    form, length = _PREFIXED.get(code) or _COUNTED[code]
    if at + length > len(data):
        raise IndexError
    number: int = unpack_from(form, data, at + 1)[0]
    return number


def _check_extension(kind: int, length: int) -> None:
    """Check that an extension is ``undefined`` or a time; see :mod:`.msgpack_parser`."""
    if (kind, length) not in EXTENSIONS:
        raise PacketError("unknown MessagePack extension")
