"""A flood of small events to a plain ``def`` handler costs few visits of threads (found here).

The way to a thread and back costs ten times what such an event costs otherwise: 1 MB of them took
2.3 s of CPU.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.runtime.pool import Pool
from django_socketio.sockets import visits
from tests.harness.waiting import DEADLINE, eventually

from .inprocess import exchange, handshake, joined, of_session, registered

pytestmark = pytest.mark.usefixtures("worker_threads")

EVENTS = 5000


class Plain(SocketIOConsumer):
    handled = 0

    @event
    def take(self, *args: Any) -> None:
        Plain.handled += 1

    @event
    def say(self, *args: Any) -> Any:
        Plain.handled += 1
        self.emit("said")
        return args

    @event
    def fail(self, *args: Any) -> None:
        Plain.handled += 1
        raise LookupError


async def on_a_websocket(packets: list[str]) -> None:
    wire = await joined()
    await wire.send(*packets)
    await until_handled()
    await wire.leave()


async def in_a_payload(packets: list[str]) -> None:
    sid = await handshake()
    for payload in ("40", "\x1e".join(packets)):
        answer = await exchange(of_session(sid), "POST", pieces=[payload.encode()])
        assert answer.body == b"ok"
    polls = asyncio.ensure_future(poll(sid))  # who reads no answers is not handled further
    await until_handled()
    polls.cancel()


async def poll(sid: str) -> None:
    while True:
        await exchange(of_session(sid))


async def until_handled() -> None:
    await eventually(lambda: Plain.handled == EVENTS, "the events to be handled")


@pytest.mark.parametrize("way", [on_a_websocket, in_a_payload])
@pytest.mark.parametrize("packet", ['42["take",1]', '42["fail"]', '421["say"]'])
async def test_a_flood_of_events_for_threads(
    monkeypatch: pytest.MonkeyPatch, way: Callable[[list[str]], Awaitable[None]], packet: str
) -> None:
    made = 0
    submit = Pool.submit

    def counting(self: Pool, *args: Any) -> Any:
        nonlocal made
        made += 1
        return submit(self, *args)

    monkeypatch.setattr(Pool, "submit", counting)
    # On a busy machine a visit may not get far in its own two milliseconds.
    monkeypatch.setattr(visits, "LONGEST", DEADLINE)
    Plain.handled = 0
    with registered(Plain):
        await way([packet] * EVENTS)
    assert made < EVENTS / 20
