"""Frames, single packets and payloads."""

from __future__ import annotations

import pytest

from django_socketio.engineio import EngineIOError, Frame, decode_payload, encode_payload
from django_socketio.engineio.packets import SEPARATOR, decode_packet, split_payload


def test_a_text_frame_is_its_own_text() -> None:
    frame = Frame("4hello")
    assert (frame.text, frame.data, frame.size, frame.compress) == ("4hello", "4hello", 6, True)


def test_a_binary_frame_is_base64_in_a_payload_and_encoded_once() -> None:
    frame = Frame(b"\x01\x02\x03\x04", compress=False)
    assert frame.text == "bAQIDBA=="
    assert frame.text is frame.text
    assert (frame.data, frame.size, frame.compress) == (b"\x01\x02\x03\x04", 4, False)


def test_the_size_of_text_is_in_characters() -> None:
    assert Frame("4€").size == 2


def test_the_representation_of_a_frame_is_short() -> None:
    assert len(repr(Frame("4" + "x" * 1_000_000))) < 100


def test_a_payload_of_the_specification() -> None:
    frames = [Frame("4hello"), Frame("2"), Frame("4world")]
    assert encode_payload(frames) == "4hello\x1e2\x1e4world"
    frames = [Frame("4hello"), Frame(b"\x01\x02\x03\x04")]
    assert encode_payload(frames) == "4hello\x1ebAQIDBA=="


def test_a_payload_of_one_packet_has_no_separator() -> None:
    assert encode_payload([Frame("6")]) == "6"
    assert decode_payload("6", 1) == ["6"]


def test_a_payload_is_decoded_in_its_order() -> None:
    payload = SEPARATOR.join(["4a", "bAQID", "3", "4é", "b"])
    assert decode_payload(payload, 5) == ["4a", b"\x01\x02\x03", "3", "4é", b""]


def test_a_payload_of_too_many_packets_is_refused() -> None:
    assert len(split_payload(SEPARATOR.join(["4"] * 10), 10)) == 10
    with pytest.raises(EngineIOError, match="too many packets"):
        split_payload(SEPARATOR.join(["4"] * 11), 10)
    with pytest.raises(EngineIOError, match="too many packets"):
        decode_payload(SEPARATOR.join(["4"] * 11), 10)


@pytest.mark.parametrize("packet", ["0", "1", "2", "3", "4", "5", "6", "2probe", "4" + "x" * 1000])
def test_a_text_packet_is_taken_as_it_is(packet: str) -> None:
    assert decode_packet(packet) == packet


@pytest.mark.parametrize("packet", ["", "7", "9", "a", "B", "é", "٤", "\x00", " 4", "-1", "\ud800"])
def test_an_unknown_packet_is_refused(packet: str) -> None:
    with pytest.raises(EngineIOError, match="unknown packet type"):
        decode_packet(packet)


@pytest.mark.parametrize(
    "packet",
    ["bA", "bAQ", "bAQI", "b====", "bAQID!", "bAQID\r", "b AQI", "bAé==", "b\ud800", "b-_-_"],
)
def test_base64_that_is_none_is_refused(packet: str) -> None:
    with pytest.raises(EngineIOError, match="invalid base64"):
        decode_packet(packet)


def test_base64_may_be_broken_into_lines_as_the_java_client_does() -> None:
    assert decode_packet("bAQ\nID\n") == b"\x01\x02\x03"


@pytest.mark.parametrize("payload", ["", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "4a\x1ex"])
def test_a_payload_with_an_empty_or_unknown_packet_is_refused(payload: str) -> None:
    with pytest.raises(EngineIOError):
        decode_payload(payload, 10)
