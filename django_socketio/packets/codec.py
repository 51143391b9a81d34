"""JSON codecs: one interface for JSON libraries, with JavaScript's rules for numbers and strings.

``dumps`` never writes NaN, an infinity or text that is not valid UTF-8; ``loads`` refuses NaN and
infinities, as JSON.parse does. JavaScript's numbers are doubles; ``loads`` returns exact integers
as far as 64 bits go, since the ids of databases do, and floats for those beyond.
"""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from typing import Any, NoReturn, Protocol

from .packet import PacketError

try:
    import orjson
except ImportError:  # the extra "speedups" is not installed
    orjson = None  # type: ignore[assignment]

# Digits of the shortest integers that may have more than 64 bits.
_LONG = 19

# Returns a value of JSON's types in place of one that is not, or raises TypeError.
Default = Callable[[Any], Any]


class JSONCodec(Protocol):
    """The interface of the class that the setting ``JSON`` may name."""

    def dumps(self, value: Any, default: Default) -> str:
        """Return ``value`` as compact JSON.

        Writes null for NaN and infinities, or raises ValueError. ``default`` gets values of other
        types; raises TypeError when that does.
        """

    def loads(self, text: str) -> Any:
        """Return the value of JSON text. Raises ValueError or RecursionError for bad JSON."""


class StandardCodec:
    """Uses the standard library's json."""

    def __init__(self) -> None:
        self._default: Default | None = None
        self._encode: Callable[[Any], str] = str
        decoder = json.JSONDecoder(
            parse_float=_parse_float, parse_int=_parse_int, parse_constant=_refuse_constant
        )
        self._decode = decoder.decode
        self._scan = decoder.scan_once  # type: ignore[attr-defined]

    def dumps(self, value: Any, default: Default) -> str:
        encode = self._encode
        if default is not self._default:
            encode = _make_encode(default)
            if self._default is None:
                # The server nearly always passes the first one again, so its encoder is kept.
                self._default, self._encode = default, encode
        text = encode(value)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                # An escape for each half of a surrogate pair, as JSON.stringify writes it.
                return text.encode(errors="backslashreplace").decode()
        return text

    def loads(self, text: str) -> Any:
        scan = self._scan
        try:
            value, end = scan(text, 0)
        except StopIteration:
            end = -1
        if end == len(text):
            return value
        return self._decode(text)  # white space around the value, or bad JSON


def _make_encode(default: Default) -> Callable[[Any], str]:
    encoder = json.JSONEncoder(
        separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default
    )
    if c_make_encoder is None:  # not CPython
        return encoder.encode
    # JSONEncoder.encode() makes this for each call, which takes longer than the encoding.
    iterate = c_make_encoder(None, default, encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(iterate(value, 0))


class OrjsonCodec:
    """Uses orjson, which refuses half surrogate pairs that the standard library takes."""

    # No method around it, which would be one more call for each packet.
    loads = staticmethod(json.loads if orjson is None else orjson.loads)

    def __init__(self) -> None:
        if orjson is None:
            raise ImportError("orjson is not installed: pip install channels-socketio[speedups]")
        # ``default`` writes dates and dataclasses, so that both codecs write the same text.
        self._option = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
        self._dumps = orjson.dumps

    def dumps(self, value: Any, default: Default) -> str:
        dumps = self._dumps
        return dumps(value, default, self._option).decode()


def default_codec() -> JSONCodec:
    """Return the codec with orjson if it is installed, else the one with the standard library."""
    return StandardCodec() if orjson is None else OrjsonCodec()


def load(codec: JSONCodec, text: str) -> Any:
    """Load JSON. What ``codec`` refuses gets a second try with the standard library.

    That takes escapes of half surrogate pairs, which JavaScript may send, and not all libraries
    take. Raises :class:`PacketError` for bad JSON.
    """
    try:
        return codec.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        if "\\u" in text:
            return _STANDARD.loads(text)
    except (ValueError, RecursionError):
        pass
    raise PacketError("invalid JSON")


def load_large(codec: JSONCodec, text: str) -> Any:
    """Load JSON without the garbage collector. Raises as :func:`load` does."""
    with uncollected():
        return load(codec, text)


@contextmanager
def uncollected() -> Iterator[None]:
    """Decode something large without the garbage collector.

    It would go through the new lists and dicts, which have no circles, again and again: three
    quarters of the time that deep JSON takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _parse_int(text: str) -> int | float:
    if len(text) < _LONG:
        return int(text)
    value = _parse_float(text)
    if not -(2.0**63) <= value <= 2.0**64:
        return value
    exact = int(text)
    return exact if -(2**63) <= exact < 2**64 else value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def without_nan(value: Any) -> Any:
    """Return a copy of ``value`` with None for each NaN and infinity in its lists and dicts."""
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


_STANDARD = StandardCodec()
