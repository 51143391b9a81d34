"""A megabyte of digits is refused in linear time, and integers are capped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_socketio.packets import (
    Decoder,
    JSONCodec,
    Limits,
    OrjsonCodec,
    PacketError,
    StandardCodec,
)
from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer

from .measuring import grows_linearly, seconds

CODECS = [StandardCodec, OrjsonCodec]
# What stands before and after the digits: attachments, ids, names, numbers, namespaces.
PLACES = [
    ("5", '-["a"]'),
    ("6", "-[]"),
    ("5", ""),
    ("2", '["a"]'),
    ("3", "[]"),
    ("51-", '["a",{"_placeholder":true,"num":0}]'),
    ("2", ""),
    ("2/", ""),
    ("2/a,", '["a"]'),
    ("2[", "]"),
    ("2[-", "]"),
    ('2["a",', "]"),
    ('2["a",1e', "]"),
    ('2["a",0.', "]"),
    ('51-["a",{"_placeholder":true,"num":', "}]"),
    ("0", "{}"),
    ("1", ""),
    ("4", ""),
    ("", ""),
]


def feed(codec: JSONCodec, text: str) -> Callable[[], object]:
    def work() -> object:
        try:
            return Decoder(codec, Limits()).feed(text)
        except PacketError:
            return None

    return work


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("before", "after"), PLACES)
def test_cve_2020_36049_digits_take_linear_time(
    codec: type[JSONCodec], before: str, after: str
) -> None:
    assert grows_linearly(lambda size: feed(codec(), before + "1" * size + after), 125_000)
    assert seconds(feed(codec(), before + "1" * 1_000_000 + after), 1) < 1


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "text",
    [
        f'5{"1" * 1_000_000}-["a"]',
        f'5{"0" * 1_000_000}1-["a",{{"_placeholder":true,"num":0}}]',
        f'2{"1" * 1_000_000}["a"]',
        '29007199254740993["a"]',  # over 2 ** 53
        '29999999999999999["a"]',
        f"2[{'1' * 1_000_000}]",
        f'2["a",{"1" * 1_000_000}]',
        f'2["a",1e{"1" * 1_000_000}]',
        f'51-["a",{{"_placeholder":true,"num":{"0" * 1_000_000}}}]',
    ],
    ids=lambda text: text[:12],
)
def test_cve_2020_36049_digits_are_capped(codec: type[JSONCodec], text: str) -> None:
    with pytest.raises(PacketError):
        Decoder(codec(), Limits()).feed(text)


def test_cve_2020_36049_digits_close_the_session(server: Server, bystander: Peer) -> None:
    for packet in (f'5{"1" * 900_000}-["a"]', f'2{"1" * 900_000}["a"]'):
        peer = open_peer(server)
        peer.send("4" + packet)
        peer.close_code()
        assert server.reason(peer.sid) == "parse error"
