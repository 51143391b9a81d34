"""What another process on the layer calls itself is checked before it is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from channels.layers import InMemoryChannelLayer

from django_socketio.addressing.target import Target
from django_socketio.cluster.bus import Bus
from django_socketio.cluster.cluster import Cluster
from django_socketio.cluster.messages import EVERYONE, Kind
from django_socketio.conf import get_settings
from django_socketio.server.hub import Hub
from django_socketio.stats import counters
from tests.harness.waiting import eventually

EVIL = "a\r\nERROR root forged\x1b[2J\x00\u2028\u202e" + "x" * 10_000


@pytest.fixture
async def network() -> AsyncIterator[Cluster]:
    """A process that soon takes a silent one for dead."""
    settings = replace(get_settings(), heartbeat_interval=0.05, heartbeat_timeout=0.2)
    layer = InMemoryChannelLayer(10**6)
    network = Hub(asyncio.get_running_loop(), settings, layer).others
    assert isinstance(network, Cluster)
    yield network
    await network.stop()


async def speak(network: Cluster, name: str) -> None:
    """What a process says that others have something to log about."""
    stranger = Bus(
        network.bus._layer._backend, name, lambda *a: None, lambda *a: None, 10**6, 0, 1.0
    )
    stranger.start()
    await network.membership.settled()
    await stranger.to_group(EVERYONE, [Kind.HELLO, "channel", 0.01, False])
    await stranger.to_group(EVERYONE, [Kind.ACT, 0, "/", [[]], [], "join", []])
    await stranger.stop()


async def test_log_injection_by_a_process_s_name(
    network: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    malformed = counters.layer["malformed"]
    await speak(network, EVIL)
    await eventually(lambda: counters.layer["malformed"] == malformed + 2)
    assert len(network.peers) == 0
    assert "forged" not in caplog.text


async def test_what_is_logged_of_another_process(
    network: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("django_socketio.cluster.questions.FETCH_TIMEOUT", 0.1)
    name = "x" * 32
    await speak(network, name)
    await eventually(lambda: name in network.peers)
    _, missing = await network.fetch(Target("/"))
    assert missing == {name}
    await eventually(lambda: name not in network.peers)

    logged = [record.getMessage() for record in caplog.records]
    for words in ("has joined", "carried out", "no answer from", "taken for dead"):
        assert any(words in line for line in logged), (words, logged)
