"""When a join holds, on layers that only ask for it when they are called."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from django_socketio.cluster import joining, kinds
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.conftest import MakeStation
from tests.unit.cluster.layers import Exchange, Layer, Station, note


class LateLayer(Layer):
    """A channel is in a group when :meth:`subscribe` is called."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.late: list[tuple[str, str]] = []

    async def group_add(self, group: str, channel: str) -> None:
        await self._call("group_add", group)
        self.late.append((group, channel))

    def subscribe(self) -> None:
        for group, channel in self.late:
            self.exchange.groups.setdefault(group, set()).add(channel)
        self.late.clear()


LateLayer.__module__ = "channels_redis.pubsub"


class Unknown(LateLayer):
    """A layer of which nothing is known."""


Unknown.__module__ = "somebody.layers"


def late(station: Station) -> LateLayer:
    """A station's layer."""
    assert isinstance(station.layer, LateLayer)
    return station.layer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "PAUSES", (0.01,) * 1000)


@pytest.mark.parametrize("kind", [LateLayer, Unknown])
async def test_a_join_holds_when_we_hear_ourselves(
    station: MakeStation, kind: type[LateLayer]
) -> None:
    one, other = station("one", layer=kind), station("other", layer=kind)
    await one.listen()
    await other.listen()
    joined = one.bus.join("g")
    await eventually(lambda: one.layer.names("g").count("group_send") > 2, "several tries")
    assert not joined.done
    late(one).subscribe()
    await soon(joined)
    await soon(other.bus.to_group("g", note(1)))
    await eventually(lambda: one.numbers == [1], "what was sent behind the join")


async def test_what_proves_a_join_is_nothing_to_others(station: MakeStation) -> None:
    one, other = station("one"), station("other", layer=LateLayer)
    await one.listen("g")
    await other.listen()
    joined = other.bus.join("g")
    await eventually(lambda: "group_send" in other.layer.names("g"), "a try")
    late(other).subscribe()
    await soon(joined)
    await soon(other.bus.to_group("g", note(1)))
    await eventually(lambda: one.numbers == [1], "the next message")
    assert one.lost == []


@pytest.mark.parametrize(("kind", "proofs"), [(LateLayer, 1), (Unknown, 20)])
async def test_what_many_joins_cost(
    station: MakeStation, kind: type[LateLayer], proofs: int
) -> None:
    """One message proves all joins that took the same connection."""
    one = station("one", layer=kind)
    await one.listen()
    joined = [one.bus.join(f"g{number}") for number in range(20)]
    await eventually(lambda: len(late(one).late) == 20, "all joins to be asked for")
    late(one).subscribe()
    await soon(joined[-1])
    sent = {group for name, group in one.layer.calls if name == "group_send"}
    assert len(sent) == proofs


@pytest.mark.parametrize(("hosts", "ordered"), [(None, True), (["one"], True), (["a", "b"], False)])
def test_several_servers_keep_no_order(hosts: list[str] | None, ordered: bool) -> None:
    assert kinds.joins_in_order(RedisPubSubChannelLayer(hosts=hosts)) is ordered


async def test_a_layer_that_never_brings_it(
    station: MakeStation, monkeypatch: pytest.MonkeyPatch, counted: Callable[[str], int]
) -> None:
    """The next joins go on; heartbeats show what is wrong."""
    monkeypatch.setattr(joining, "PAUSES", (0.01,))
    one = station("one", layer=LateLayer)
    await one.listen()
    await soon(one.bus.join("g"))
    await soon(one.bus.join("h"))
    assert counted("joined unheard") == 2
