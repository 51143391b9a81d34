"""What is particular about single channel layers, shown with classes that stand for theirs."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from channels.exceptions import MessageTooLarge

from django_socketio.cluster import kinds, layer
from django_socketio.cluster.layer import Layer, Outcome
from django_socketio.stats import counters
from tests.harness.waiting import eventually


class Connecting:
    """Calls await one future until there is a connection, as in channels_rabbitmq."""

    def __init__(self) -> None:
        self.connection: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent: list[Any] = []

    async def send(self, channel: str, message: Any) -> None:
        await self.connection
        self.sent.append(message)


Connecting.__module__ = "channels_rabbitmq.core"


async def test_a_call_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "CALL_TIMEOUT", 0.01)
    backend = Connecting()
    sending = asyncio.ensure_future(Layer(backend).send("channel", {"n": 1}))
    failed = counters.layer["failed"]
    await eventually(lambda: counters.layer["failed"] > failed, "a call that takes too long")
    backend.connection.set_result(None)
    assert await sending is Outcome.TAKEN
    assert backend.sent


class Listening:
    """A task listens, and ends when the connection breaks, as in channels_postgres."""

    def __init__(self) -> None:
        self.listened = 0
        self.broken = asyncio.Event()

    async def listen_to_all_channels(self) -> None:
        self.listened += 1
        await self.broken.wait()


Listening.__module__ = "channels_postgres.core"


async def test_a_layer_listens_again_once() -> None:
    backend = Listening()
    tested = Layer(backend)
    for _ in range(3):
        tested.listen_again()
        await asyncio.sleep(0)
    assert backend.listened == 1
    backend.broken.set()
    await eventually(lambda: not kinds_running(backend), "the task to end")
    backend.broken.clear()
    tested.listen_again()
    await eventually(lambda: backend.listened == 2, "another task")
    tested.close()
    await eventually(lambda: not kinds_running(backend), "the task to end")


def kinds_running(backend: Listening) -> bool:
    """Whether a task listens, by what the layer itself would start."""
    if coroutine := kinds.listen_again(backend):
        coroutine.close()
        return False
    return True


async def test_other_layers_are_left_alone() -> None:
    assert kinds.listen_again(object()) is None
    assert not kinds.must_finish(object())


def test_a_forked_process_has_no_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(connection_pool="the parent's")
    monkeypatch.setitem(sys.modules, "channels_postgres.db", module)
    kinds.forget_connections()
    assert module.connection_pool is None


class Small:
    async def send(self, channel: str, message: Any) -> None:
        raise MessageTooLarge


async def test_what_is_too_large_is_refused() -> None:
    malformed = counters.layer["malformed"]
    assert await Layer(Small()).send("channel", {}) is Outcome.REFUSED
    assert counters.layer["malformed"] == malformed + 1
