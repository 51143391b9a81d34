"""The bus, outwards: order, shared messages, and a layer that is slow, full or down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from channels.exceptions import ChannelFull

from django_socketio.cluster import bus, layer, outbox
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.conftest import MakeStation
from tests.unit.cluster.layers import Station, note

Counted = Callable[[str], int]


@pytest.fixture
async def pair(station: MakeStation) -> tuple[Station, Station, str]:
    """A station that sends, one that receives in the group "g", and the second one's channel."""
    sender, receiver = station("sender"), station("receiver")
    sender.bus.start()
    return sender, receiver, await receiver.listen("g")


Pair = tuple[Station, Station, str]


def sent(station: Station) -> int:
    return sum(name in ("send", "group_send") for name, _ in station.layer.calls)


async def test_order_over_groups_and_channels(pair: Pair) -> None:
    sender, receiver, channel = pair
    for number in range(30):
        if number % 3:
            sender.bus.to_group("g", note(number))
        else:
            sender.bus.to_channel(channel, note(number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await eventually(lambda: len(receiver.received) == 30)
    assert receiver.numbers == list(range(30))
    assert receiver.lost == []


async def test_what_is_sent_in_one_turn_shares_a_message(pair: Pair) -> None:
    sender, receiver, _ = pair
    for number in range(50):
        sender.bus.to_group("g", note(number))
    await eventually(lambda: len(receiver.received) == 50)
    assert sent(sender) == 1
    assert receiver.numbers == list(range(50))


async def test_only_neighbours_share_a_message(pair: Pair) -> None:
    """Else what is said to two groups would change its order."""
    sender, receiver, channel = pair
    for number in range(6):
        sender.bus.to_group("g", note(2 * number))
        sender.bus.to_channel(channel, note(2 * number + 1))
    await eventually(lambda: len(receiver.received) == 12)
    assert sent(sender) == 12
    assert receiver.numbers == list(range(12))


async def test_a_message_is_shared_by_so_many(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_OPERATIONS", 10)
    sender, receiver, _ = pair
    for number in range(35):
        sender.bus.to_group("g", note(number))
    await eventually(lambda: len(receiver.received) == 35)
    assert sent(sender) == 4
    assert receiver.numbers == list(range(35))


async def test_large_operations_share_no_message(pair: Pair) -> None:
    sender, receiver, _ = pair
    for number in range(4):
        sender.bus.to_group("g", note(number), size=200_000)
    await eventually(lambda: len(receiver.received) == 4)
    assert sent(sender) == 4


async def test_awaiting_waits_until_the_layer_has_taken_it(pair: Pair) -> None:
    sender, receiver, _ = pair
    sender.layer.open.clear()
    first, second = sender.bus.to_group("g", note(1)), sender.bus.to_group("other", note(2))
    waiting = asyncio.ensure_future(soon(second))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert not first.done
    sender.layer.open.set()
    await waiting
    assert first.done
    assert second.done
    assert sent(sender) == 2
    await soon(first)
    await eventually(lambda: receiver.numbers == [1])


async def test_a_layer_that_is_down_is_tried_again(
    pair: Pair, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    sender, receiver, channel = pair
    sender.layer.error = OSError("no route\nto host")
    for number in range(10):
        sender.bus.to_group("g", note(number))
        sender.bus.to_channel(channel, note(100 + number))
    await eventually(lambda: sender.layer.failed >= 5)
    assert not sender.bus.up
    assert sender.bus.congested
    sender.layer.error = None
    await eventually(lambda: len(receiver.received) == 20)
    assert receiver.numbers == [n for number in range(10) for n in (number, 100 + number)]
    assert receiver.lost == []
    assert sender.bus.up
    assert counted("failed") == sender.layer.failed
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "the channel layer is down: OSError: no route\\nto host",
        "the channel layer is up again",
    ]


async def test_after_an_outage_the_queue_waits_until_the_others_hear_again(
    station: MakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They join their groups again, as this one does, some time after the layer is back."""
    monkeypatch.setattr(bus, "HEARING_TIME", 0.1)
    sender, receiver = station("sender"), station("receiver")
    channel = await sender.listen("g", "h")
    await receiver.listen("g")
    sender.layer.error = OSError()
    sender.layer.exchange.groups.clear()
    for number in range(5):
        sender.bus.to_group("g", note(number))
    await eventually(lambda: sender.layer.failed > bus.TRIES)
    sender.layer.calls.clear()
    sender.layer.error = None
    await eventually(lambda: sender.bus.up)
    began = asyncio.get_running_loop().time()
    # While it waits, the other one is back, too.
    asyncio.get_running_loop().call_later(0.05, receiver.bus.rejoin)
    await eventually(lambda: receiver.received)
    assert asyncio.get_running_loop().time() - began >= 0.09
    assert receiver.numbers == list(range(5))
    assert sender.layer.calls == [
        ("send", channel),
        ("group_add", "g"),
        ("group_add", "h"),
        ("group_send", "g"),
    ]
    assert sender.received == []


async def test_a_single_failure_holds_nothing_up(
    station: MakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "HEARING_TIME", 1000.0)
    sender, receiver = station("sender"), station("receiver")
    await sender.listen("h")
    await receiver.listen("g")
    take, errors = sender.layer.group_send, iter([OSError()])

    async def fail_once(group: str, message: Any) -> None:
        for error in errors:
            raise error
        await take(group, message)

    monkeypatch.setattr(sender.layer, "group_send", fail_once)
    await soon(sender.bus.to_group("g", note(1)))
    await eventually(lambda: receiver.numbers == [1])


async def test_a_call_that_takes_too_long_is_made_again(
    pair: Pair, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layer may have taken the first one nevertheless: the second one is not handled."""
    monkeypatch.setattr(layer, "CALL_TIMEOUT", 0.05)
    sender, receiver, _ = pair
    take = sender.layer.group_send
    tries = []

    async def slow(group: str, message: Any) -> None:
        tries.append(group)
        await take(group, message)
        if len(tries) == 1:
            await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(sender.layer, "group_send", slow)
    sender.bus.to_group("g", note(1))
    await eventually(lambda: len(tries) == 2)
    sender.bus.to_group("g", note(2))
    await eventually(lambda: len(receiver.received) == 2)
    assert receiver.numbers == [1, 2]
    assert receiver.lost == []
    assert counted("duplicate") == 1


async def test_what_waits_is_bounded(
    station: MakeStation, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    sender, receiver = station("sender", max_buffer=10_000), station("receiver")
    sender.bus.start()
    await receiver.listen("g", "h")
    sender.bus.to_group("g", note(0))
    await eventually(lambda: receiver.numbers == [0])
    sender.layer.error = OSError()
    groups = ["g", "h"]
    for number in range(1, 101):
        taken = sender.bus.to_group(groups[number % 2], note(number), size=900)
        if number % 10 == 0:
            await asyncio.sleep(0)
    assert sender.bus._outbox.size <= 10_000
    dropped = counted("dropped")
    assert 85 <= dropped <= 91
    sender.layer.error = None
    await soon(taken)
    await eventually(lambda: receiver.numbers[-1] == 100)
    # The first one was on its way when the others were dropped, or it is dropped with them.
    assert receiver.numbers[-9:] == list(range(92, 101))
    assert len(receiver.numbers) == 101 - dropped
    assert counted("lost") == dropped
    assert {group for _, group in receiver.lost} <= {"g", "h"}
    told = [record for record in caplog.records if "too slow or down" in record.getMessage()]
    assert len(told) == 1
    assert sender.bus._outbox.size == 0


async def test_one_message_waits_whatever_its_size(station: MakeStation) -> None:
    sender, receiver = station("sender", max_buffer=1000), station("receiver")
    sender.bus.start()
    await receiver.listen("g")
    await soon(sender.bus.to_group("g", note(1), size=1_000_000))
    await eventually(lambda: receiver.numbers == [1])


async def test_a_full_channel_costs_that_message_only(
    pair: Pair,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sender, receiver, channel = pair
    await soon(sender.bus.to_channel(channel, note(0)))
    sender.layer.error = ChannelFull()
    for number in range(1, 4):
        await soon(sender.bus.to_channel(channel, note(number)))
    sender.layer.error = None
    assert sender.bus.up
    assert counted("full") == 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "raise its capacity" in caplog.text
    sender.bus.to_channel(channel, note(4))
    await eventually(lambda: receiver.numbers == [0, 4])
    assert counted("lost") == 3
    assert receiver.lost == [("sender", "")]


@pytest.mark.parametrize("value", ["\ud800", 1 << 70, object()])
async def test_what_the_layer_cannot_carry_holds_up_nobody(
    pair: Pair, counted: Counted, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    sender, receiver, _ = pair
    await soon(sender.bus.to_group("g", note(0)))
    await soon(sender.bus.to_group("g", [8, value, 0, 0]))
    await soon(sender.bus.to_group("g", note(1)))
    await eventually(lambda: receiver.numbers == [0, 1])
    assert sender.bus.up
    assert counted("failed") == 0
    assert counted("lost") == 1
    assert "cannot carry" in caplog.text


async def test_congestion(pair: Pair) -> None:
    """What may be dropped, volatile events, asks this."""
    sender, _, channel = pair
    sender.layer.open.clear()
    for number in range(outbox.CONGESTED):
        assert not sender.bus.congested
        sender.bus.to_group("g" if number % 2 else "h", note(number))
    await asyncio.sleep(0)
    sender.bus.to_channel(channel, note(0))
    sender.bus.to_group("h", note(0))
    assert sender.bus.congested
    sender.layer.open.set()
    await eventually(lambda: not sender.bus.congested)


async def test_stopping_sends_what_is_on_its_way(pair: Pair) -> None:
    sender, receiver, channel = pair
    sender.layer.open.clear()
    sender.bus.to_group("g", note(1))
    await asyncio.sleep(0.01)  # the layer has been called, and takes its time
    sender.bus.to_channel(channel, note(2))
    asyncio.get_running_loop().call_later(0.02, sender.layer.open.set)
    await sender.bus.stop(20)
    await eventually(lambda: receiver.numbers == [1, 2])


async def test_stopping_does_not_wait_for_a_layer_that_is_down(pair: Pair) -> None:
    sender, _, _ = pair
    sender.layer.error = OSError()
    sender.bus.to_group("g", note(1))
    await eventually(lambda: not sender.bus.up)
    await asyncio.wait_for(sender.bus.stop(1000), 20)


async def test_stopping_waits_only_so_long(pair: Pair) -> None:
    sender, _, _ = pair
    sender.layer.open.clear()
    sender.bus.to_group("g", note(1))
    await asyncio.wait_for(sender.bus.stop(0.01), 20)
