"""MessagePack as npm's socket.io-msgpack-parser writes and reads it, and what is refused of it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.packets import (
    AuthTooLarge,
    CheckedDecoder,
    Limits,
    MsgpackParser,
    Packet,
    PacketError,
    PacketLimitExceeded,
    PacketType,
)
from django_socketio.packets.msgpack_limits import check_msgpack
from django_socketio.packets.weight import check_json

# What the official client has sent.
CONNECT = bytes.fromhex("83a47479706500a464617461d40000a36e7370a12f")
DATE = bytes.fromhex("d70000000000499602d2")


def make_decoder(**limits: int) -> CheckedDecoder:
    chosen = Limits(**limits)
    return CheckedDecoder(MsgpackParser(chosen).decoder(), chosen, data_checked=True)


def pack(data: Any, kind: Any = 2, nsp: Any = "/", **more: Any) -> bytes:
    packed: bytes = msgpack.packb({"type": kind, "data": data, "nsp": nsp, **more})
    return packed


def with_data(data: bytes) -> bytes:
    """An event whose only argument is MessagePack."""
    return b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e" + data


def feed(data: bytes, **limits: int) -> Packet:
    packet = make_decoder(**limits).feed(data)
    assert packet is not None
    return packet


def argument(data: bytes) -> Any:
    return feed(with_data(data)).data[1]


@pytest.mark.parametrize(
    ("packet", "wanted"),
    [
        (Packet("0", "/a", {"sid": "x"}), {"type": 0, "data": {"sid": "x"}, "nsp": "/a"}),
        (Packet("1", "/"), {"type": 1, "nsp": "/"}),
        (Packet("2", "/", ["e", {"b": b"\0"}], 0), pack(["e", {"b": b"\0"}], id=0)),
        (Packet("3", "/", [], 2**40), pack([], 3, id=2**40)),
        (Packet("4", "/", {"message": "no"}), pack({"message": "no"}, 4)),
    ],
)
def test_there_and_back(packet: Packet, wanted: Any) -> None:
    (message,) = MsgpackParser(Limits()).encode(packet)
    assert isinstance(message, bytes)
    assert msgpack.unpackb(message) == (
        msgpack.unpackb(wanted) if isinstance(wanted, bytes) else wanted
    )
    back = feed(message)
    assert back == packet
    assert back.size == len(message)


def test_connect_without_data() -> None:
    assert feed(CONNECT) == Packet("0", "/")


def test_a_message_as_the_client_sends_it() -> None:
    packet = feed(pack(["e"], id=7, options={"compress": True}))
    assert packet == Packet("2", "/", ["e"], 7)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\xd4\x00\x00", None),
        (DATE, datetime(1970, 1, 15, 6, 56, 7, 890000, tzinfo=timezone.utc)),
        (b"\xd6\xff\x00\x00\x00\x01", datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc)),
        (b"\xc4\x02\xcb\xff", b"\xcb\xff"),
        (b"\xa3\xed\xa0\x80", "\ud800"),
        (b"\xcf" + b"\xff" * 8, 2**64 - 1),
        (b"\xca\x3f\x80\x00\x00", 1.0),
        (b"\xdf\x00\x00\x00\x01\xd9\x01a\xdd\x00\x00\x00\x01\xdc\x00\x00", {"a": [[]]}),
    ],
)
def test_values(data: bytes, wanted: Any) -> None:
    value = argument(data)
    assert value == wanted
    assert type(value) is type(wanted)


@pytest.mark.parametrize(
    "data",
    [
        b"\xcb\x7f\xf8\0\0\0\0\0\0",  # NaN
        b"\xcb\xff\xf0\0\0\0\0\0\0",  # an infinity
        b"\xca\x7f\x80\0\0",
        b"\xd4\x01\x00",  # extensions
        b"\xd5\x00\x00\x00",
        b"\xc7\x02\x05ab",
        b"\xc1",
        b"\x81\x01\x01",  # keys that are no text
        b"\x81\xc0\x01",
        b"\x81\xc4\x01a\x01",
        b"\x81\x90\x01",
        b"",  # what ends too early, or too late
        b"\xa5abc",
        b"\x92\x01",
        b"\xdd\xff\xff\xff\xff\x01",
        b"\xdf\xff\xff\xff\xff\xa1a\x01",
        b"\xc6\xff\xff\xff\xff\x01",
        b"\xcb\x00",
        b"\xc4",
        b"\x01\x01",
        b"\xa1\xff",  # text that is no UTF-8
        b"\xd7\x00\x7f\xff\xff\xff\xff\xff\xff\xff",  # a date that no calendar has
    ],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(PacketError):
        feed(with_data(data))


KINDS: list[Any] = [5, 6, -1, True, "2", 2.0, None]
NAMESPACES: list[Any] = ["", "a", None, 5, b"/"]
IDS: list[Any] = [-1, 2**53, 1.0, "1", True, []]
EVENTS: list[Any] = [None, [], {}, "e", [None], [["e"]], [True], ["connect"]]
ANYTHING: list[Any] = [[], "x", 1, None, {}]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x90",
        b"\x01",
        b"\x80",
        msgpack.packb({"type": 2, "data": ["e"]}),
        msgpack.packb({"nsp": "/", "data": ["e"]}),
        *(pack(["e"], kind) for kind in KINDS),
        *(pack(["e"], nsp=namespace) for namespace in NAMESPACES),
        *(pack(["e"], id=id) for id in IDS),
        *(pack(data) for data in EVENTS),
        *(pack(data, 0) for data in ANYTHING[:3]),
        pack({}, 1),
        *(pack(data, 3) for data in ANYTHING[1:]),
        *(pack(data, 4) for data in (ANYTHING[0], ANYTHING[2], None)),
    ],
)
def test_what_is_no_packet(message: bytes) -> None:
    with pytest.raises(PacketError):
        feed(message)


def test_text_is_no_packet() -> None:
    with pytest.raises(PacketError):
        make_decoder().feed('2["e"]')


def test_a_number_as_the_name() -> None:
    assert feed(pack([5, 1])).data == ["5", 1]


VALUES: list[Any] = [
    [0] * 50,
    ["a"] * 50,
    ["é" * 40, "x" * 300] * 5,
    [[]] * 20,
    [{}] * 20,
    [{"a": 1, "b": [2]}] * 10,
    [[[1, 2], {"a": {}}], 1.5, None, True, 2**40] * 5,
    {str(number): number for number in range(40)},
    [b"\xdd\xff" * 30, 1, [2]],
]


def weight_of(data: Any) -> int:
    """As of JSON, with a text for each attachment."""
    text = json.dumps(data, default=lambda _: "")
    count = 0
    while True:
        try:
            check_json(text, Limits(max_json_values=count))
        except PacketLimitExceeded:
            count += 1
        else:
            return count


@pytest.mark.parametrize("value", VALUES)
def test_values_count_as_in_json(value: Any) -> None:
    data = ["e", value]
    count = weight_of(data)
    message = pack(data, options={"compress": True}, id=1)
    assert feed(message, max_json_values=count).data == data
    with pytest.raises(PacketLimitExceeded, match="too many JSON values"):
        feed(message, max_json_values=count - 1)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_data_counts_as_in_json(value: Any) -> None:
    data = ["e", value]
    count = weight_of(data)
    message = pack(data)
    check_msgpack(message, Limits(max_json_values=count))
    assert feed(message).data == data
    with pytest.raises(PacketLimitExceeded):
        check_msgpack(message, Limits(max_json_values=count - 1))


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_decoded(data: bytes) -> None:
    for message in (data, with_data(data)):
        try:
            packet = make_decoder().feed(message)
        except PacketError:
            continue
        assert packet is not None


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_nesting(make: Any) -> None:
    value: Any = 1
    for _ in range(9):
        value = make(value)
    assert feed(pack(["e", value]), max_nesting_depth=10).data == ["e", value]
    with pytest.raises(PacketLimitExceeded, match="nested too deeply"):
        feed(pack(["e", make(value)]), max_nesting_depth=10)


def test_nested_lists_that_announce_much() -> None:
    """A decoder would make room for all of them."""
    with pytest.raises(PacketLimitExceeded):
        feed(with_data(b"\xdd\x00\x04\x00\x00" * 90 + b"\0" * 1_000_000))


def test_binary_data() -> None:
    data = ["e", b"12", {"a": b"345"}]
    limits = {"max_attachments": 2, "max_attachments_size": 5}
    assert feed(pack(data), **limits).data == data
    for key, text in (("max_attachments", "too many"), ("max_attachments_size", "too large")):
        with pytest.raises(PacketLimitExceeded, match=text):
            feed(pack(data), **{**limits, key: limits[key] - 1})


def test_names() -> None:
    assert feed(pack(["n" * 5]), max_event_name_length=5).data == ["n" * 5]
    with pytest.raises(PacketLimitExceeded, match="event name"):
        feed(pack(["n" * 6]), max_event_name_length=5)
    assert feed(pack(["n"], nsp="/1234"), max_namespace_length=5).namespace == "/1234"
    with pytest.raises(PacketLimitExceeded, match="namespace"):
        feed(pack(["n"], nsp="/12345"), max_namespace_length=5)


def test_auth_by_its_size() -> None:
    message = pack({"token": "x" * 500}, 0)
    assert feed(message, max_auth_size=len(message)).data == {"token": "x" * 500}
    with pytest.raises(AuthTooLarge):
        feed(message, max_auth_size=len(message) - 1)


def test_auth_by_its_values() -> None:
    # The object and the array count for two each.
    message = pack({"a": [0] * 96}, 0)
    assert feed(message, max_auth_size=1600).type == PacketType.CONNECT
    with pytest.raises(AuthTooLarge):
        feed(pack({"a": [0] * 97}, 0), max_auth_size=1600)
