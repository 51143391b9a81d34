"""A third server, on which every ``send`` has to wait: the tests of the others again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeServer
from tests.harness.servers import Server

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def server(_servers: MakeServer) -> Iterator[Server]:
    """The test project on granian."""
    server = _servers("granian")
    yield server
    server.stop()


@pytest.fixture
def client() -> str:
    return "4"
