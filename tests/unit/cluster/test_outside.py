"""``io`` in a process that serves nobody, where the channel layer is none, or down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import override_settings

from django_socketio import io, process
from django_socketio.server import hubs, outside

LAYER = "channels_redis.pubsub.RedisPubSubChannelLayer"
IN_MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture(autouse=True)
def outside_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a script: no application, no hub, and not Django's test environment."""
    monkeypatch.setattr(process, "serving", False)
    monkeypatch.setattr(hubs, "_hubs", [])
    monkeypatch.setattr(outside, "_outside", None)
    monkeypatch.setattr(outside, "_warned", False)
    monkeypatch.setattr(outside, "EXIT_TIMEOUT", 0.1)
    monkeypatch.delattr(mail, "outbox", raising=False)
    yield
    if outside._outside is not None:
        outside._outside.end()


@pytest.mark.parametrize("layers", [{}, IN_MEMORY], ids=["none", "in memory"])
def test_a_layer_that_reaches_nobody(
    layers: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, with what to do about it."""
    with override_settings(CHANNEL_LAYERS=layers):
        for _ in range(3):
            io.emit("news", 1)
            io.to("room").disconnect_sockets()
            assert io.fetch_sockets() == []
            assert io.call("question") == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "CHANNEL_LAYERS" in caplog.text
    assert LAYER in caplog.text
    assert outside._outside is None


async def test_the_same_in_a_coroutine(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(CHANNEL_LAYERS={}):
        await io.emit("news", 1)
        io.emit("news", 2)
        assert await io.acall("question") == []
    assert len(caplog.records) == 1


@pytest.mark.parametrize("layers", [{}, IN_MEMORY], ids=["none", "in memory"])
def test_a_test_suite_is_not_bothered(
    layers: dict[str, object], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "outbox", [], raising=False)
    with override_settings(CHANNEL_LAYERS=layers):
        io.emit("news", 1)
        assert io.fetch_sockets() == []
    assert caplog.records == []


@pytest.fixture
def nowhere(unused_tcp_port: int) -> Iterator[None]:
    """A layer on a Redis server that is not there."""
    config = {"hosts": [f"redis://127.0.0.1:{unused_tcp_port}"]}
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": LAYER, "CONFIG": config}}):
        yield


@pytest.mark.usefixtures("nowhere")
def test_a_layer_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "TAKE_TIMEOUT", 0.3)
    with pytest.raises(ConnectionError, match="the channel layer is down"):
        io.emit("news", 1)


@pytest.mark.usefixtures("nowhere")
async def test_a_coroutine_is_not_held_up() -> None:
    """Whoever wants to wait awaits."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    awaitable = io.emit("news", 1)
    assert loop.time() - start < 5
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.ensure_future(_until(awaitable)), 0.2)


async def _until(awaitable: object) -> None:
    await awaitable  # type: ignore[misc]
