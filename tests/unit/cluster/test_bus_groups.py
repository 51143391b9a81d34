"""The bus and its groups: joined and left with as few calls as possible."""

from __future__ import annotations

import asyncio

import pytest

from django_socketio.cluster import joining
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.conftest import MakeStation
from tests.unit.cluster.layers import note


async def test_joining_is_awaited_until_the_layer_has_done_it(station: MakeStation) -> None:
    one = station("one")
    await one.listen()
    one.layer.open.clear()
    joined = one.bus.join("g")
    await asyncio.sleep(0.01)
    assert not joined.done
    one.layer.open.set()
    await soon(joined)
    assert one.layer.names("g") == ["group_add"]


async def test_what_cancels_out_in_one_turn_costs_nothing(station: MakeStation) -> None:
    one = station("one")
    await one.listen("there")
    for _ in range(3):
        one.bus.join("g")
        one.bus.leave("g")
        one.bus.leave("there")
        one.bus.join("there")
    await soon(one.bus.join("h"))
    assert one.layer.names("g") == []
    assert one.layer.names("there") == ["group_add"]
    assert one.layer.names("h") == ["group_add"]


async def test_to_join_twice_is_one_call(station: MakeStation) -> None:
    one = station("one")
    await one.listen()
    one.bus.join("g")
    await soon(one.bus.join("g"))
    await soon(one.bus.join("g"))
    assert one.layer.names("g") == ["group_add"]


async def test_leaving(station: MakeStation) -> None:
    one, other = station("one"), station("other")
    await one.listen("g")
    other.bus.start()
    await soon(one.bus.leave("g"))
    await soon(one.bus.leave("never joined"))
    await soon(other.bus.to_group("g", note(1)))
    assert one.layer.names("g") == ["group_add", "group_discard"]
    assert one.layer.names("never joined") == []
    assert one.received == []


async def test_a_group_that_is_left_while_it_is_joined(station: MakeStation) -> None:
    one = station("one")
    await one.listen()
    one.layer.open.clear()
    one.bus.join("g")
    await asyncio.sleep(0.01)  # the layer has been called
    left = one.bus.leave("g")
    one.layer.open.set()
    await soon(left)
    assert one.layer.names("g") == ["group_add", "group_discard"]
    assert one.layer.exchange.groups["g"] == set()


async def test_many_groups_are_joined_at_the_same_time(station: MakeStation) -> None:
    one = station("one")
    await one.listen()
    one.layer.open.clear()
    waiting = 0
    call = one.layer._call

    async def count(name: str, what: str) -> None:
        nonlocal waiting
        waiting += 1
        await call(name, what)

    one.layer._call = count  # type: ignore[method-assign]
    joined = [one.bus.join(str(number)) for number in range(2 * joining.JOINS_AT_ONCE)]
    await eventually(lambda: waiting)
    assert waiting == joining.JOINS_AT_ONCE
    one.layer.open.set()
    await soon(joined[-1])
    assert len(one.layer.calls) == 1 + 2 * joining.JOINS_AT_ONCE


async def test_joining_is_tried_again(station: MakeStation) -> None:
    one = station("one")
    await one.listen()
    one.layer.error = OSError()
    joined = one.bus.join("g")
    await eventually(lambda: one.layer.failed >= 3)
    assert not joined.done
    one.layer.error = None
    await soon(joined)
    assert one.layer.names("g") == ["group_add"]


async def test_joining_everything_again(station: MakeStation) -> None:
    """A layer that was flushed knows of no group."""
    one, other = station("one"), station("other")
    await one.listen("g", "h", "left")
    other.bus.start()
    await soon(one.bus.leave("left"))
    one.layer.exchange.groups.clear()
    one.bus.rejoin()
    await soon(one.bus.join("later"))
    assert one.layer.exchange.groups.keys() == {"g", "h", "later"}
    other.bus.to_group("g", note(1))
    other.bus.to_group("left", note(2))
    other.bus.to_group("h", note(3))
    await eventually(lambda: len(one.received) == 2)
    assert one.numbers == [1, 3]


async def test_what_was_sent_while_away_is_no_loss(station: MakeStation) -> None:
    one, other = station("one"), station("other")
    channel = await one.listen("g")
    other.bus.start()
    await soon(other.bus.to_group("g", note(1)))
    await eventually(lambda: one.numbers == [1])
    await soon(one.bus.leave("g"))
    for number in range(2, 6):
        await soon(other.bus.to_group("g", note(number)))
    await soon(one.bus.join("g"))
    await soon(other.bus.to_group("g", note(6)))
    await eventually(lambda: one.numbers == [1, 6])
    assert one.lost == []
    assert channel == one.bus.channel


@pytest.mark.parametrize("again", [False, True])
async def test_what_arrives_after_leaving_is_not_handled(station: MakeStation, again: bool) -> None:
    """It was on its way; when the group is joined again, its number is no reason to see a gap."""
    one, other = station("one"), station("other")
    await one.listen("g")
    await other.listen()
    await soon(other.bus.to_group("g", note(1)))
    await eventually(lambda: one.numbers == [1])
    one.bus.leave("g")
    await soon(other.bus.to_group("g", note(2)))
    if again:
        await soon(one.bus.leave("g"))
        await soon(other.bus.to_group("g", note(3)))
        await soon(other.bus.to_group("g", note(4)))
        await soon(one.bus.join("g"))
        await soon(other.bus.to_group("g", note(5)))
        await eventually(lambda: one.numbers == [1, 5])
    await soon(other.bus.to_channel(one.bus.channel or "", note(6)))
    await eventually(lambda: one.numbers[-1] == 6)
    assert one.numbers == ([1, 5, 6] if again else [1, 6])
    assert one.lost == []
