"""Payloads and binary packets of revision 3, and a session that speaks it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.engineio import EngineIOError, Frame, Session3, SessionOptions, revise
from django_socketio.engineio.revision3 import decode_payload, encode_payload
from tests.unit.alarm import linear
from tests.unit.strategies import any_packets, any_texts, frame_texts

from .sessions import INTERVAL, TIMEOUT, handshake, messages, texts, written

MEGABYTE = 1_000_000


def make_session(transport: str = "websocket", **options: Any) -> Session3:
    """A session whose OPEN packet has been written."""
    given = {"ping_interval": INTERVAL, "ping_timeout": TIMEOUT, **options}
    session = Session3("the-sid", SessionOptions(**given), transport, 0)
    session.set_writable(True)
    session.take()
    session.unheard = 0
    session.set_writable(transport == "websocket")
    return session


def frames(*data: str | bytes, base64: bool = False) -> list[Frame]:
    return [revise(Frame(item), base64) for item in data]


# Payloads, as engine.io-parser 2.2 makes them


@pytest.mark.parametrize(
    ("packets", "payload"),
    [
        (["4hello"], "6:4hello"),
        (["2", "4hi"], "1:23:4hi"),
        (["4é"], "2:4é"),
        (["4😀", "4é😀"], "3:4😀4:4é😀"),
        (["4" + "x" * 99], "100:4" + "x" * 99),
    ],
)
def test_text_payloads_count_utf_16(packets: list[str], payload: str) -> None:
    assert encode_payload(frames(*packets)) == payload
    assert list(decode_payload(payload, 10)) == packets


@pytest.mark.parametrize(
    ("packets", "payload"),
    [
        ([b"\x01\x02"], b"\x01\x03\xff\x04\x01\x02"),
        (["4é", b""], b"\x00\x03\xff4\xc3\xa9\x01\x01\xff\x04"),
        ([b"\xff" * 11], b"\x01\x01\x02\xff\x04" + b"\xff" * 11),
    ],
)
def test_binary_payloads_count_bytes(packets: list[str | bytes], payload: bytes) -> None:
    assert encode_payload(frames(*packets)) == payload
    assert messages(make_session("polling"), payload) == [
        packet[1:] if isinstance(packet, str) else packet for packet in packets
    ]


def test_a_client_without_binary_data_gets_base64() -> None:
    payload = encode_payload(frames("4hi", b"\x01\x02", base64=True))
    assert payload == "3:4hi6:b4AQI="
    assert messages(make_session("polling"), payload) == ["hi", b"\x01\x02"]


def test_a_frame_is_revised_once_for_all() -> None:
    text, binary = Frame("4hi"), Frame(b"\x01", compress=False)
    assert revise(text, True) is text
    for base64, data in ((False, b"\x04\x01"), (True, "b4AQ==")):
        revised = revise(binary, base64)
        assert (revised.data, revised.compress, revised.size) == (data, False, len(data))
        assert revise(binary, base64) is revised
        assert revise(binary, not base64) is not revised
        assert revise(binary, base64) is revised


@given(st.lists(frame_texts | st.binary(max_size=60), min_size=1, max_size=20), st.booleans())
def test_a_payload_survives_the_way_there_and_back(data: list[str | bytes], base64: bool) -> None:
    payload = encode_payload(frames(*data, base64=base64))
    assert isinstance(payload, bytes) == (not base64 and any(type(x) is bytes for x in data))
    expected: list[str | bytes] = []
    for item in data:
        if isinstance(item, bytes):
            expected.append(item)
        elif item[0] == "4":
            expected.append(item[1:])
        elif item[0] in "13":
            break
    assert messages(make_session("polling"), payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        "",
        b"",
        "hello",
        ":4",
        "0:",
        "2:4",
        "42",
        "-1:4",
        "1e0:4",
        "٣:4hi",
        "2:4😀",
        "9" * 5000 + ":4",
        b"\x00",
        b"\x00\xff4",
        b"\x00\x00\xff",
        b"\x00\x02\xff4",
        b"\x00\x0a\xff4",
        b"\x02\x01\xff4",
        b"\x00\x02\xff4\xe9",
        b"\x01" + b"\x01" * 5000 + b"\xff4",
    ],
)
def test_what_is_no_payload_is_refused(payload: str | bytes) -> None:
    with pytest.raises(EngineIOError):
        list(decode_payload(payload, 100))
    session = make_session("polling")
    assert messages(session, payload) == []
    assert (session.state, session.close_reason) == ("closed", "parse error")


def test_too_many_packets_are_refused() -> None:
    for payload in ("1:4" * 5, b"\x00\x01\xff4" * 5):
        assert len(list(decode_payload(payload, 5))) == 5
        with pytest.raises(EngineIOError, match="too many packets"):
            list(decode_payload(payload, 4))


@given(any_texts | st.binary(max_size=50), st.integers(1, 5))
def test_nothing_makes_decode_payload_raise_anything_else(data: str | bytes, limit: int) -> None:
    try:
        packets = list(decode_payload(data, limit))
    except EngineIOError:
        return
    assert 1 <= len(packets) <= limit


@pytest.mark.parametrize("piece", ["1:4", "2:4é", "3:4😀", "9", "9:"])
def test_payloads_take_linear_time(piece: str) -> None:
    with linear(), suppress(EngineIOError):
        list(decode_payload(piece * (MEGABYTE // len(piece)), 10**9))


# Packets


def test_binary_messages_have_a_type() -> None:
    session = make_session()
    assert session.receive(b"\x04\x01\x02") == b"\x01\x02"
    assert session.receive("b4AQI=") == b"\x01\x02"
    assert session.receive("4text") == "text"
    assert session.packets_in == 3


@pytest.mark.parametrize(
    "packet", [b"", b"\x01\x02", b"\x024", b"4", "b", "b5AQI=", "b4#", "7", ""]
)
def test_other_binary_packets_break_the_protocol(packet: str | bytes) -> None:
    session = make_session()
    assert session.receive(packet) is None
    assert (session.state, session.close_reason) == ("closed", "parse error")


def test_a_pong_breaks_the_protocol() -> None:
    session = make_session()
    session.receive("3")
    assert (session.state, session.close_reason) == ("closed", "transport error")


@given(
    st.sampled_from(["polling", "websocket"]),
    st.lists(st.tuples(st.sampled_from(["packet", "payload", "probe"]), any_packets), max_size=10),
)
def test_a_session_never_raises_whatever_it_receives(
    transport: str, inputs: list[tuple[str, str | bytes]]
) -> None:
    session = make_session(transport, max_packets=5)
    session.start_upgrade(0)
    for kind, data in inputs:
        if kind == "packet":
            session.receive(data)
        elif kind == "payload":
            list(session.receive_payload(data))
        else:
            session.receive_probe(data)
    assert (session.close_reason is None) == (session.state == "open")


def test_the_handshake_is_that_of_revision_4() -> None:
    session = Session3("the-sid", SessionOptions(), "polling", 0)
    opened = handshake(session)
    assert (opened["sid"], opened["upgrades"]) == ("the-sid", ["websocket"])
    assert (opened["pingInterval"], opened["pingTimeout"]) == (25000, 20000)


def test_the_upgrade_is_that_of_revision_4() -> None:
    session = make_session("polling")
    assert session.start_upgrade(0)
    assert session.receive_probe("2probe").name == "PONG"
    assert session.receive_probe("5").name == "UPGRADED"
    assert session.transport == "websocket"


# Heartbeats


def test_the_client_pings() -> None:
    session = make_session()
    assert session.receive("2") is None
    assert session.pinged
    assert session.answer_ping(INTERVAL)
    assert not session.pinged
    assert texts(session) == ["3"]
    assert session.tick(INTERVAL) == 2 * INTERVAL + TIMEOUT


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_client_that_does_not_ping_times_out(transport: str) -> None:
    session = make_session(transport)
    assert session.next_ping == INTERVAL + TIMEOUT
    session.receive("4still there")  # as in Node, only a ping counts
    assert session.tick(INTERVAL + TIMEOUT - 1) == INTERVAL + TIMEOUT
    assert texts(session) == []
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert (session.state, session.close_reason) == ("closed", "ping timeout")


def test_while_nothing_is_read_no_client_times_out() -> None:
    session = make_session()
    session.paused = True
    assert session.tick(INTERVAL + TIMEOUT) == INTERVAL + 2 * TIMEOUT
    session.resume(INTERVAL + TIMEOUT)
    assert session.tick(INTERVAL + 2 * TIMEOUT - 1) == INTERVAL + 2 * TIMEOUT
    assert session.tick(INTERVAL + 2 * TIMEOUT) is None


def test_pings_whose_answers_are_not_read_fill_no_buffer() -> None:
    session = make_session("polling")
    for now in range(1000):
        session.receive("2")
        session.answer_ping(now)
    assert texts(session) == ["3"]


def test_a_session_that_has_ended_takes_no_ping() -> None:
    session = make_session()
    session.receive("1")
    assert session.receive("2") is None
    assert not session.answer_ping(1)
    assert texts(session) == []


def test_a_client_that_was_sent_much_is_not_pinged() -> None:
    """It could not answer. What the server has not taken yet is bounded all the same."""
    session = make_session(max_write_buffer=1000)
    for _ in range(100):
        if written(session, 100):
            session.ping(1)
            assert session.state == "open"
    assert session.sent_bytes == 100 * 100
    session.set_writable(False)
    for _ in range(11):
        session.send(Frame("4" + "x" * 99))
    assert (session.state, session.detail) == ("closed", "slow client")
