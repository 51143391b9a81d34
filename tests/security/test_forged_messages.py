"""Who can write to the channel layer, but does not know SECRET_KEY, can do nothing; nor can who
has seen what others have sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from django_socketio import SocketIOConsumer
from django_socketio.cluster import peers
from django_socketio.cluster.bus import Bus
from django_socketio.cluster.cluster import Cluster
from django_socketio.cluster.messages import EVERYONE, Kind
from django_socketio.cluster.signing import Signer
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.layers import Exchange, Layer, Station, note, signed, unsigned

from .inprocess import Wire, joined, registered

FIRST = {"f": 1, "s": 1, "p": 1, "q": 0, "b": ""}
SAID = [Kind.EMIT, 0, "/", [], [], 0, '2["said"]', []]
# What would show on the wire, and what would be answered.
FORGERIES: list[list[Any]] = [
    SAID,
    [Kind.ACT, 0, "/", [], [], "disconnect", []],
    [Kind.HELLO, "channel", 1, True],
    [Kind.FETCH, 1, "/", [], []],
    [Kind.REPORT, 1, "process", "{}"],
    [Kind.OPEN, 1, {"type": "http", "headers": [], "client": ["", 0]}],
    [Kind.BYE],
]


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """This process, with others around it."""
    hub = current_hub()
    alone = hub.others
    cluster = Cluster(hub.runtime, hub.settings, Layer(Exchange()), hub.node, hub.members)
    hub.others = hub.local.others = cluster
    cluster.start(listen=True)
    await cluster.membership.settled()
    yield cluster
    await cluster.stop()
    hub.others = hub.local.others = alone


@pytest.fixture
async def socket(cluster: Cluster) -> AsyncIterator[Wire]:
    with registered(SocketIOConsumer):
        wire = await joined()
        yield wire
        await wire.leave()


def exchange_of(cluster: Cluster) -> Exchange:
    exchange: Exchange = cluster.bus._layer._backend.exchange
    return exchange


def channel_of(cluster: Cluster) -> str:
    assert cluster.bus.channel is not None
    return cluster.bus.channel


async def forge(cluster: Cluster, secret: str, *operations: list[Any]) -> None:
    """Say something to the process, in the group of all and to it alone, as one with a secret."""
    with override_settings(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=[]):
        layer = Layer(exchange_of(cluster))
        stranger = Bus(layer, "stranger", lambda *args: None, lambda *args: None, 10**6, 0, 1.0)
    stranger.start()
    for operation in operations:
        stranger.to_group(EVERYONE, operation)
        await soon(stranger.to_channel(channel_of(cluster), operation))
    await stranger.stop()


async def test_forged_messages_with_another_key(
    cluster: Cluster, socket: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    forged = counters.layer["forged"]
    sent = len(cluster.bus._layer._backend.calls)
    await forge(cluster, "a guess", *FORGERIES)
    exchange_of(cluster).put(channel_of(cluster), signed({"n": "other"}, "elsewhere"))
    await eventually(lambda: counters.layer["forged"] > forged + len(FORGERIES))
    assert len(cluster.peers) == 0
    said = [call for call in cluster.bus._layer._backend.calls[sent:] if call[1] != EVERYONE]
    assert said == []  # no answer
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 1
    assert "SECRET_KEY" in told[0].getMessage()
    await forge(cluster, django_settings.SECRET_KEY, SAID)
    assert await socket.receive() == '42["said"]'


async def test_forged_messages_a_key_that_was_replaced(socket: Wire) -> None:
    """SECRET_KEY_FALLBACKS count for what comes, as long as there are processes that use them."""
    exchange = Exchange()
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        new = Station(exchange, "new")
    with override_settings(SECRET_KEY="old", SECRET_KEY_FALLBACKS=[]):
        old, older = Station(exchange, "old"), Station(exchange, "older")
    try:
        for one in (new, old, older):
            await one.listen("g")
        await soon(old.bus.to_group("g", note(1)))
        await soon(new.bus.to_group("g", note(2)))
        await soon(old.bus.to_group("g", note(3)))
        await eventually(lambda: new.numbers == [1, 3])
        assert older.numbers == [1, 3]
    finally:
        for one in (new, old, older):
            await one.bus.stop(0)


async def test_forged_messages_among_those_that_are_sent_again() -> None:
    """Each is checked as if it had come by itself."""
    exchange = Exchange()
    one, guess = Station(exchange, "one"), Signer(["a guess"])

    def content(number: int) -> dict[str, Any]:
        numbers = {"f": 1, "s": number, "p": number, "q": number - 1, "b": ""}
        return {"n": "other", "g": "", **numbers, "o": [note(number)]}

    try:
        channel = await one.listen()
        forged = [guess.sign(content(1), channel), signed(content(2), "elsewhere"), content(3), 3]
        again = [*forged, signed(content(4), channel), signed(content(5))]
        unnumbered = {"f": 0, "s": 0, "p": 0, "q": 0, "b": ""}
        resent = {"n": "other", "g": "", **unnumbered, "o": [[Kind.RESENT, again]]}
        exchange.put(channel, guess.sign(resent, channel))
        exchange.put(channel, signed(resent, "elsewhere"))
        exchange.put(channel, signed({**resent, "o": [[Kind.RESENT, forged]]}, channel))
        exchange.put(channel, signed(resent, channel))
        await eventually(lambda: one.received)
        assert one.numbers == [4, 5]
    finally:
        await one.bus.stop(0)


@pytest.mark.parametrize("part", ["b", "m"])
async def test_forged_messages_that_were_changed(part: str) -> None:
    """By a single byte, whichever it is; or cut, or longer."""
    one = Station(Exchange(), "one")
    message = signed({"n": "other", "g": "", **FIRST, "o": [note(1)]})
    original = message[part]
    changed = [
        original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :]
        for place in range(len(original))
    ]
    for value in (*changed, original[:-1], original + b"\0", b""):
        one.bus._take({**message, part: value})
    assert one.received == []
    one.bus._take(message)
    assert one.numbers == [1]


async def test_forged_messages_that_were_sent_before() -> None:
    """Whoever records them can send them again, to the same process or another one: in vain."""
    exchange = Exchange()
    one, two, three = (Station(exchange, name) for name in ("one", "two", "three"))
    try:
        channels = [await each.listen("g") for each in (one, two, three)]
        await soon(one.bus.to_group("g", note(1)))
        await soon(one.bus.to_channel(channels[1], note(2)))
        await eventually(lambda: two.numbers == [1, 2])
        recorded = [
            signed({"n": "one", "g": "g", **FIRST, "o": [note(1)]}),
            signed({"n": "one", "g": "", **FIRST, "o": [note(2)]}, channels[1]),
        ]
        for channel in channels:
            for message in recorded:
                exchange.put(channel, message)
        await soon(two.bus.to_group("g", note(3)))
        await eventually(lambda: one.numbers == [3] and three.numbers == [1, 3])
        assert two.numbers == [1, 2]
    finally:
        for each in (one, two, three):
            await each.bus.stop(0)


@pytest.mark.parametrize(
    ("text", "attachments"),
    [
        ("0", []),
        ('1["said"]', []),
        ('3["said"]', []),
        ('4{"message":"forged"}', []),
        ("2", []),
        ('2/other,["said"]', []),
        ('25["said"]', []),
        ("said", []),
        ('51-["said"]', []),
        ('52-["said"]', [b"x"]),
        ('2["said"]', [b"x"]),
        ('51-/other,["said"]', [b"x"]),
    ],
)
async def test_forged_messages_no_text_but_an_event_of_the_namespace(
    cluster: Cluster, socket: Wire, text: str, attachments: list[Any]
) -> None:
    """Even who knows the key cannot make clients read what is no event."""
    malformed = counters.layer["malformed"]
    emit = [Kind.EMIT, 0, "/", [], [], 0]
    question = [Kind.ASK, 1, "/", [], [], 0, text, '["said"]', attachments, 1]
    await forge(cluster, django_settings.SECRET_KEY, [*emit, text, attachments], SAID, question)
    assert await socket.receive() == '42["said"]'
    assert counters.layer["malformed"] > malformed


async def test_forged_messages_cannot_fill_the_table_of_processes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By who knows the key: there is a limit, and each of them expires."""
    monkeypatch.setattr(peers, "MAX_PEERS", 50)
    exchange, channel = exchange_of(cluster), channel_of(cluster)
    for number in range(100):
        hello = [Kind.HELLO, "channel", 1e300, False]
        content = {"n": f"node{number}", "g": "", **FIRST, "o": [hello]}
        exchange.put(channel, signed(content, channel))
    await eventually(lambda: len(cluster.peers) == 50)
    await soon(cluster.bus.echo() or asyncio.sleep(0))
    assert len(cluster.peers) == 50
    assert counters.layer["too many processes"] >= 50
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 1
    now = asyncio.get_running_loop().time()
    assert len(cluster.peers.expire(now + 4 * peers.LONGEST_INTERVAL + 1, 1e9)) == 50


async def test_forged_messages_names_of_another_form(socket: Wire, cluster: Cluster) -> None:
    """They are dropped before anything looks at them, logs them or keeps them."""
    exchange, channel = exchange_of(cluster), channel_of(cluster)
    malformed = counters.layer["malformed"]
    names = ["", "a" * 33, "a b", "a\n", "é", "a\x00", "../x"]
    for name in names:
        content = {
            "n": name,
            "g": "",
            "f": 1,
            "s": 1,
            "p": 1,
            "q": 0,
            "o": [[Kind.HELLO, "c", 1, False], SAID],
        }
        exchange.put(channel, signed(content, channel))
    await eventually(lambda: counters.layer["malformed"] == malformed + len(names))
    assert len(cluster.peers) == 0
    assert unsigned(signed({}, "x"), "y") is None
