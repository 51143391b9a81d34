"""Messages that the layer has lost are sent once more, when their receiver asks for them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from channels.exceptions import ChannelFull

from django_socketio.cluster import mending
from django_socketio.cluster.messages import CARRIED, EVERYONE, PRIVATE, Kind, pack
from django_socketio.cluster.sequence import Numbers
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.conftest import MakeStation
from tests.unit.cluster.layers import Station, note, signed, unsigned

Counted = Callable[[str], int]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "TICK", 0.01)


async def meet(*stations: Station) -> None:
    """Each has said where it stands, and all have heard it since."""
    for _ in range(2):
        for station in stations:
            station.bus.mending.say_where_we_stand()
            await soon(station.bus._outbox.sent.all())
    for station in stations:
        await eventually(partial(knows, station, len(stations) - 1))


def knows(station: Station, number: int) -> bool:
    """Whether so many others have said where they stand."""
    return (
        sum(bool(heard.channel) for heard in station.bus.mending.receiver._senders.values())
        == number
    )


@pytest.fixture
async def pair(station: MakeStation) -> tuple[Station, Station]:
    sender, receiver = station("sender"), station("receiver")
    await sender.listen(EVERYONE)
    await receiver.listen(EVERYONE, "g")
    await meet(sender, receiver)
    return sender, receiver


Pair = tuple[Station, Station]


def holds(channel: str, message: Any, *numbers: int) -> bool:
    operations = unsigned(message, channel)["o"]
    return any(item[0] == 8 and item[1] in numbers for item in operations)


async def test_a_gap_heals(pair: Pair, counted: Counted) -> None:
    sender, receiver = pair
    await soon(sender.bus.to_group("g", note(1)))
    sender.layer.loses = lambda channel, message: holds(channel, message, 2, 3)
    await soon(sender.bus.to_group("g", note(2)))
    await soon(sender.bus.to_group("g", note(3)))
    sender.layer.loses = lambda channel, message: False
    await soon(sender.bus.to_group("g", note(4)))
    await eventually(lambda: receiver.numbers == [1, 2, 3, 4])
    assert receiver.lost == []
    assert counted("lost") == 0
    assert counted("sent again") == 2


@pytest.mark.parametrize("group", ["g", "", CARRIED])
async def test_a_loss_at_the_end(pair: Pair, group: str) -> None:
    sender, receiver = pair
    sender.layer.loses = lambda channel, message: holds(channel, message, 1)
    if group in PRIVATE:
        await soon(sender.bus.to_channel(receiver.bus.channel or "", note(1), group=group))
    else:
        await soon(sender.bus.to_group(group, note(1)))
    sender.layer.loses = lambda channel, message: False
    sender.bus.mending.say_where_we_stand()
    await eventually(lambda: receiver.numbers == [1])
    assert receiver.lost == []


async def test_what_was_dropped_before_it_was_sent(station: MakeStation, counted: Counted) -> None:
    """As much of it as is kept: the newest."""
    sender, receiver = station("sender", max_buffer=3000, max_kept=20_000), station("receiver")
    await sender.listen(EVERYONE)
    await receiver.listen(EVERYONE, "g", "h")
    await meet(sender, receiver)
    await soon(sender.bus.to_group("h", note(-1)))
    await soon(sender.bus.to_group("g", note(0)))
    sender.layer.open.clear()
    for number in range(1, 31):
        sender.bus.to_group("gh"[number % 2], note(number), size=400)
    sender.layer.open.set()
    await eventually(
        lambda: receiver.numbers[-1:] == [30] and not receiver.bus.mending.receiver.healing
    )
    assert counted("dropped") > 20
    assert 0 < counted("lost") < counted("dropped")
    assert receiver.numbers == sorted(set(receiver.numbers))
    assert len(receiver.numbers) + counted("lost") == 32


async def test_what_the_layer_cannot_carry_is_lost_at_once(pair: Pair, counted: Counted) -> None:
    """Nobody waits for it."""
    sender, receiver = pair
    await soon(sender.bus.to_group("g", note(1)))
    await soon(sender.bus.to_group("g", [8, "\ud800", 0, 0]))
    await soon(sender.bus.to_group("g", note(2)))
    await eventually(lambda: receiver.numbers == [1, 2])
    assert (counted("lost"), counted("malformed")) == (1, 1)


async def test_a_full_channel_is_asked_for_again(pair: Pair, counted: Counted) -> None:
    """What is sent again finds no room at first."""
    sender, receiver = pair
    await soon(sender.bus.to_group("g", note(0)))
    sender.layer.loses = lambda channel, message: unsigned(message, channel)["g"] == "g"
    for number in range(1, 6):
        await soon(sender.bus.to_group("g", note(number)))
    sender.layer.loses = lambda channel, message: False
    send, full = sender.layer.send, iter(range(12))

    async def refuse(channel: str, message: Any) -> None:
        for _ in full:
            raise ChannelFull
        await send(channel, message)

    sender.layer.send = refuse  # type: ignore[method-assign]
    await soon(sender.bus.to_group("g", note(6)))
    await eventually(lambda: receiver.numbers == list(range(7)))
    assert counted("lost") == 0


async def test_a_process_that_is_gone_is_given_up(station: MakeStation, counted: Counted) -> None:
    sender, receiver = station("sender"), station("receiver", patience=0.3)
    await sender.listen(EVERYONE)
    channel = await receiver.listen(EVERYONE, "g")
    await meet(sender, receiver)
    await soon(sender.bus.to_channel(channel, note(0)))
    sender.layer.loses = lambda channel, message: holds(channel, message, 1)
    await soon(sender.bus.to_channel(channel, note(1)))
    sender.layer.open.clear()
    ahead = pack("sender", "", Numbers(1, 3, 1000, 999, ""), [note(2)])
    receiver.layer.exchange.put(channel, signed(ahead, channel))
    await eventually(lambda: receiver.numbers == [0, 2])
    assert counted("lost") == 1
    assert receiver.lost == [("sender", "")]


async def test_what_is_asked_must_make_sense(pair: Pair) -> None:
    """What another process was sent is for nobody else."""
    sender, receiver = pair
    await soon(sender.bus.to_channel("channel of a third one", note(1)))
    position = sender.bus._outbox.position
    question = [Kind.AGAIN, receiver.bus.channel, 0, [["", 0, position]]]
    await soon(receiver.bus.to_channel(sender.bus.channel or "", question))
    await soon(sender.bus.to_channel(receiver.bus.channel or "", note(2)))
    await eventually(lambda: receiver.numbers == [2])


@pytest.mark.parametrize("seed", range(5))
async def test_three_processes_on_a_layer_that_loses_every_tenth(
    station: MakeStation, seed: int, counted: Counted
) -> None:
    chance = random.Random(seed)
    stations = [station(name) for name in "abc"]
    for one in stations:
        await one.listen(EVERYONE, "g")
    await meet(*stations)
    for one in stations:
        one.layer.loses = lambda channel, message: chance.random() < 0.1
    for number in range(200):
        sent = [one.bus.to_group("g", note(number)) for one in stations]
        for milestone in sent:
            await soon(milestone)
    for one in stations:
        one.layer.loses = lambda channel, message: False
        one.bus.mending.say_where_we_stand()
    expected = {one.bus.node: list(range(200)) for one in stations}

    def heard(one: Station) -> dict[str, list[int]]:
        return {
            name: [item[1] for sender, item in one.received if sender == name] for name in expected
        }

    for one in stations:
        others = {**expected, one.bus.node: []}
        await eventually(lambda one=one, others=others: heard(one) == others)  # type: ignore[misc]
    assert counted("lost") == 0


@pytest.mark.parametrize(
    "junk", [1, None, "g", [], ["g"], ["g", "1"], [["g"], 1], ["g", 1, None], ["g", 1, 2, 3]]
)
async def test_positions_of_another_form(pair: Pair, junk: Any) -> None:
    """Who says such a thing is not asked, and gets no answer."""
    sender, receiver = pair
    said, again = receiver.bus.mending.handlers[Kind.SAID], sender.bus.mending.handlers[Kind.AGAIN]
    with pytest.raises(ValueError, match="form"):
        said("sender", "channel", True, 0, 9, [["g", 1], junk], [])
    with pytest.raises(ValueError, match="form"):
        said("sender", "channel", True, 0, 9, [], [["g", 1], junk])
    with pytest.raises(ValueError, match="form"):
        again("receiver", "channel", 0, [["g", 0, 1], junk])
    assert receiver.bus.mending.receiver.healing == {}
