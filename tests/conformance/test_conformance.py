"""Each scenario against the Node server and ours: the same is seen, but for known differences."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conformance.client import Side
from tests.conformance.differences import DIFFERENCES, STRICTER, expected
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.servers import NodeServers, our_side
from tests.conformance.shapes import Observed
from tests.harness.servers import Servers

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def reference() -> Iterator[NodeServers]:
    servers = NodeServers()
    yield servers
    servers.stop()


def names() -> list[Any]:
    """All scenarios. Those with short times would not hold beside others."""
    return [
        pytest.param(name, marks=pytest.mark.serial if scenario.profile == "quick" else ())
        for name, scenario in SCENARIOS.items()
    ]


@pytest.mark.parametrize("name", names())
def test_same_as_node(name: str, reference: NodeServers, servers: Servers) -> None:
    scenario = SCENARIOS[name]

    def run(side: Side) -> Observed:
        with side:
            return scenario.run(side)

    with ThreadPoolExecutor() as pool:
        node = pool.submit(run, reference.side(scenario.profile))
        our = pool.submit(run, our_side(servers, scenario.profile))
        assert our.result() == expected(name, node.result())


def test_every_difference_is_of_a_scenario() -> None:
    assert {*DIFFERENCES, *STRICTER} <= set(SCENARIOS)
