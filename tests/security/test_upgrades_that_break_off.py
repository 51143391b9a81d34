"""A WebSocket that breaks off while it wants to take over leaves the polling session as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from django_socketio import SocketIOConsumer
from django_socketio.sockets.client import Client
from django_socketio.transports import polling
from tests.harness.inprocess import Message, start
from tests.harness.protocol import WEBSOCKET
from tests.harness.waiting import DEADLINE

from .inprocess import Wire, client_of, exchange, handshake, of_session, registered


@pytest.fixture(autouse=True)
def consumer() -> Iterator[None]:
    with registered(SocketIOConsumer):
        yield


class Prober(Wire):
    """A WebSocket that wants to take over, whose connection is gone when it is sent ``fails``."""

    def __init__(self, sid: str, fails: str = "") -> None:
        super().__init__(f"{WEBSOCKET}&sid={sid}")
        self.fails = fails

    async def _send(self, message: Message) -> None:
        self.broken = self.broken or message["type"] == self.fails
        await super()._send(message)


async def polling_session() -> tuple[str, Client]:
    sid = await handshake()
    client = client_of(sid)
    assert client is not None
    return sid, client


async def is_as_it_was(sid: str, client: Client) -> None:
    """The session polls on, waits in its polls, and may upgrade."""
    session = client.session
    assert (session.state, session.transport) == ("open", "polling")
    assert (session.upgrading, session.probed, client.prober) == (False, False, None)
    assert (await exchange(of_session(sid), "POST", pieces=[b"40"])).body == b"ok"
    assert (await exchange(of_session(sid))).packets[0].startswith("40{")
    poll = start(exchange(of_session(sid)))
    done, _ = await asyncio.wait({poll}, timeout=polling.PROBE_INTERVAL * 2)
    assert not done, "a poll returned as if a WebSocket probed"
    prober = Prober(sid)
    await prober.accept()
    await prober.send("2probe")
    assert await prober.receive() == "3probe"
    assert (await poll).packets == ["6"]
    await prober.send("5", "2")
    prober.id = sid
    await prober.leave()


@pytest.mark.parametrize("fails", ["websocket.accept", "websocket.send"])
async def test_an_upgrade_that_cannot_be_answered(fails: str) -> None:
    sid, client = await polling_session()
    prober = Prober(sid, fails)
    prober.put("connect")
    await prober.send("2probe")
    if fails == "websocket.send":
        assert (await prober.receive_message())["type"] == "websocket.accept"
        prober.put("disconnect", code=1006)
    await prober.ended()
    await is_as_it_was(sid, client)


async def test_an_upgrade_that_cannot_be_refused() -> None:
    sid, client = await polling_session()
    first = Prober(sid)
    await first.accept()
    second = Prober(sid, "websocket.close")
    second.put("connect")
    await second.ended()
    await first.drop()
    await is_as_it_was(sid, client)


@pytest.mark.parametrize("probes", [False, True])
async def test_a_prober_that_goes_away_is_forgotten(probes: bool) -> None:
    sid, client = await polling_session()
    prober = Prober(sid)
    await prober.accept()
    assert client.session.upgrading
    if probes:
        await prober.send("2probe")
        assert await asyncio.wait_for(prober.receive(), DEADLINE) == "3probe"
        assert client.session.probed
    await prober.drop(1006)
    await is_as_it_was(sid, client)
