"""Garbage in frames closes that session only, without a traceback."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

import pytest

from tests.harness.protocol import Closed
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, frame, open_peer, raw_websocket, read_to_end

# Frames that break Engine.IO or Socket.IO, each of which ends its session.
GARBAGE: list[str | bytes] = [
    "",
    "7",
    "9x",
    "x",
    "\x00",
    "\ufeff4",
    "٤2[]",
    "4",
    "49",
    "47[]",
    "42{",
    "42[",
    '42["a"',
    '42["a"]]',
    '42["a"]\x1e42["b"]',
    "42[NaN]",
    '42["a",NaN]',
    '42["a",-Infinity]',
    '42["a",1e999]',
    '42["a","\x01"]',
    "42" + "[" * 100_000,
    '42["a",' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "]",
    "42/unknown,[1]",
    "43{}",
    "44{}",
    '44{"message":"no"}',
    "40[]",
    '40"text"',
    "40",  # connected already
    "45-[]",
    "451-[]",
    "b!!!",
    "bAAAA",
    b"",
    b"\x00",
    random.Random(1).randbytes(1000),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda item: repr(item[:12]))
def test_cve_2022_21676_garbage_frames(
    server: Server, bystander: Peer, garbage: str | bytes
) -> None:
    peer = open_peer(server)
    peer.send(garbage)
    assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_cve_2022_21676_garbage_payloads(server: Server, bystander: Peer) -> None:
    for garbage in GARBAGE:
        poller = Poller(server)
        sid = poller.join()
        body = garbage if isinstance(garbage, bytes) else garbage.encode()
        if body == b'42["a"]\x1e42["b"]':
            continue  # two packets here
        assert poller.ask("POST", body).status == 200
        assert server.reason(sid) == "parse error", garbage
        # What is left of it goes with the next poll, if there is anything.
        if poller.ask().status == 200:
            assert poller.is_gone()


@pytest.mark.parametrize(
    "bytes_on_the_wire",
    [
        frame(b"hello", 0x83),  # an opcode that means nothing
        frame(b"hello", 0xF1),  # bits of extensions that were not agreed on
        frame(b"hello", masked=False),
        frame(b"\xff\xfe"),  # text that is not UTF-8
        frame(b"4\xed\xa0\x80"),  # half a surrogate pair
        frame(b"x" * 200, 0x89),  # a ping that is too long
        frame(b"rest", 0x80),  # a continuation of nothing
        frame(b"\x00", 0x88),  # a close frame with half a code
        b"\x81\xff" + b"\xff" * 12,  # more bytes than there are
        b"GET / HTTP/1.1\r\n\r\n",
        random.Random(2).randbytes(64),
    ],
    ids=[
        "opcode",
        "extension",
        "unmasked",
        "utf-8",
        "surrogate",
        "ping",
        "continuation",
        "close",
        "length",
        "http",
        "random",
    ],
)
def test_cve_2022_21676_garbage_below_the_frames(
    server: Server, bystander: Peer, bytes_on_the_wire: bytes
) -> None:
    before = server.state()["held"]["clients"]
    sock = raw_websocket(server)
    sock.sendall(frame(b"40") + bytes_on_the_wire)
    # Some of it may be the beginning of a frame: then the end of the stream is the rest of it.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
    read_to_end(sock)
    sock.close()
    server.until(lambda state: state["held"]["clients"] <= before, "the session to be closed")


def test_cve_2022_21676_random_frames(server: Server, bystander: Peer) -> None:
    """Whatever comes, the session lives or is closed, and nothing else happens."""
    chance = random.Random(21676)
    alphabet = '0123456789b-/,[]{}"\\:a _\x1e\x00\u20ac'
    for _ in range(60):
        peer = open_peer(server)
        for _ in range(5):
            text = "".join(chance.choices(alphabet, k=chance.randrange(12)))
            peer.send(chance.choice(["", "4", "42", "451-"]) + text)
            peer.send(chance.randbytes(chance.randrange(4)))
        try:
            assert peer.echoes()
        except Closed:
            assert server.reason(peer.sid) in {
                "parse error",
                "transport error",
                "transport close",
            } | {"client namespace disconnect"}
        peer.leave()
