"""Every limit of the decoder, at it and past it; and megabytes made to be slow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_socketio.packets import (
    AuthTooLarge,
    JSONCodec,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
)
from tests.unit.alarm import linear

from .decoding import make_decoder

MEGABYTE = 1_000_000


def event_with(attachments: int) -> str:
    args = "".join(f',{{"_placeholder":true,"num":{n}}}' for n in range(attachments))
    return f'5{attachments}-["e"{args}]'


def test_the_number_of_attachments(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_attachments=3)
    assert decoder.feed(event_with(3)) is None
    assert [decoder.feed(b""), decoder.feed(b"")] == [None, None]
    packet = decoder.feed(b"")
    assert packet is not None
    assert packet.data == ["e", b"", b"", b""]
    with pytest.raises(PacketLimitExceeded, match="too many attachments"):
        decoder.feed(event_with(4))
    with pytest.raises(PacketLimitExceeded, match="too many attachments"):
        make_decoder(codec).feed('59999999-["e"]')


def test_no_attachments_at_all(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_attachments=0)
    assert decoder.feed('50-["e"]') is not None
    with pytest.raises(PacketLimitExceeded):
        decoder.feed(event_with(1))


def test_the_size_of_attachments_is_that_of_all_of_a_packet(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_attachments_size=100)
    for _ in range(3):  # and of no other packet
        assert decoder.feed(event_with(2)) is None
        assert decoder.feed(b"x" * 60) is None
        assert decoder.feed(b"x" * 40) is not None
    decoder.feed(event_with(2))
    decoder.feed(b"x" * 60)
    with pytest.raises(PacketLimitExceeded, match="attachments too large"):
        decoder.feed(b"x" * 41)
    # What it kept is free.
    assert decoder.pending is None


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting(codec: JSONCodec, opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        """An event whose arguments make its data ``depth`` deep."""
        return f'2["e",{opening * (depth - 1)}1{closing * (depth - 1)}]'

    decoder = make_decoder(codec, max_nesting_depth=10)
    assert decoder.feed(nested(10)) is not None
    with pytest.raises(PacketLimitExceeded, match="nested too deeply"):
        decoder.feed(nested(11))
    decoder = make_decoder(codec)
    assert decoder.feed(nested(100)) is not None
    with pytest.raises(PacketLimitExceeded, match="nested too deeply"):
        decoder.feed(nested(101))


def test_nesting_counts_depth_and_no_brackets(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_nesting_depth=3)
    assert decoder.feed('2["e",[[],[],[],{},{}],"[[[[[[[{{{{{{{"]') is not None


@pytest.mark.parametrize("start", ["0", "4", "51-", "31"])
def test_nesting_is_limited_in_every_packet(codec: JSONCodec, start: str) -> None:
    deep = "[" * 200 + "]" * 200
    data = f'{{"a":{deep}}}' if start in "04" else f'["e",{deep}]'
    with pytest.raises(PacketLimitExceeded, match="nested too deeply"):
        make_decoder(codec).feed(start + data)


def test_the_length_of_an_event_s_name(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_event_name_length=10)
    assert decoder.feed(f'2["{"é" * 10}"]') is not None
    assert decoder.feed("2[1234567890]") is not None
    for name in ('"' + "é" * 11 + '"', "12345678901", "1e300"):
        with pytest.raises(PacketLimitExceeded, match="event name too long"):
            decoder.feed(f"2[{name}]")
        with pytest.raises(PacketLimitExceeded, match="event name too long"):
            decoder.feed(f"50-[{name}]")


def test_the_length_of_a_namespace_s_name(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_namespace_length=10)
    for text in ("0/", "0/,", "1/", "1/,"):
        assert decoder.feed(f"{text[:2]}{'a' * 9}{text[2:]}") is not None
        with pytest.raises(PacketLimitExceeded, match="namespace too long"):
            decoder.feed(f"{text[:2]}{'a' * 10}{text[2:]}")


@pytest.mark.parametrize("start", ["2", "27", "2/a,", "51-", "31", "4"])
def test_the_number_of_values(codec: JSONCodec, start: str) -> None:
    """An array or object counts for two beside what is in it, an empty one for three."""

    def text(more: int) -> str:
        items = ['"e"', "1" * 90, "[]", "{}", '{"a":[1,2,"[{,"]}', *["0"] * more]
        array = f"[{','.join(items)}]"
        return f'4{{"a":{array}}}' if start == "4" else start + array

    # The array, its first two items, the empty ones, the object with its array; and what is around.
    least = 2 + 2 + 3 + 3 + 2 + (2 + 3) + (2 if start == "4" else 0)
    decoder = make_decoder(codec, max_json_values=least + 5)
    if start == "51-":
        with pytest.raises(PacketError, match="illegal attachments"):
            decoder.feed(text(5))
    else:
        assert decoder.feed(text(5)) is not None
    with pytest.raises(PacketLimitExceeded, match="too many JSON values"):
        decoder.feed(text(6))


def test_what_comes_with_connect(codec: JSONCodec) -> None:
    decoder = make_decoder(codec, max_auth_size=320)
    text = "x" * (320 - len('{"a":""}'))
    assert decoder.feed(f'0/a,{{"a":"{text}"}}') == Packet("0", "/a", {"a": text})
    # Of 20 values: 2 of the object, 2 of the array, 16 in that.
    many = ",".join("0" * 16)
    assert decoder.feed(f'0{{"a":[{many}]}}') == Packet("0", "/", {"a": [0] * 16})
    for large in (f'0/a,{{"a":"{text}x"}}', f'0/a,{{"a":[{many},0]}}', "0/a," + "[" * 1000):
        with pytest.raises(AuthTooLarge, match="auth too large") as caught:
            decoder.feed(large)
        assert caught.value.namespace == "/a"


def test_a_limit_is_a_breach_of_the_protocol_and_a_value_error() -> None:
    assert issubclass(PacketLimitExceeded, PacketError)
    assert issubclass(PacketError, ValueError)


def test_the_defaults() -> None:
    assert Limits() == Limits(
        max_attachments=1000,
        max_attachments_size=10_000_000,
        max_nesting_depth=100,
        max_event_name_length=256,
        max_namespace_length=256,
        max_json_values=300_000,
        max_auth_size=16_384,
        max_eager_length=10**12,
    )


def repeated(piece: str) -> str:
    return piece * (MEGABYTE // len(piece))


ADVERSARIAL: dict[str, Callable[[], str]] = {
    "digits of an id": lambda: "2" + repeated("1"),
    "digits of an id before data": lambda: "2" + repeated("1") + '["e"]',
    "zeros of an id": lambda: "2" + repeated("0") + '["e"]',
    "digits of attachments": lambda: "5" + repeated("1") + '-["e"]',
    "digits of attachments alone": lambda: "5" + repeated("1"),
    "dashes": lambda: "5" + repeated("1-"),
    "a namespace": lambda: "0/" + repeated("a"),
    "a namespace with its comma": lambda: "0/" + repeated("a") + ",",
    "slashes": lambda: "2" + repeated("/"),
    "commas": lambda: "2/a" + repeated(","),
    "brackets": lambda: "2" + repeated("["),
    "brackets that close": lambda: "2" + "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
    "objects": lambda: "2" + repeated('{"a":'),
    "objects that close": lambda: '0{"a":' * 100_000 + "1" + "}" * 100_000,
    "a digit of a name": lambda: "2[" + repeated("1") + "]",
    "a number": lambda: '2["e",' + repeated("9") + "]",
    "a fraction": lambda: '2["e",0.' + repeated("1") + "x]",
    "an exponent": lambda: '2["e",1e' + repeated("9") + "]",
    "a text that does not end": lambda: '2["' + repeated("a"),
    "escapes that do not end": lambda: '2["' + repeated("\\u0041"),
    "backslashes": lambda: '2["' + repeated("\\"),
    "halves of surrogate pairs": lambda: '2["' + repeated("\\ud800"),
    "blanks": lambda: "2" + repeated(" "),
    "a name": lambda: '2["' + repeated("a") + '"]',
    "an array in an array in an array": lambda: '2["e",' + repeated("[[],") + "]",
    "deep arrays beside each other": lambda: '2["e"' + repeated("," + "[" * 120 + "]" * 120) + "]",
    "placeholders without attachments": lambda: (
        '51-["e"' + repeated(',{"_placeholder":true,"num":0}') + "]"
    ),
    "a placeholder for none": lambda: '51-["e"' + repeated(",[{}]") + "]",
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_megabyte_of(codec: JSONCodec, name: str) -> None:
    text = ADVERSARIAL[name]()
    with linear(), pytest.raises(PacketError):
        make_decoder(codec).feed(text)


@pytest.mark.parametrize(
    "piece", ["[]", "{}", "0", '{"a":1}', '"\\u0041"', '"\\ud800"', "[[[[[1]]]]]"]
)
def test_a_megabyte_that_is_allowed(codec: JSONCodec, piece: str) -> None:
    text = '2["e"' + repeated("," + piece) + "]"
    with linear():
        packet = make_decoder(codec, max_json_values=2 * MEGABYTE).feed(text)
    assert packet is not None
    assert len(packet.data) == MEGABYTE // (len(piece) + 1) + 1


def test_a_thousand_attachments(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    with linear():
        assert decoder.feed(event_with(1000)) is None
        for _ in range(999):
            assert decoder.feed(b"x" * 10_000) is None
        packet = decoder.feed(b"x" * 10_000)
    assert packet is not None
    assert packet.data == ["e", *[b"x" * 10_000] * 1000]
