from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from django_socketio.cluster import layer
from django_socketio.stats import counters
from tests.unit.cluster.layers import Exchange, Station

MakeStation = Callable[..., Station]


@pytest.fixture
async def station(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeStation]:
    """Makes buses that share an exchange; they are stopped in the end. Tries follow quickly."""
    monkeypatch.setattr(layer, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(layer, "LONGEST_DELAY", 0.002)
    exchange = Exchange()
    made: list[Station] = []

    def make(node: str, **options: Any) -> Station:
        made.append(Station(exchange, node, **options))
        return made[-1]

    yield make
    for one in made:
        await one.bus.stop(0)


@pytest.fixture
def counted() -> Callable[[str], int]:
    """How often something has been counted on the layer since the test began."""
    before = dict(counters.layer)
    return lambda key: counters.layer[key] - before.get(key, 0)
