"""There is an end to namespaces, rooms, unanswered acknowledgements and unfinished handshakes."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_socketio import SocketIOConsumer, event
from django_socketio.conf import get_settings
from django_socketio.server.hubs import current_hub
from django_socketio.sockets.clients import DISMISSED
from django_socketio.stats import counters
from tests.harness.waiting import eventually

from .inprocess import client_of, exchange, handshake, joined, of_session, opened, registered

CAPS = [
    "MAX_NAMESPACES",
    "MAX_ROOMS",
    "MAX_PENDING_ACKS",
    "MAX_PENDING_SESSIONS",
    "MAX_PENDING_SESSIONS_PER_ADDRESS",
    "MAX_HANDSHAKES_PER_ADDRESS",
    "MAX_REFUSALS",
    "MAX_REFUSALS_PER_ADDRESS",
    "MAX_PENDING_EVENTS",
    "MAX_PENDING_EVENTS_SIZE",
    "MAX_PENDING_EVENTS_TOTAL_SIZE",
    "MAX_JSON_VALUES",
    "MAX_AUTH_SIZE",
    "CONNECT_TIMEOUT",
]


class Flooded(SocketIOConsumer):
    @event
    async def enter(self, *rooms: str) -> int:
        self.join(*rooms)
        return len(self.rooms)

    @event(concurrent=True)
    async def ask(self, times: int) -> None:
        await asyncio.gather(*(self.acall("question") for _ in range(times)))


@pytest.mark.parametrize("key", CAPS)
def test_floods_are_capped_by_a_setting(settings: Any, key: str) -> None:
    settings.SOCKETIO = {key: 7}
    assert getattr(get_settings(), key.lower()) == 7
    settings.SOCKETIO = {key: 0}
    with pytest.raises(ImproperlyConfigured, match=key):
        get_settings()


async def test_floods_of_namespaces(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_NAMESPACES": 5}
    pattern = re.compile("/n[0-9]+")
    with registered(Flooded, pattern):
        wire = await opened()
        for number in range(5):
            await wire.enter(f"/n{number}")
        assert len(current_hub().local.namespaces) == 5
        await wire.send("40/n5,")
        assert await wire.rest() == []
        await wire.leave()
        assert current_hub().local.namespaces == {}


async def test_floods_of_namespaces_that_do_not_exist(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_REFUSALS": 2000, "MAX_REFUSALS_PER_ADDRESS": 2000}
    with registered(Flooded):
        wire = await joined()
        for number in range(2000):
            await wire.send(f"40/n{number},")
            assert (await wire.receive()).startswith(f"44/n{number},")
        assert set(current_hub().local.namespaces) == {"/"}
        assert set(wire.client.sockets) == {"/"}
        await wire.leave()


async def test_floods_of_rooms(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_ROOMS": 50}
    with registered(Flooded):
        wire = await joined()
        await wire.send("421" + json.dumps(["enter", *map(str, range(50))]))
        assert await wire.receive() == "431[51]"  # its own among them
        await wire.send('42["enter","one more"]')
        assert await wire.rest() == []
        await wire.leave()


async def test_floods_of_questions(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_PENDING_ACKS": 10}
    with registered(Flooded):
        wire = await joined()
        client = wire.client
        await wire.send('42["ask",10]')
        for _ in range(10):
            assert "question" in await wire.receive()
        assert client.pending_acks == 10
        await wire.send('42["ask",1]')
        assert await wire.rest() == []
        await wire.leave()
        assert client.pending_acks == 0


async def test_floods_of_handshakes(settings: Any) -> None:
    """The oldest give way; tests/security/test_lock_out.py shows to whom."""
    settings.SOCKETIO = {"MAX_PENDING_SESSIONS": 20, "CONNECT_TIMEOUT": 0.2}
    given_way = counters.limits[DISMISSED]
    timed_out = counters.limits["connect timeout"]
    with registered(Flooded):
        member = await joined()
        sids = [await handshake() for _ in range(30)]
        assert [client_of(sid) is None for sid in sids] == [True] * 10 + [False] * 20
        assert counters.limits[DISMISSED] == given_way + 10
        assert (await exchange(of_session(sids[0]))).json["message"] == "Session ID unknown"
        # Those who say nothing are sent away, and there is room again.
        await eventually(
            lambda: counters.limits["connect timeout"] >= timed_out + 20, "the handshakes to end"
        )
        assert current_hub().clients.pending == 0
        # Their last packet is kept for a poll for a while; their session is over.
        for sid in sids:
            client = client_of(sid)
            assert client is None or client.session.state == "closing"
        assert await handshake()
        await member.send('421["enter"]')
        assert await member.receive() == "431[1]"
        await member.leave()


async def test_floods_of_names_do_not_fill_the_counters() -> None:
    """What a client can name without end is not counted by its name."""

    class Failing(SocketIOConsumer):
        @event("*")
        async def fail(self, name: str) -> None:
            raise LookupError("on purpose")

    pattern = re.compile("/n[0-9]+")
    for counter in (counters.handler_errors, counters.refusals):
        counter.clear()  # of the names that other tests have made up
    tallies = [
        counters.handler_errors,
        counters.violations,
        counters.refusals,
        counters.events_refused,
    ]
    before = sum(counter.total() for counter in tallies)
    with registered(Failing, pattern):
        wire = await opened()
        for number in range(300):
            await wire.enter(f"/n{number}")
            await wire.send(f'42/n{number},["event {number}"]', f"41/n{number},")
        await wire.leave()
    assert sum(counter.total() for counter in tallies) == before + 300
    assert max(len(counter) for counter in tallies) <= 100
