"""Limits hold for those who were not admitted yet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.stats import counters
from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer

from .inprocess import opened, registered

LIMITS = {
    "MAX_HTTP_BUFFER_SIZE": 10_000,
    "MAX_ATTACHMENTS": 3,
    "MAX_ATTACHMENTS_SIZE": 20_000,
    "MAX_NESTING_DEPTH": 5,
    "MAX_EVENT_NAME_LENGTH": 20,
    "MAX_NAMESPACES": 3,
}


class Gated(SocketIOConsumer):
    """Never makes up its mind."""

    async def connect(self, auth: Any) -> None:
        await asyncio.Event().wait()

    @event
    async def told(self, *args: Any) -> None:
        raise AssertionError("it is not connected")


def event_with(count: int) -> str:
    placeholders = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(count))
    return f'45{count}-["told",{placeholders}]'


FRAMES: dict[str, list[str | bytes]] = {
    "a large message": ["4" + "x" * 10_000],
    "large auth": ['40/b,{"token":"' + "x" * 10_000 + '"}'],
    "a large attachment": [b"x" * 10_001],
    "attachments": [event_with(2)],
    "many attachments": [event_with(4)],
    "heavy attachments": [event_with(3), b"x" * 9000, b"x" * 9000, b"x" * 9000],
    "deep auth": ['40/b,{"a":[[[[[[[]]]]]]]}'],
    "a long name": ['42["' + "x" * 21 + '"]'],
    "an event": ['42["told"]'],
    "namespaces": ["40/b,", "40/c,", "40/d,"],
    "the same namespace": ["40"],
}


@pytest.mark.parametrize("case", FRAMES)
async def test_ghsa_55mf_67qm_4wpg_before_authentication(settings: Any, case: str) -> None:
    settings.SOCKETIO = LIMITS
    closed = counters.violations.total() + counters.limits.total()
    with (
        registered(Gated),
        registered(Gated, "/b"),
        registered(Gated, "/c"),
        registered(Gated, "/d"),
    ):
        wire = await opened()
        client = wire.client
        await wire.send("40")
        await wire.send(*FRAMES[case])
        assert await wire.rest() == []
        assert client._decoder.pending is None
        assert client.session.close_reason in ("parse error", "transport error")
        assert counters.violations.total() + counters.limits.total() == closed + 1


async def test_ghsa_55mf_67qm_4wpg_before_authentication_no_attachment_is_waited_for() -> None:
    """The text alone is one too many."""
    with registered(Gated):
        wire = await opened()
        await wire.send("40", event_with(2))
        assert await wire.rest() == []


async def test_ghsa_55mf_67qm_4wpg_before_authentication_one_connect_at_a_time(
    settings: Any,
) -> None:
    """Leaving a namespace that has not admitted yet does not make room for another try."""
    settings.SOCKETIO = LIMITS
    running = 0

    class Slow(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            nonlocal running
            running += 1
            await asyncio.Event().wait()

    with registered(Slow):
        wire = await opened()
        for _ in range(100):
            await wire.send("40", "41")
        await wire.rest()
        assert running <= LIMITS["MAX_NAMESPACES"]


def test_ghsa_55mf_67qm_4wpg_before_authentication_on_a_server(
    server: Server, bystander: Peer
) -> None:
    """A client that may not enter at all cannot make the server keep its bytes either."""
    peer = open_peer(server)
    peer.send("40/members,")
    assert peer.next() == '44/members,{"message":"Login required"}'
    with server.counting("violations", "attachments for a namespace that is not connected"):
        peer.send('451-/members,["told",{"_placeholder":true,"num":0}]')
        peer.close_code()
    assert server.reason(peer.sid) == "parse error"
