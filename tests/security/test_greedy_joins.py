"""A client that joins rooms without end makes nobody else wait for the channel layer."""

from __future__ import annotations

from django_socketio.cluster.joining import JOINS_AT_ONCE
from tests.harness.waiting import soon
from tests.unit.cluster.layers import Exchange, Station

ROOMS = 5000


async def test_greedy_joins() -> None:
    station = Station(Exchange(), "one")
    await station.listen()
    try:
        station.layer.open.clear()  # the layer is slow, and joins pile up
        for number in range(ROOMS):
            last = station.bus.join(f"room {number}", "the greedy one's sid")
        modest = station.bus.join("the room of a user", "another one's sid")
        calls = len(station.layer.calls)
        station.layer.open.set()
        await soon(modest)
        assert len(station.layer.calls) - calls <= 2 * JOINS_AT_ONCE
        assert not last.done
        await soon(last)
    finally:
        await station.bus.stop()
