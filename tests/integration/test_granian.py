"""A third server, on which every ``send`` has to wait: the tests of the others again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.servers import Server, Servers

# ruff: noqa: F401
from tests.integration.test_js_acks import (
    test_acks,
    test_binary_acks,
    test_calls,
    test_handlers_use_the_database,
)
from tests.integration.test_js_basics import test_auth, test_introduction, test_transport
from tests.integration.test_js_closing import (
    test_the_client_disconnects,
    test_the_server_disconnects,
)
from tests.integration.test_js_rooms import test_broadcast, test_rooms
from tests.integration.test_js_upgrade import test_a_thousand_messages_each_way

pytestmark = pytest.mark.node


@pytest.fixture(scope="module", params=["granian"])
def server(servers: Servers) -> Iterator[Server]:
    """The test project on granian."""
    server = servers.start("granian")
    yield server
    server.stop()


@pytest.fixture
def client() -> str:
    return "4"
