"""Text and attachments to packets: what is taken and what is refused."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from django_socketio.packets import JSONCodec, Packet, PacketError, PacketType

from .decoding import make_decoder


def feed(codec: JSONCodec, *inputs: str | bytes) -> Packet | None:
    """The last packet that comes out of a new decoder."""
    decoder = make_decoder(codec)
    packet = None
    for data in inputs:
        packet = decoder.feed(data)
    return packet


CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = "01234"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Packet(CONNECT, "/")),
        ('0{"token":"x"}', Packet(CONNECT, "/", {"token": "x"})),
        ("0/admin", Packet(CONNECT, "/admin")),
        ("0/admin,", Packet(CONNECT, "/admin")),
        ('0/admin,{"a":1}', Packet(CONNECT, "/admin", {"a": 1})),
        ("0/,", Packet(CONNECT, "/")),
        ("0/é b/c,", Packet(CONNECT, "/é b/c")),
        ("1", Packet(DISCONNECT, "/")),
        ("1/admin,", Packet(DISCONNECT, "/admin")),
        ('2["foo"]', Packet(EVENT, "/", ["foo"])),
        ('2/admin,["bar",1,{"a":[]}]', Packet(EVENT, "/admin", ["bar", 1, {"a": []}])),
        ('212["foo"]', Packet(EVENT, "/", ["foo"], 12)),
        ('2/admin,0["foo"]', Packet(EVENT, "/admin", ["foo"], 0)),
        ('2["foo",null]', Packet(EVENT, "/", ["foo", None])),
        ('2[""]', Packet(EVENT, "/", [""])),
        ('2["\\ud800"]', Packet(EVENT, "/", ["\ud800"])),
        ('27["e",{"\\udfff":["\\ud800x"]}]', Packet(EVENT, "/", ["e", {"\udfff": ["\ud800x"]}], 7)),
        ('0{"name":"\\ud800"}', Packet(CONNECT, "/", {"name": "\ud800"})),
        ("30[]", Packet(ACK, "/", [], 0)),
        ('3/admin,13["bar"]', Packet(ACK, "/admin", ["bar"], 13)),
        ("313", Packet(ACK, "/", [], 13)),
        ("3[]", Packet(ACK, "/", [])),
        ('4{"message":"no"}', Packet(CONNECT_ERROR, "/", {"message": "no"})),
        ('4/admin,"no"', Packet(CONNECT_ERROR, "/admin", "no")),
        ('50-["foo"]', Packet(EVENT, "/", ["foo"])),
        ("60-7[1]", Packet(ACK, "/", [1], 7)),
        ('2["a",{"_placeholder":true,"num":0}]',
         Packet(EVENT, "/", ["a", {"_placeholder": True, "num": 0}])),
    ],
)  # fmt: skip
def test_a_packet_without_attachments(codec: JSONCodec, text: str, expected: Packet) -> None:
    decoder = make_decoder(codec)
    packet = decoder.feed(text)
    assert packet == expected
    assert packet is not None
    assert packet.size == len(text)
    assert decoder.pending is None


@pytest.mark.parametrize("limit", [0, 2**53 - 1])
def test_the_smallest_and_the_largest_id(codec: JSONCodec, limit: int) -> None:
    assert feed(codec, f'2{limit}["a"]') == Packet(EVENT, "/", ["a"], limit)


def test_a_decoder_takes_one_packet_after_the_other(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    for number in range(10):
        assert decoder.feed(f'2["e",{number}]') == Packet(EVENT, "/", ["e", number])


@pytest.mark.parametrize("text", ["", "7", "9", "a", " 2", "-1", "/", "[]", "٢", "\x00", "\ud800"])
def test_an_unknown_type_is_refused(codec: JSONCodec, text: str) -> None:
    with pytest.raises(PacketError, match="unknown packet type"):
        feed(codec, text)


@pytest.mark.parametrize(
    "text",
    [
        # CONNECT takes an object or nothing
        *("0null", "0[]", '0"a"', "0true", "0/a,null", "0/a,[]"),
        # DISCONNECT takes nothing
        *("1null", "1{}", "1[]", '1"a"', "1/a,{}", "10 "),
        # EVENT takes an array that begins with its name
        *("2", "21", "2/a,", "2null", "2{}", '2"a"', "2[]", "2[null]", "2[{}]", '2[["a"]]'),
        *("2[true]", "2[false]", '2{"0":"a"}', '2/a,{"a":1}', "2[[]]"),
        # ACK takes an array
        *("3null", "3{}", '3"a"', "31{}", "31null", "3/a,1{}"),
        # CONNECT_ERROR takes a string or an object
        *("4", "4null", "4[]", "41", "4true", "4/a,"),
        # BINARY_EVENT and BINARY_ACK, their number of attachments as well
        *("5", "5[]", '5["a"]', "5-", '5-["a"]', "51", '51["a"]', '5x-["a"]', '5-1-["a"]'),
        *('5 1-["a"]', '5+1-["a"]', '51.0-["a"]', '5٣-["a"]', '52-1-["a"]', "6", "6[]", "6-[]"),
        *("50-", "50-{}", "50-[]", "50-null", "60-{}", "60-null", "51-[]", "61-{}", "51-[null]"),
        # digits where there are none
        *('20x["a"]', '2-1["a"]', '21.5["a"]', '21e3["a"]', '2٣["a"]', '2 1["a"]', '2+1["a"]'),
        # no JSON
        *(
            "2[",
            '2["\\ud800"',
            '2["\\ud800",NaN]',
            '2["a"',
            '2["a"]]',
            '2["a"],',
            '2["a",]',
            "2['a']",
            '2["a",NaN]',
            "0{",
            "0{]",
        ),
        *('2["a",Infinity]', '2["a",-Infinity]', '2["a",1e999]', '2["a",undefined]', '2["a\n"]'),
        # a namespace without its comma takes everything
        *('2/a["a"]', '212/a,["a"]', '2/a12["a"]'),
        # attachments belong to 5 and 6 only
        *('21-["a"]', "31-[]", "01-{}", "11-"),
    ],
)
def test_what_breaks_the_protocol_is_refused(codec: JSONCodec, text: str) -> None:
    with pytest.raises(PacketError):
        feed(codec, text)


@pytest.mark.parametrize("name", ["connect", "connect_error", "disconnect", "disconnecting"])
def test_reserved_names_are_refused(codec: JSONCodec, name: str) -> None:
    for text in (f'2["{name}"]', f'2/a,1["{name}",1]', f'50-["{name}"]', f'51-["{name}",{{}}]'):
        with pytest.raises(PacketError, match="reserved"):
            feed(codec, text)


@pytest.mark.parametrize(
    "name", ["error", "__init__", "_private", "emit", "message", "Connect", "*"]
)
def test_other_names_are_names(codec: JSONCodec, name: str) -> None:
    assert feed(codec, f'2["{name}"]') == Packet(EVENT, "/", [name])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1", "1"),
        ("0", "0"),
        ("-5", "-5"),
        ("1.5", "1.5"),
        ("1.0", "1"),
        ("-0.0", "0"),
        ("1e3", "1000"),
    ],
)
def test_a_number_is_the_name_that_it_is_in_javascript(
    codec: JSONCodec, text: str, name: str
) -> None:
    assert feed(codec, f"2[{text},1]") == Packet(EVENT, "/", [name, 1])


def test_ids_past_what_javascript_counts_are_refused(codec: JSONCodec) -> None:
    for number in (2**53, 10**16 - 1, 10**16, 10**30):
        with pytest.raises(PacketError):
            feed(codec, f'2{number}["a"]')


# Attachments


def placeholder(number: Any) -> str:
    return f'{{"_placeholder":true,"num":{number}}}'


def test_a_binary_event_is_complete_with_its_last_attachment(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    text = f'53-/a,7["e",{placeholder(0)},{{"x":[{placeholder(2)}]}},{placeholder(1)}]'
    assert decoder.feed(text) is None
    pending = decoder.pending
    assert pending is not None
    assert pending.namespace == "/a"
    assert decoder.feed(b"zero") is None
    assert decoder.feed(b"") is None
    packet = decoder.feed(b"two")
    assert packet == Packet(EVENT, "/a", ["e", b"zero", {"x": [b"two"]}, b""], 7)
    assert packet is pending
    assert packet.size == len(text) + 7
    assert decoder.pending is None


def test_a_binary_ack(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    assert decoder.feed(f"61-/a,7[{placeholder(0)}]") is None
    assert decoder.feed(b"x") == Packet(ACK, "/a", [b"x"], 7)


def test_packets_follow_each_other_with_and_without_attachments(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    for number in range(5):
        assert decoder.feed(f'51-["e",{placeholder(0)}]') is None
        assert decoder.feed(bytes([number])) == Packet(EVENT, "/", ["e", bytes([number])])
        assert decoder.feed('2["e"]') == Packet(EVENT, "/", ["e"])


@pytest.mark.parametrize(
    "number",
    ["-1", "1", "2", "0.0", "1.5", "true", "false", "null", '"0"', "[]", "{}", "1e0", "9" * 30],
)
def test_a_placeholder_s_number_is_checked(codec: JSONCodec, number: str) -> None:
    with pytest.raises(PacketError, match="illegal attachments"):
        feed(codec, f'51-["e",{placeholder(number)}]')


@pytest.mark.parametrize(
    "text",
    [
        '51-["e"]',
        '51-["e",{"_placeholder":true}]',
        '51-["e",{"num":0}]',
        '51-["e",{"_placeholder":1,"num":0}]',
        '51-["e",{"_placeholder":"true","num":0}]',
        '51-["e",{"_placeholder":false,"num":0}]',
        f'52-["e",{placeholder(0)}]',
        f'51-["e",{placeholder(0)},{placeholder(0)}]',
        f'51-["e",{placeholder(0)},{placeholder(1)}]',
        f'52-["e",{placeholder(0)},{placeholder(0)}]',
        f'52-["e",{placeholder(1)},[{placeholder(1)}]]',
        f'51-["e",{{"_placeholder":true,"num":1,"x":{placeholder(0)}}}]',
        "61-[]",
        '61-[{"_placeholder":true}]',
    ],
)
def test_each_attachment_has_exactly_one_place(codec: JSONCodec, text: str) -> None:
    with pytest.raises(PacketError, match="illegal attachments"):
        feed(codec, text)


def test_a_placeholder_may_have_other_keys(codec: JSONCodec) -> None:
    text = '51-["e",{"_placeholder":true,"num":0,"more":1}]'
    assert feed(codec, text, b"x") == Packet(EVENT, "/", ["e", b"x"])


def test_bytes_that_are_not_due_are_refused(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    for before in (None, '2["e"]', '50-["e"]'):
        if before is not None:
            decoder.feed(before)
        with pytest.raises(PacketError, match="not due"):
            decoder.feed(b"x")


def test_text_while_an_attachment_is_due_is_refused(codec: JSONCodec) -> None:
    for text in ('2["e"]', "1", "", f'51-["e",{placeholder(0)}]'):
        decoder = make_decoder(codec)
        decoder.feed(f'51-["e",{placeholder(0)}]')
        with pytest.raises(PacketError, match="while an attachment is due"):
            decoder.feed(text)


def test_reset_forgets_a_packet_that_is_not_complete(codec: JSONCodec) -> None:
    decoder = make_decoder(codec)
    decoder.feed(f'52-["e",{placeholder(0)},{placeholder(1)}]')
    attachment = bytes(1000)
    references = sys.getrefcount(attachment)
    decoder.feed(attachment)
    assert sys.getrefcount(attachment) > references
    decoder.reset()
    assert sys.getrefcount(attachment) == references
    assert decoder.pending is None
    assert decoder.feed('2["e"]') == Packet(EVENT, "/", ["e"])
    with pytest.raises(PacketError, match="not due"):
        decoder.feed(b"x")


def test_the_types_are_those_of_the_protocol() -> None:
    types = [
        PacketType.CONNECT,
        PacketType.DISCONNECT,
        PacketType.EVENT,
        PacketType.ACK,
        PacketType.CONNECT_ERROR,
        PacketType.BINARY_EVENT,
        PacketType.BINARY_ACK,
    ]
    assert types == list("0123456")


def test_packets_compare_by_what_they_say() -> None:
    packet = Packet(EVENT, "/", ["e"], 1, size=10)
    assert packet == Packet(EVENT, "/", ["e"], 1, size=20)
    assert packet != Packet(EVENT, "/", ["e"])
    assert packet != Packet(ACK, "/", ["e"], 1)
    assert packet != Packet(EVENT, "/a", ["e"], 1)
    assert packet != "2"
    assert "x" * 100 not in repr(Packet(EVENT, "/", ["x" * 1000]))
