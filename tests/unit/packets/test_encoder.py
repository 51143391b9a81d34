"""Packets to text and attachments, with either JSON library."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections import OrderedDict
from typing import Any, NamedTuple

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

from django_socketio.packets import Encoder, JSONCodec

from .decoding import decode


class Point(NamedTuple):
    x: int
    y: int


@pytest.fixture
def encoder(codec: JSONCodec) -> Encoder:
    return Encoder(codec, DjangoJSONEncoder().default)


def argument(encoder: Encoder, value: Any) -> str:
    """The JSON text of a single argument."""
    text = encoder.event("/", "e", [value]).text
    assert text.startswith('2["e",')
    assert text.endswith("]")
    return text[len('2["e",') : -1]


# The examples of the specification


def test_connect(encoder: Encoder) -> None:
    assert encoder.connect("/", {"sid": "abc"}).text == '0{"sid":"abc"}'
    assert encoder.connect("/admin", {"sid": "abc"}).text == '0/admin,{"sid":"abc"}'


def test_connect_error(encoder: Encoder) -> None:
    packet = encoder.connect_error("/admin", {"message": "Not authorized"})
    assert packet.text == '4/admin,{"message":"Not authorized"}'


def test_disconnect(encoder: Encoder) -> None:
    assert encoder.disconnect("/").text == "1"
    assert encoder.disconnect("/admin").text == "1/admin,"


def test_event(encoder: Encoder) -> None:
    assert encoder.event("/", "foo", []).text == '2["foo"]'
    assert encoder.event("/admin", "bar", []).text == '2/admin,["bar"]'
    assert encoder.event("/", "foo", [1, "é"], 12).text == '212["foo",1,"é"]'
    assert encoder.event("/admin", "bar", [], 0).text == '2/admin,0["bar"]'


def test_ack(encoder: Encoder) -> None:
    assert encoder.ack("/", [], 0).text == "30[]"
    assert encoder.ack("/admin", ["bar"], 13).text == '3/admin,13["bar"]'


def test_binary_event(encoder: Encoder) -> None:
    packet = encoder.event("/", "baz", [b"\x01\x02\x03\x04"])
    assert packet.text == '51-["baz",{"_placeholder":true,"num":0}]'
    assert packet.attachments == (b"\x01\x02\x03\x04",)
    packet = encoder.event("/admin", "baz", [b"a", "x", b"b"], 15)
    assert packet.text == (
        '52-/admin,15["baz",{"_placeholder":true,"num":0},"x",{"_placeholder":true,"num":1}]'
    )
    assert packet.attachments == (b"a", b"b")


def test_binary_ack(encoder: Encoder) -> None:
    packet = encoder.ack("/admin", [b"a"], 15)
    assert packet.text == '61-/admin,15[{"_placeholder":true,"num":0}]'
    assert packet.attachments == (b"a",)


def test_packets_without_bytes_have_no_attachments(encoder: Encoder) -> None:
    for packet in (encoder.event("/", "e", [1]), encoder.ack("/", [1], 1), encoder.disconnect("/")):
        assert packet.attachments == ()


def test_json_alone(encoder: Encoder) -> None:
    value = {"a": [datetime.date(2024, 2, 29), float("nan"), "é"]}
    assert encoder.json(value) == '{"a":["2024-02-29",null,"é"]}'
    with pytest.raises(TypeError):
        encoder.json(b"bytes")


# bytes, anywhere


def test_data_that_contains_itself_is_a_type_error(encoder: Encoder) -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(TypeError, match="contains itself"):
        encoder.event("/", "news", [data])


@pytest.mark.parametrize(
    "data", [b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"xaxbxcx")[1::2]]
)
def test_whatever_holds_bytes_is_an_attachment(encoder: Encoder, data: Any) -> None:
    for args in ([data], [1, data], [{"deep": [[{"er": data}]]}], [(data,)]):
        packet = encoder.event("/", "e", args)
        assert packet.text.startswith("51-")
        assert packet.attachments == (b"abc",)
        assert type(packet.attachments[0]) is bytes
        packet = encoder.ack("/", args, 1)
        assert packet.text.startswith("61-")
        assert packet.attachments == (b"abc",)


def test_bytes_are_copied_when_they_are_sent(encoder: Encoder) -> None:
    data = bytearray(b"abc")
    packet = encoder.event("/", "e", [data])
    data[0] = 0
    assert packet.attachments == (b"abc",)


def test_many_attachments_keep_their_order(encoder: Encoder, codec: JSONCodec) -> None:
    data = [bytes([number]) for number in range(50)]
    args = [{"first": data[:20]}, data[20], [[data[21:]]]]
    packet = encoder.event("/", "e", args)
    assert packet.attachments == tuple(data)
    assert decode(packet, codec).data == ["e", *args]


def test_bytes_beside_what_the_fast_library_refuses(encoder: Encoder) -> None:
    huge = 2**70
    packet = encoder.event("/", "e", [{"a": b"x", "b": huge, "c": [b"y", float("nan")]}])
    assert packet.attachments == (b"x", b"y")
    data = json.loads(packet.text[3:])
    assert data[1]["b"] == huge
    assert data[1]["c"][1] is None
    assert [data[1]["a"]["num"], data[1]["c"][0]["num"]] == [0, 1]
    packet = encoder.event("/", "e", [b"x", {1: b"y"}])
    assert packet.attachments == (b"x", b"y")
    assert decode(packet).data == ["e", b"x", {"1": b"y"}]


def test_the_arguments_are_not_changed(encoder: Encoder) -> None:
    args: list[Any] = [{"a": b"x", "n": float("nan")}, [b"y"]]
    encoder.event("/", "e", args)
    assert args[0]["a"] == b"x"
    assert args[0]["n"] != args[0]["n"]
    assert args[1] == [b"y"]


# What Django's own encoder takes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            datetime.datetime(2024, 2, 29, 12, 30, 15, 123456),  # noqa: DTZ001 - USE_TZ = False
            '"2024-02-29T12:30:15.123"',
        ),
        (
            datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),
            '"2024-02-29T12:30:00Z"',
        ),
        (datetime.date(2024, 2, 29), '"2024-02-29"'),
        (datetime.time(12, 30, 15), '"12:30:15"'),
        (datetime.timedelta(days=1, seconds=2), '"P1DT00H00M02S"'),
        (decimal.Decimal("0.10"), '"0.10"'),
        (
            uuid.UUID("12345678-1234-5678-1234-567812345678"),
            '"12345678-1234-5678-1234-567812345678"',
        ),
        (lazystr("zögernd"), '"zögernd"'),
        (mark_safe("<b>"), '"<b>"'),
        ((1, (2,)), "[1,[2]]"),
        (Point(1, 2), "[1,2]"),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (True, "true"),
        (None, "null"),
        ('a\u2028b\x1e\n"\\/', '"a\u2028b\\u001e\\n\\"\\\\/"'),
    ],
)
def test_both_libraries_write_the_same_text(encoder: Encoder, value: Any, expected: str) -> None:
    assert argument(encoder, value) == expected
    assert argument(encoder, [value]) == f"[{expected}]"
    assert argument(encoder, {"key": value}) == f'{{"key":{expected}}}'


def test_django_s_types_beside_bytes(encoder: Encoder) -> None:
    packet = encoder.event("/", "e", [b"x", {"when": datetime.date(2024, 2, 29)}])
    assert packet.text == '51-["e",{"_placeholder":true,"num":0},{"when":"2024-02-29"}]'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have_are_null(encoder: Encoder, number: float) -> None:
    assert argument(encoder, number) == "null"
    assert argument(encoder, [1, {"a": (number, 1.5)}]) == '[1,{"a":[null,1.5]}]'
    assert encoder.ack("/", [number], 1).text == "31[null]"
    assert encoder.connect_error("/", {"data": number}).text == '4{"data":null}'
    packet = encoder.event("/", "e", [number, b"x", number])
    assert packet.text == '51-["e",null,{"_placeholder":true,"num":0},null]'


@pytest.mark.parametrize("number", [2**53, 2**63, 2**64, -(2**63) - 1, 10**400])
def test_huge_integers_are_written_with_all_their_digits(encoder: Encoder, number: int) -> None:
    assert argument(encoder, number) == str(number)
    assert argument(encoder, {"n": [number]}) == f'{{"n":[{number}]}}'


def test_keys_become_text_as_the_standard_library_has_it(encoder: Encoder) -> None:
    assert argument(encoder, {1: "a", None: "b", 1.5: "c"}) == '{"1":"a","null":"b","1.5":"c"}'
    assert argument(encoder, {True: "a", False: "b"}) == '{"true":"a","false":"b"}'
    assert argument(encoder, {7: {8: [9]}}) == '{"7":{"8":[9]}}'
    text = argument(encoder, {float("nan"): 1, float("inf"): 2})
    assert json.loads(text, parse_constant=pytest.fail) == {"nan": 1, "inf": 2}


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udfff", "\udc00\ud800", "\ud800é", "é\ud800\U0001f600"]
)
def test_half_a_surrogate_pair_is_escaped(encoder: Encoder, codec: JSONCodec, text: str) -> None:
    for value in (text, {text: 1}, [[text]]):
        packet = encoder.event("/", "e", [value])
        packet.text.encode()
        assert decode(packet, codec).data == ["e", value]


@pytest.mark.parametrize("value", [object(), {1, 2}, {(1, 2): 3}, {b"key": 1}, 1j, {"a": object()}])
def test_what_json_cannot_hold_is_a_type_error(encoder: Encoder, value: Any) -> None:
    with pytest.raises(TypeError):
        encoder.event("/", "e", [value])
    with pytest.raises(TypeError):
        encoder.event("/", "e", [b"x", value])
    with pytest.raises(TypeError):
        encoder.ack("/", [value], 1)
    assert encoder.event("/", "e", [1]).text == '2["e",1]'


def test_the_representation_of_a_packet_is_short(encoder: Encoder) -> None:
    assert len(repr(encoder.event("/", "e", ["x" * 1_000_000]))) < 100


@pytest.mark.parametrize("namespace", ["/", "/chat", "/döner-1"])
@pytest.mark.parametrize("id", [None, 0])
@pytest.mark.parametrize("args", [[], [1, "-"], [b"x", {"deep": b"y"}]])
def test_an_event_for_several_namespaces_is_encoded_once(
    encoder: Encoder, namespace: str, id: int | None, args: list[Any]
) -> None:
    once = encoder.event("/", "news-1", args, id).for_namespace(namespace)
    own = encoder.event(namespace, "news-1", args, id)
    assert (once.text, once.attachments) == (own.text, own.attachments)
    if id is not None:
        assert once.with_id(17).text == own.with_id(17).text
