"""Both JSON codecs by themselves."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from django_socketio.packets import JSONCodec, OrjsonCodec, StandardCodec, default_codec
from django_socketio.packets import codec as codec_module


def refuse(value: Any) -> Any:
    raise TypeError(type(value).__name__)


def test_text_is_compact_and_not_escaped(codec: JSONCodec) -> None:
    assert codec.dumps({"a": [1, 2.5, "é😀"]}, refuse) == '{"a":[1,2.5,"é😀"]}'


def test_the_default_of_each_call_is_asked(codec: JSONCodec) -> None:
    for _ in range(2):
        assert codec.dumps([1j], lambda value: "one") == '["one"]'
        assert codec.dumps([1j], lambda value: "two") == '["two"]'
        with pytest.raises(TypeError):
            codec.dumps([1j], refuse)


def test_the_standard_library_s_encoder_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Encoder(json.JSONEncoder):
        def __init__(self, **options: Any) -> None:
            made.append(options)
            super().__init__(**options)

    monkeypatch.setattr(json, "JSONEncoder", Encoder)
    codec = StandardCodec()
    assert [codec.dumps([number], refuse) for number in range(3)] == ["[0]", "[1]", "[2]"]
    assert len(made) == 1


def test_nan_never_reaches_the_wire(codec: JSONCodec) -> None:
    for number in (math.nan, math.inf, -math.inf):
        try:
            text = codec.dumps([number], refuse)
        except ValueError:
            continue
        assert text == "[null]"


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "-Infinity", "[NaN]", '{"a":-Infinity}', "nan", "inf"),
        *("1e999", "-1e999", "[1e400]", "1" * 5000, "-" + "9" * 400 + ".0", "1e999999999999"),
    ],
)
def test_numbers_that_are_none_are_refused(codec: JSONCodec, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each library has its own words
        codec.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "[", "]", "{", '{"a"}', "{'a':1}", "{a:1}", "[1,]", '{"a":1,}', "[1 2]", "01"),
        *("+1", ".5", "1.", "0x1", "1e", "tru", "True", "undefined", '"', '"a', '"\n"', '"\x00"'),
        *('"\\x41"', '"\\u12"', "[]]", "[] []", "{}x", "'a'", "/**/1", "\ufeff1", "١", "\ud800"),
    ],
)
def test_what_is_no_json_is_refused(codec: JSONCodec, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        codec.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("true", True),
        ("-0", 0),
        ("-0.0", -0.0),
        ("1e3", 1000.0),
        ("5e-324", 5e-324),
        ("1e-999", 0.0),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        ('"\\u00e9\\ud83d\\ude00\\n\\/"', "é😀\n/"),
        (" [ 1 , 2 ] ", [1, 2]),
        ('{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_json_is_read(codec: JSONCodec, text: str, value: Any) -> None:
    found = codec.loads(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 - 1, -(2**63), 10**18, -(10**18)])
def test_integers_of_64_bits_are_exact(codec: JSONCodec, number: int) -> None:
    """JavaScript rounds from 2**53 on, but ids are larger, and clients in other languages exact."""
    found = codec.loads(f"[{number}]")
    assert found == [number]
    assert type(found[0]) is int


@pytest.mark.parametrize(
    "number", [2**64, 2**64 + 1, -(2**63) - 1, 10**20, -(10**20), 123456789012345678901234567890]
)
def test_larger_integers_are_doubles_as_in_javascript(codec: JSONCodec, number: int) -> None:
    found = codec.loads(f"[{number}]")
    assert found == [float(number)]
    assert type(found[0]) is float


def test_deep_nesting_is_an_error_and_no_crash(codec: JSONCodec) -> None:
    for text in ("[" * 1_000_000, '{"a":' * 200_000, "[" * 100_000 + "]" * 100_000):
        with pytest.raises((ValueError, RecursionError)):
            codec.loads(text)
    assert codec.loads("[1]") == [1]


def test_half_a_surrogate_pair_never_reaches_the_wire(codec: JSONCodec) -> None:
    for value in ("\ud800", {"é\udfff": "\ud800\U0001f600"}):
        try:
            text = codec.dumps(value, refuse)
        except TypeError:  # orjson; the encoder turns to the standard library
            continue
        text.encode()
        assert json.loads(text) == value


def test_orjson_is_the_default_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(default_codec(), OrjsonCodec)
    monkeypatch.setattr(codec_module, "orjson", None)
    assert isinstance(default_codec(), StandardCodec)
    with pytest.raises(ImportError, match="speedups"):
        OrjsonCodec()
