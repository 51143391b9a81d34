"""JSON libraries behind one face: one call each way, JavaScript's view of numbers and strings.

``dumps`` never writes NaN or an infinity nor text that is not valid UTF-8; ``loads`` refuses such
numbers, as JSON.parse refuses their names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from typing import Any, NoReturn, Protocol

try:
    import orjson
except ImportError:  # the extra "speedups" is not installed
    orjson = None  # type: ignore[assignment]

# Turns what JSON does not know into something it does, or raises TypeError.
Default = Callable[[Any], Any]


class JSONCodec(Protocol):
    """What the setting ``JSON`` may name: a class whose instances can do this."""

    def dumps(self, value: Any, default: Default) -> str:
        """``value`` as compact JSON; NaN is null or a ValueError. TypeError for other types."""

    def loads(self, text: str) -> Any:
        """What ``text`` stands for. Raises ValueError (or RecursionError) for anything but JSON."""


class StandardCodec:
    """The standard library's json."""

    def __init__(self) -> None:
        self._default: Default | None = None
        self._encode: Callable[[Any], str] = str
        decoder = json.JSONDecoder(parse_float=_parse_float, parse_constant=_refuse_constant)
        self._decode = decoder.decode
        self._scan = decoder.scan_once  # type: ignore[attr-defined]

    def dumps(self, value: Any, default: Default) -> str:
        encode = self._encode
        if default is not self._default:
            encode = _make_encode(default)
            if self._default is None:
                # The first one asked for is the one that is always asked for: kept.
                self._default, self._encode = default, encode
        text = encode(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                return _escape_surrogates(text)
        return text

    def loads(self, text: str) -> Any:
        scan = self._scan
        try:
            value, end = scan(text, 0)
        except StopIteration:
            end = -1
        if end == len(text):
            return value
        return self._decode(text)  # white space around it, or no JSON


def _make_encode(default: Default) -> Callable[[Any], str]:
    encoder = json.JSONEncoder(
        separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default
    )
    if c_make_encoder is None:  # not CPython
        return encoder.encode
    # What encode() makes anew for each call, which takes longer than the encoding.
    iterate = c_make_encoder(None, default, encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(iterate(value, 0))


class OrjsonCodec:
    """orjson, which refuses some things that the standard library takes (halves of surrogates)."""

    # As it is: a method around it would be one call more for each packet.
    loads = staticmethod(json.loads if orjson is None else orjson.loads)

    def __init__(self) -> None:
        if orjson is None:
            raise ImportError("orjson is not installed: pip install channels-socketio[speedups]")
        # Dates are left to ``default``, so that both codecs write the same text.
        self._option = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
        self._dumps = orjson.dumps

    def dumps(self, value: Any, default: Default) -> str:
        dumps = self._dumps
        return dumps(value, default, self._option).decode()


def default_codec() -> JSONCodec:
    """orjson where it is installed, else the standard library."""
    return StandardCodec() if orjson is None else OrjsonCodec()


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _escape_surrogates(text: str) -> str:
    """Write half a surrogate pair as JSON.stringify does: as an escape, not as itself."""
    return "".join(f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else char for char in text)


def without_nan(value: Any) -> Any:
    """A copy of ``value`` with None for each NaN and infinity in its lists and dicts."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {
            repr(key) if isinstance(key, float) else key: without_nan(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return value
