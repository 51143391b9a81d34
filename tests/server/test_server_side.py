"""`server_side_*` where there is no other process: nobody hears, nobody answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation

from django_socketio import io, register
from django_socketio.signals import server_event
from tests.server.conftest import Connect
from tests.server.consumers import Base


async def test_ones_own_process_does_not_hear_it(connect: Connect) -> None:
    register()(Base)
    client = await connect()
    heard: list[Any] = []

    def receiver(**kwargs: Any) -> str:
        heard.append(kwargs)
        return "answer"

    server_event.connect(receiver)
    try:
        io.server_side_emit("reload", 1)
        await io.server_side_emit("reload", 2)
        assert await io.aserver_side_call("anybody?") == []
        assert await io.of("/chat").timeout(1).aserver_side_call("anybody?") == []
        assert await asyncio.to_thread(io.server_side_call, "anybody?") == []
    finally:
        server_event.disconnect(receiver)
    assert heard == []
    assert await client.arrived() == []


async def test_the_blocking_call_is_not_for_a_loops_thread() -> None:
    with pytest.raises(SynchronousOnlyOperation, match="aserver_side_call"):
        io.server_side_call("anybody?")
