"""The Python code of the documentation and of README.md runs, or says why it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from django_socketio.server.registry import registry
from django_socketio.testing import SocketIOCommunicator
from tests.docs.pages import blocks_of, find_pages, project, run_page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    """What a page registers is gone after it."""
    fixed, patterns = dict(registry._fixed), dict(registry._patterns)
    yield
    registry._fixed, registry._patterns = fixed, patterns


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    with project() as names:
        yield names


@pytest_asyncio.fixture
async def bystander(names: dict[str, Any]) -> AsyncIterator[SocketIOCommunicator]:
    """A client in the namespace "/", so that `io` finds a server in this process."""
    communicator = SocketIOCommunicator(names["application"])
    assert await communicator.connect(timeout=30)
    yield communicator
    await communicator.disconnect(timeout=30)


@pytest.mark.parametrize("page", find_pages())
async def test_the_code_of_a_page(
    page: str, names: dict[str, Any], bystander: SocketIOCommunicator
) -> None:
    assert blocks_of(page)
    await run_page(page, names)
