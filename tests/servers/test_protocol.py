"""RFC 6455 as the Autobahn test suite puts it to servers, case by case, by behaviour.

The numbers are those of https://github.com/crossbario/autobahn-testsuite. A case is what a client
sends and the frames that it gets, to the end of the connection; the server echoes.
"""

from __future__ import annotations

import socket

import pytest

from tests.harness.wire import frame

from .client import BINARY, CLOSE, PING, PONG, TEXT, Client, Frame, closing
from .conftest import End

# First bytes of frames that are not the last of their message.
TEXT_BEGINS, BINARY_BEGINS, GOES_ON, ENDS = 0x01, 0x02, 0x00, 0x80
BYE = frame(closing(1000), CLOSE)
UTF8 = "κόσμε 𐐀 \U0010ffff"


def failed_with(frames: list[Frame], code: int) -> bool:
    """Whether the last frame is a CLOSE with this code."""
    return bool(frames) and frames[-1][0] == CLOSE and frames[-1][1][:2] == closing(code)


def exchange(end: End, *sent: bytes, chop: int = 0, frames: int = 0) -> list[Frame]:
    """What comes back. ``chop`` is how many bytes are sent at once, 0 for all.

    Behind so many ``frames`` the client closes the WebSocket; by default it does not.
    """
    with Client(end) as client:
        client.accepted()
        data = b"".join(sent)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), chop or len(data)):
            client.sock.sendall(data[at : at + (chop or len(data))])
        found = [client.read() for _ in range(frames)]
        if frames:
            client.sock.sendall(BYE)
        return found + client.read_all()


def echoes(end: End, sent: list[bytes], expected: list[Frame], chop: int = 0) -> bool:
    """Whether exactly this comes back, and then the answer to the client's CLOSE."""
    found = exchange(end, *sent, chop=chop, frames=len(expected))
    assert found == [*expected, (CLOSE, closing(1000))]
    return True


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20])
@pytest.mark.parametrize("kind", [TEXT, BINARY], ids=["text", "binary"])
def test_1_and_9_echoes_of_all_sizes(end: End, kind: int, size: int) -> None:
    payload = b"*" * size
    assert echoes(end, [frame(payload, kind)], [(kind, payload)])


@pytest.mark.parametrize("chop", [1, 997])
def test_1_8_chopped(end: End, chop: int) -> None:
    payload = b"*" * (300 if chop == 1 else 65536)
    sent = [frame(payload, BINARY), frame(UTF8.encode(), TEXT)]
    assert echoes(end, sent, [(BINARY, payload), (TEXT, UTF8.encode())], chop)


def test_masks(end: End) -> None:
    """The other tests mask with zeros."""
    mask, payload = b"\x01\x80\xff\x37", b"a payload of some bytes"
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    sent = bytes([TEXT, 0x80 | len(payload)]) + mask + masked
    assert echoes(end, [sent], [(TEXT, payload)])


@pytest.mark.parametrize("payload", [b"", b"Hello", bytes(range(125))], ids=len)
def test_2_pings_are_answered(end: End, payload: bytes) -> None:
    assert echoes(end, [frame(payload, PING)], [(PONG, payload)])


def test_2_5_a_ping_may_not_be_long(end: End) -> None:
    assert failed_with(exchange(end, frame(b"*" * 126, PING)), 1002)


def test_2_6_to_2_11_pings_and_pongs_between_messages(end: End) -> None:
    pings = [frame(b"%d" % number, PING) for number in range(10)]
    sent = [frame(b"unasked", PONG), *pings, frame(b"x")]
    pongs = [(PONG, b"%d" % number) for number in range(10)]
    for chop in (0, 1):
        assert echoes(end, sent, [*pongs, (TEXT, b"x")], chop)


@pytest.mark.parametrize("bits", range(1, 8))
@pytest.mark.parametrize("kind", [TEXT, BINARY, PING, PONG, CLOSE, TEXT_BEGINS])
def test_3_reserved_bits(end: End, kind: int, bits: int) -> None:
    payload = closing(1000) if kind == CLOSE else b"*"
    assert failed_with(exchange(end, frame(payload, kind | bits << 4)), 1002)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_4_reserved_opcodes(end: End, opcode: int) -> None:
    for payload in (b"", b"*"):
        assert failed_with(exchange(end, frame(payload, 0x80 | opcode), frame(b"", PING)), 1002)


@pytest.mark.parametrize(
    "sent",
    [
        [frame(b"*", 0x09), frame(b"*", ENDS)],
        [frame(b"*", 0x0A), frame(b"*", ENDS)],
        [frame(closing(1000), 0x08)],
        [frame(b"*", ENDS), frame(b"*")],
        [frame(b"*", GOES_ON), frame(b"*", ENDS)],
        [frame(b"*", TEXT_BEGINS), frame(b"*", TEXT)],
        [frame(b"*", BINARY_BEGINS), frame(b"*", TEXT_BEGINS)],
        [frame(b"*", TEXT_BEGINS), frame(b"*", ENDS), frame(b"*", ENDS)],
    ],
    ids=[
        "ping in fragments",
        "pong in fragments",
        "close in fragments",
        "an end of nothing",
        "a fragment of nothing",
        "a message inside a message",
        "a beginning inside a message",
        "an end after the end",
    ],
)
def test_5_wrong_fragments(end: End, sent: list[bytes]) -> None:
    assert failed_with(exchange(end, *sent), 1002)


