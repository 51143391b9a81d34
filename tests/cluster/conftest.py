from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.cluster.members import Member
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
