"""A server as the official protocol suites want it: ours on daphne and uvicorn, and Node's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.client import Side
from tests.conformance.profiles import SUITE, SUITE_PING_INTERVAL, SUITE_PING_TIMEOUT
from tests.conformance.servers import NodeServers
from tests.harness.servers import SERVERS, SUITE_APP, Servers


@pytest.fixture(scope="module")
def suite_on_node() -> Iterator[Side]:
    servers = NodeServers({"suite": {"suite": True, **SUITE.node}})
    yield servers.side("suite")
    servers.stop()


@pytest.fixture
def until_ping_timeout(request: pytest.FixtureRequest) -> float:
    """Seconds after which a session that answers no ping is over."""
    exactly = SUITE_PING_INTERVAL + SUITE_PING_TIMEOUT
    # Node judges by two timers in turn, each of which may come a little late.
    return exactly + (0.2 if request.node.callspec.params["suite"] == "node" else 0)


@pytest.fixture(params=[*SERVERS, pytest.param("node", marks=pytest.mark.node)])
def suite(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Side]:
    """The server to which the suite's cases are put. What they open is closed behind them."""
    if request.param == "node":
        side: Side = request.getfixturevalue("suite_on_node")
    else:
        side = Side(servers.get(request.param, app=SUITE_APP, socketio=SUITE.ours).port)
    with side:
        yield side