@pytest.mark.parametrize("begins", [TEXT_BEGINS, BINARY_BEGINS], ids=["text", "binary"])
@pytest.mark.parametrize("chop", [0, 1])
def test_5_fragments_with_a_ping_between_them(end: End, begins: int, chop: int) -> None:
    sent = [frame(b"a", begins), frame(b"", GOES_ON), frame(b"p", PING), frame(b"b", GOES_ON)]
    sent.append(frame(b"c", ENDS))
    assert echoes(end, sent, [(PONG, b"p"), (begins | 0x80, b"abc")], chop)


def test_5_an_empty_message_in_fragments(end: End) -> None:
    sent = [frame(b"", TEXT_BEGINS), frame(b"", GOES_ON), frame(b"", ENDS)]
    assert echoes(end, [*sent], [(TEXT, b"")])


@pytest.mark.parametrize("size", [1, 3, 64])
def test_6_characters_across_fragments(end: End, size: int) -> None:
    data = UTF8.encode() * 10
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    sent = [frame(parts[0], TEXT_BEGINS), *(frame(part, GOES_ON) for part in parts[1:])]
    assert echoes(end, [*sent, frame(b"", ENDS)], [(TEXT, data)])


VALID = ["\0", "\x7f", "\x80", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff", "\ufeff"]


@pytest.mark.parametrize("text", VALID, ids=ascii)
def test_6_valid_utf_8(end: End, text: str) -> None:
    assert echoes(end, [frame(text.encode())], [(TEXT, text.encode())])


INVALID = [
    b"\x80",
    b"\xbf",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xce",
    b"\xf0\x9f",
    b"a\xcezz",
]


@pytest.mark.parametrize("data", INVALID, ids=bytes.hex)
def test_6_invalid_utf_8(end: End, data: bytes) -> None:
    assert failed_with(exchange(end, frame(b"ok " + data)), 1007)
    in_fragments = [frame(b"ok ", TEXT_BEGINS), frame(data, GOES_ON), frame(b"", ENDS)]
    assert failed_with(exchange(end, *in_fragments), 1007)


def test_7_1_nothing_counts_behind_a_close(end: End) -> None:
    sent = [frame(b"before"), BYE, frame(b"behind"), frame(b"", PING), BYE]
    assert exchange(end, *sent)[-1] == (CLOSE, closing(1000))


def test_7_3_closes(end: End) -> None:
    assert exchange(end, frame(b"", CLOSE)) == [(CLOSE, closing(1000))]
    assert failed_with(exchange(end, frame(b"*", CLOSE)), 1002)
    reason = b"*" * 123
    assert exchange(end, frame(closing(1000, reason), CLOSE)) == [(CLOSE, closing(1000))]
    assert failed_with(exchange(end, frame(closing(1000, reason + b"*"), CLOSE)), 1002)
    assert failed_with(exchange(end, frame(closing(1000, b"\xce"), CLOSE)), 1007)


CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4999]


@pytest.mark.parametrize("code", CODES)
def test_7_7_valid_close_codes(end: End, code: int) -> None:
    assert exchange(end, frame(closing(code), CLOSE)) == [(CLOSE, closing(code))]


@pytest.mark.parametrize(
    "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]
)
def test_7_9_invalid_close_codes(end: End, code: int) -> None:
    assert failed_with(exchange(end, frame(closing(code), CLOSE)), 1002)


@pytest.mark.parametrize(
    "sent",
    [
        frame(b"*", masked=False),
        bytes([TEXT, 0x80 | 126, 0, 125]) + b"\0\0\0\0" + b"*" * 125,
        bytes([TEXT, 0x80 | 127]) + (65535).to_bytes(8, "big") + b"\0\0\0\0" + b"*" * 65535,
        bytes([TEXT, 0x80 | 127]) + (1 << 63 | 1).to_bytes(8, "big") + b"\0\0\0\0*",
    ],
    ids=["no mask", "16 bits for few", "64 bits for few", "64 bits and a sign"],
)
def test_bad_headers(end: End, sent: bytes) -> None:
    assert failed_with(exchange(end, sent), 1002)


@pytest.mark.parametrize("part", [64, 4096, 65536, 1 << 20])
def test_9_4_large_messages_in_fragments(end: End, part: int) -> None:
    size = 200_000 if part == 64 else 4 << 20
    payload = b"*" * size
    pieces = [frame(payload[:part], BINARY_BEGINS)]
    pieces += [frame(payload[at : at + part], GOES_ON) for at in range(part, size, part)]
    assert echoes(end, [*pieces, frame(b"", ENDS)], [(BINARY, payload)])
