"""``io`` in a process that serves nobody, where the channel layer is none, or down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory, override_settings

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
    monkeypatch.setattr(outside, "EXIT_TIMEOUT", 0.1)
    monkeypatch.delattr(mail, "outbox", raising=False)
    yield
    if outside._outside is not None:
        outside._outside.end()


@pytest.mark.parametrize("layers", [{}, IN_MEMORY], ids=["none", "in memory"])
@pytest.mark.parametrize(
    "use",
    [
        lambda: io.emit("news", 1),
        lambda: io.to("room").disconnect_sockets(),
        lambda: io.server_side_emit("event"),
        io.fetch_sockets,
        lambda: io.call("question"),
    ],
    ids=["emit", "disconnect_sockets", "server_side_emit", "fetch_sockets", "call"],
)
def test_a_layer_that_reaches_nobody(layers: dict[str, object], use: Callable[[], Any]) -> None:
    """The error says what to configure."""
    with override_settings(CHANNEL_LAYERS=layers), pytest.raises(ImproperlyConfigured) as error:
        use()
    assert "CHANNEL_LAYERS" in str(error.value)
    assert LAYER in str(error.value)
    assert outside._outside is None


async def test_the_same_in_a_coroutine() -> None:
    with override_settings(CHANNEL_LAYERS={}):
        with pytest.raises(ImproperlyConfigured):
            io.emit("news", 1)
        with pytest.raises(ImproperlyConfigured):
            await io.acall("question")


@pytest.fixture
def request_of_a_session(rf: RequestFactory, db: None) -> Any:
    request: Any = rf.get("/")
    request.session = SessionStore()
    request.session.create()
    request.user = AnonymousUser()
    return request


def test_logging_out_works_all_the_same(request_of_a_session: Any) -> None:
    """A site whose views run in processes of their own has no sockets there to close."""
    with override_settings(CHANNEL_LAYERS={}):
        logout(request_of_a_session)


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
def test_logging_out_while_the_layer_is_down(
    request_of_a_session: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outside, "TAKE_TIMEOUT", 0.3)
    logout(request_of_a_session)
    assert "may stay: the channel layer is down" in caplog.text


@pytest.mark.usefixtures("nowhere")
async def test_a_coroutine_is_not_held_up() -> None:
    """Whoever wants to wait awaits."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    awaitable = io.emit("news", 1)
    assert loop.time() - start < 5
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.ensure_future(awaitable), 0.2)
