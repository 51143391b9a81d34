"""Each scenario against the Node server and ours: the same is seen, but for known differences."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.client import Server
from tests.conformance.differences import DIFFERENCES, STRICTER, expected
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.servers import NodeServers, OurServers
from tests.conformance.shapes import Observed

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def reference() -> Iterator[NodeServers]:
    servers = NodeServers()
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def ours() -> Iterator[OurServers]:
    servers = OurServers()
    yield servers
    servers.stop()


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_as_node(name: str, reference: NodeServers, ours: OurServers) -> None:
    scenario = SCENARIOS[name]

    def run(server: Server) -> Observed:
        with server:
            return scenario.run(server)

    with ThreadPoolExecutor() as pool:
        node = pool.submit(run, reference.server(scenario.profile))
        our = pool.submit(run, ours.server(scenario.profile))
        assert our.result() == expected(name, node.result())


def test_every_difference_is_of_a_scenario() -> None:
    assert {*DIFFERENCES, *STRICTER} <= set(SCENARIOS)
