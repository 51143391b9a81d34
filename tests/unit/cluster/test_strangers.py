"""Sessions of other processes where there is no layer that processes share."""

from __future__ import annotations

import asyncio

import pytest

from django_socketio.addressing.ids import new_id, new_node
from django_socketio.cluster import strangers
from django_socketio.cluster.alone import Alone
from django_socketio.cluster.strangers import ENOUGH, GRACE, WITHIN, Strangers
from django_socketio.conf import get_settings
from django_socketio.runtime.runtime import Runtime
from django_socketio.server.hub import Hub

NODE, OTHER = new_node(), new_node()


def test_sessions_of_another_process_betray_it_once() -> None:
    seen = Strangers(NODE, 100.0)
    late = 100.0 + GRACE
    told = [seen.betray_others(new_id(OTHER), late + second) for second in range(10)]
    assert told == [second == ENOUGH - 1 for second in range(10)]


def test_a_restart_betrays_nobody() -> None:
    """The clients of the process before come back at once."""
    seen = Strangers(NODE, 100.0)
    assert not any(seen.betray_others(new_id(OTHER), 100.0 + GRACE / 2) for _ in range(1000))


def test_a_few_stragglers_betray_nobody() -> None:
    """A laptop that slept comes with the session of a process that is long gone."""
    seen = Strangers(NODE, 0.0)
    times = [GRACE + number * WITHIN for number in range(20)]
    assert not any(seen.betray_others(new_id(OTHER), now) for now in times)


@pytest.mark.parametrize(
    "sid", [new_id(NODE), "", "nonsense", "x" * 29], ids=["own", "none", "nonsense", "long"]
)
def test_what_is_no_other_process_s_session_betrays_nobody(sid: str) -> None:
    seen = Strangers(NODE, 0.0)
    assert not any(seen.betray_others(sid, GRACE) for _ in range(10))


@pytest.mark.parametrize("wanted", ["1", "4"])
async def test_a_process_that_knows_of_others_says_so_when_it_starts(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", wanted)
    loop = asyncio.get_running_loop()
    Hub(loop, get_settings(), serves=False)
    assert caplog.records == []
    Hub(loop, get_settings())
    assert ("WEB_CONCURRENCY asks for 4 processes" in caplog.text) is (wanted == "4")
    assert len(caplog.records) == (wanted == "4")


async def test_the_log_says_it_once_with_the_cure(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "GRACE", 0.0)
    alone = Alone(NODE, Runtime(asyncio.get_running_loop(), get_settings()))
    for _ in range(100):
        alone.owner(new_id(OTHER))
    (record,) = caplog.records
    message = record.getMessage()
    assert record.levelname == "WARNING"
    for words in ("Session ID unknown", "CHANNEL_LAYERS", "channels_redis", "in-memory"):
        assert words in message
