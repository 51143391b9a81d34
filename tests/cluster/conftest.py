from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.cluster.members import Member
from tests.harness.cluster import Cluster
from tests.harness.servers import Server

Join = Callable[..., Awaitable[Member]]


@pytest.fixture
async def member() -> AsyncIterator[Join]:
    """Connects a client to a worker and has it join rooms."""
    members: list[Member] = []

    async def connect(worker: Server, *rooms: str, cookie: str = "", **options: Any) -> Member:
        one = Member(worker)
        members.append(one)
        await one.connect(headers={"Cookie": cookie} if cookie else {}, **options)
        if rooms:
            await one.join(*rooms)
        return one

    yield connect
    await asyncio.gather(*(one.client.shutdown() for one in members))


class ManyAsOne(Server):
    """A cluster for tests that were written for one server: all they do goes through the proxy."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    @property
    def url(self) -> str:
        return self.cluster.url

    def journal(self, sid: str, *kinds: str) -> list[dict[str, Any]]:
        return [entry for one in self.cluster.workers for entry in one.journal(sid, *kinds)]

    def queries(self) -> int:
        return sum(worker.queries() for worker in self.cluster.workers)


@pytest.fixture
def server(cluster: Cluster) -> Server:
    """In place of the single server: three workers on each layer, behind the proxy."""
    return ManyAsOne(cluster)


@pytest.fixture(params=["4"], ids="js{}".format)
def client(request: pytest.FixtureRequest) -> str:
    """The current JavaScript client; nothing here depends on its version."""
    return str(request.param)
