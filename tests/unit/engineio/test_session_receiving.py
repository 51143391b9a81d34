"""The session's handshake, and what it makes of packets that arrive."""

from __future__ import annotations

import pytest

from django_socketio.engineio import SessionOptions
from django_socketio.engineio.reasons import Reason

from .sessions import handshake, make_session, messages, new_session


def test_the_handshake_over_polling_offers_the_upgrade() -> None:
    session = new_session("polling", ping_interval=25, ping_timeout=20, max_payload=1000)
    assert handshake(session) == {
        "sid": "the-sid",
        "upgrades": ["websocket"],
        "pingInterval": 25000,
        "pingTimeout": 20000,
        "maxPayload": 1000,
    }


def test_the_handshake_over_websocket_offers_none() -> None:
    assert handshake(new_session("websocket"))["upgrades"] == []


def test_the_handshake_offers_no_upgrade_that_is_switched_off() -> None:
    assert handshake(new_session("polling", upgrades=()))["upgrades"] == []


def test_the_handshake_has_milliseconds_without_fractions() -> None:
    data = handshake(new_session("polling", ping_interval=0.3, ping_timeout=1.0005))
    assert (data["pingInterval"], data["pingTimeout"]) == (300, 1000)
    assert type(data["pingInterval"]) is int


def test_the_defaults_are_those_of_the_node_server() -> None:
    options = SessionOptions()
    assert (options.ping_interval, options.ping_timeout, options.upgrade_timeout) == (25, 20, 10)
    assert options.max_payload == 1_000_000


def test_a_new_session_is_open_and_waits_for_its_transport() -> None:
    session = new_session("polling")
    assert (session.state, session.close_reason, session.transport) == ("open", None, "polling")
    assert not session.writable
    assert not session.direct
    assert session.buffered == next(iter(session.buffer)).size
    assert session.unheard == 0


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_messages_come_out_as_text_and_bytes(transport: str) -> None:
    session = make_session(transport)
    assert session.receive("4hello") == "hello"
    assert session.receive("4") == ""
    assert session.receive("44") == "4"
    assert session.receive(b"\x01\x02") == b"\x01\x02"
    assert session.receive(b"") == b""
    assert session.receive("bAQI=") == b"\x01\x02"
    assert session.state == "open"


@pytest.mark.parametrize("packet", ["0", "0{}", "3", "3probe", "5", "6", "6x"])
def test_packets_that_mean_nothing_here_are_ignored(packet: str) -> None:
    session = make_session()
    assert session.receive(packet) is None
    assert session.state == "open"


def test_a_close_packet_ends_the_session() -> None:
    session = make_session()
    assert session.receive("1") is None
    assert (session.state, session.close_reason) == ("closed", "transport close")


def test_a_ping_of_the_client_is_an_error_of_the_transport() -> None:
    session = make_session()
    assert session.receive("2") is None
    assert (session.state, session.close_reason) == ("closed", "transport error")


@pytest.mark.parametrize("packet", ["", "7", "x", "é", "\x00", "bA", "b!!!!", "bé", "\ud800", " 4"])
def test_anything_else_is_a_parse_error(packet: str) -> None:
    session = make_session()
    assert session.receive(packet) is None
    assert (session.state, session.close_reason) == ("closed", "parse error")
    assert session.detail


def test_a_closed_or_closing_session_hears_nothing() -> None:
    for end in ("close", "finish"):
        session = make_session("polling")
        if end == "close":
            session.abort(Reason.FORCED_CLOSE)
        else:
            session.close(Reason.FORCED_CLOSE, 0)
        state = session.state
        assert session.receive("4hello") is None
        assert session.receive(b"hello") is None
        assert session.receive("x") is None
        assert messages(session, "4a\x1e4b") == []
        assert (session.state, session.close_reason) == (state, "forced close")


def test_a_payload_is_received_in_its_order() -> None:
    session = make_session("polling")
    assert messages(session, "4a\x1e3\x1ebAQI=\x1e4b") == ["a", b"\x01\x02", "b"]
    assert session.state == "open"


def test_the_messages_before_a_packet_that_closes_still_count() -> None:
    session = make_session("polling")
    assert messages(session, "4a\x1e4b\x1e1\x1e4c") == ["a", "b"]
    assert (session.state, session.close_reason) == ("closed", "transport close")


def test_the_messages_before_a_packet_that_is_none_still_count() -> None:
    session = make_session("polling")
    assert messages(session, "4a\x1ewhat?\x1e4c") == ["a"]
    assert (session.state, session.close_reason) == ("closed", "parse error")


def test_a_payload_of_too_many_packets_closes_the_session() -> None:
    session = make_session("polling", max_packets=3)
    assert messages(session, "\x1e".join(["4a"] * 3)) == ["a"] * 3
    assert messages(session, "\x1e".join(["4a"] * 4)) == []
    assert (session.state, session.close_reason) == ("closed", "parse error")
    assert session.detail == "too many packets in a payload"


def test_an_empty_payload_is_a_parse_error() -> None:
    session = make_session("polling")
    assert messages(session, "") == []
    assert (session.state, session.close_reason) == ("closed", "parse error")


def test_the_first_reason_for_the_end_is_kept() -> None:
    session = make_session("polling")
    session.close(Reason.SERVER_CLOSE, 0)
    session.abort(Reason.TRANSPORT_ERROR, "a poll was dropped")
    assert (session.state, session.close_reason) == ("closed", "forced server close")
    assert session.detail == ""
