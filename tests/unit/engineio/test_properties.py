"""What holds for any input, whatever the packets say."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from django_socketio.engineio import EngineIOError, Frame, decode_payload, encode_payload
from django_socketio.engineio.packets import decode_packet
from tests.unit.alarm import linear
from tests.unit.strategies import any_packets, any_texts, frame_texts

from .sessions import INTERVAL, TIMEOUT, make_session, messages, written

MEGABYTE = 1_000_000


@given(st.lists(frame_texts | st.binary(max_size=60), min_size=1, max_size=20))
def test_a_payload_survives_the_way_there_and_back(data: list[str | bytes]) -> None:
    payload = encode_payload(map(Frame, data))
    assert decode_payload(payload, len(data)) == data
    session = make_session("polling")
    expected: list[str | bytes] = []
    for item in data:
        if isinstance(item, bytes):
            expected.append(item)
        elif item[0] == "4":
            expected.append(item[1:])
        elif item[0] in "12":
            break
    assert messages(session, payload) == expected


@given(any_texts)
def test_no_text_makes_decode_packet_raise_anything_else(text: str) -> None:
    try:
        packet = decode_packet(text)
    except EngineIOError:
        return
    assert packet == text or isinstance(packet, bytes)


@given(any_texts, st.integers(1, 10))
def test_no_text_makes_decode_payload_raise_anything_else(text: str, limit: int) -> None:
    try:
        packets = decode_payload(text, limit)
    except EngineIOError:
        return
    assert 1 <= len(packets) <= limit


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
        if kind == "probe":
            session.receive_probe(data)
        elif kind == "payload" and isinstance(data, str):
            assert len(messages(session, data)) <= 5
        else:
            message = session.receive(data)
            assert message is None or isinstance(message, (str, bytes))
        assert (session.state == "open") == (session.close_reason is None)


# Adversarial input: a megabyte takes no longer than a megabyte should.


def test_a_megabyte_of_separators() -> None:
    with linear():
        for payload in ("\x1e" * MEGABYTE, "4\x1e" * (MEGABYTE // 2)):
            session = make_session("polling")
            assert messages(session, payload) == []
            assert session.detail == "too many packets in a payload"


def test_a_megabyte_of_tiny_packets_that_are_allowed() -> None:
    session = make_session("polling", max_packets=MEGABYTE)
    with linear():
        received = messages(session, "\x1e".join(["4"] * (MEGABYTE // 2)))
    assert len(received) == MEGABYTE // 2
    assert session.state == "open"


def test_a_megabyte_of_base64_that_is_none() -> None:
    session = make_session("polling")
    with linear():
        assert messages(session, "b" + "A" * MEGABYTE + "!") == []
    assert session.detail == "invalid base64"


def test_a_megabyte_of_pongs() -> None:
    session = make_session("polling", max_packets=MEGABYTE)
    with linear():
        assert messages(session, "\x1e".join(["3"] * (MEGABYTE // 2))) == []
    assert (session.state, session.buffered) == ("open", 0)


# The heartbeat, for clients of any speed. Delays are binary fractions, so that sums are exact.

delays = st.integers(0, 2**10 - 1).map(lambda n: n * TIMEOUT / 2**10)
latenesses = st.integers(0, 2**10).map(lambda n: n / 2**10)


@given(st.lists(st.tuples(delays, latenesses, st.booleans()), min_size=1, max_size=30))
def test_a_client_that_answers_in_time_never_times_out(
    rounds: list[tuple[float, float, bool]],
) -> None:
    session = make_session(max_write_buffer=1000)
    pong_at = math.inf
    now = 0.0
    for delay, late, much in rounds:
        due = session.tick(now)
        assert due is not None
        now = min(max(now, min(now + delay, due)) if much else due + late, pong_at)
        if much and written(session, 300):  # so much that it is asked before its time
            ping = session.ping(now)
            if ping is not None:
                pong_at = now + delay
        if now == pong_at:
            session.receive("3")
            pong_at = math.inf
        session.tick(now)
        if session.take():
            pong_at = now + delay
        assert session.state == "open"
        # Other signs of life than a pong are not what keeps this client.
        session.unheard = 0


@given(st.lists(st.integers(0, 2**17), max_size=30), st.booleans())
def test_a_client_that_answers_no_ping_times_out(moments: list[int], asked: bool) -> None:
    """It talks at some moments; the first packet after the ping gives it more time, as in Node."""
    session = make_session(max_write_buffer=1000)
    due = session.tick(0)
    talk = sorted(moment / 2**10 for moment in moments)
    pinged = 0.0 if asked else INTERVAL
    end = INTERVAL + TIMEOUT
    late = [moment for moment in talk if pinged < moment <= end]
    if late:
        end = max(end, late[0] + TIMEOUT)
    if asked:
        written(session, 1000)
        session.ping(0)
        due = session.tick(0)
    while due is not None:
        while talk and talk[0] <= due:
            now = talk.pop(0)
            if session.expectant:
                session.grant_time(now)
            session.receive("4x")
        now = due
        due = session.tick(now)
        session.take()
        session.unheard = 0
    assert session.close_reason == "ping timeout"
    assert now == end
