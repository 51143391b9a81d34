"""A moment of ``make chaos``: everything breaks but the processes, and nobody misses anything."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.run import Plan, run
from tests.harness.cluster import LAYERS

pytestmark = pytest.mark.redis


@pytest.mark.parametrize("layer", LAYERS)
def test_chaos(layer: str) -> None:
    plan = Plan(layer=layer, seed=5, deliveries=6000, clients=9, rate=50.0)
    result = asyncio.run(run(plan))
    assert result.verdict.right, (str(result.verdict), result.layer, result.logs)
    assert result.verdict.deliveries >= plan.deliveries
    assert result.layer["lost"] == 0
