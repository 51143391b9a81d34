"""No connection keeps the event loop for itself, however much it has sent at once.

What a client sends in one segment is all there at once, so the server never waits for it. The tests
count how many of its messages are handled between two turns of another task.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from django_socketio import SocketIOConsumer, event
from django_socketio.runtime.turns import MESSAGE, TURN
from tests.harness.waiting import eventually

from .inprocess import client_of, exchange, handshake, joined, of_session, registered

MESSAGES = 2000
# Small messages that may be handled in one turn; some more where two coroutines share the work.
AT_ONCE = 2 * TURN // MESSAGE


class Counting(SocketIOConsumer):
    handled = 0
    gate: asyncio.Event

    @event
    async def quick(self) -> None:
        Counting.handled += 1

    @event(concurrent=True)
    async def overlapping(self) -> None:
        Counting.handled += 1

    @event
    async def wait(self) -> None:
        await Counting.gate.wait()


@asynccontextmanager
async def most_at_once(handled: Callable[[], int]) -> AsyncIterator[list[int]]:
    """A list with the most that was handled between two turns of another task in the block."""
    most = [0]

    async def watch() -> None:
        before = handled()
        while True:
            await asyncio.sleep(0)
            now = handled()
            most[0] = max(most[0], now - before)
            before = now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    try:
        yield most
    finally:
        watching.cancel()


async def until_handled(number: int) -> None:
    await eventually(lambda: Counting.handled == number, "the events to be handled", every=0)


async def test_hogged_loop_by_messages_on_a_websocket() -> None:
    Counting.handled = 0
    with registered(Counting):
        wire = await joined()
        async with most_at_once(lambda: Counting.handled) as most:
            await wire.send(*['42["quick"]'] * MESSAGES)
            await until_handled(MESSAGES)
        await wire.leave()
    assert 0 < most[0] <= AT_ONCE


async def test_hogged_loop_by_packets_that_are_no_events() -> None:
    with registered(Counting):
        wire = await joined()
        session = wire.client.session
        before = session.packets_in
        async with most_at_once(lambda: session.packets_in) as most:
            await wire.send(*["3"] * MESSAGES)
            await eventually(
                lambda: session.packets_in == before + MESSAGES, "the packets", every=0
            )
        await wire.leave()
    assert 0 < most[0] <= AT_ONCE


async def test_hogged_loop_by_events_that_have_waited() -> None:
    """Events behind a slow handler are handled in turns, too."""
    Counting.handled, Counting.gate = 0, asyncio.Event()
    with registered(Counting):
        wire = await joined()
        client = wire.client
        await wire.send('42["wait"]', *['42["quick"]'] * MESSAGES)
        await eventually(
            lambda: client.backlog and client.backlog.events == MESSAGES, "the events", every=0
        )
        async with most_at_once(lambda: Counting.handled) as most:
            Counting.gate.set()
            await until_handled(MESSAGES)
        await wire.leave()
    assert 0 < most[0] <= AT_ONCE


async def test_hogged_loop_by_a_payload() -> None:
    Counting.handled = 0
    with registered(Counting):
        sid = await handshake()
        assert (await exchange(of_session(sid), "POST", pieces=[b"40"])).body == b"ok"
        client = client_of(sid)
        assert client is not None
        session = client.session
        before = session.packets_in
        payload = "\x1e".join(['42["quick"]'] * MESSAGES).encode()
        async with (
            most_at_once(lambda: session.packets_in) as most_read,
            most_at_once(lambda: Counting.handled) as most_handled,
        ):
            assert (await exchange(of_session(sid), "POST", pieces=[payload])).body == b"ok"
            await until_handled(MESSAGES)
        assert session.packets_in == before + MESSAGES
    assert 0 < most_read[0] <= AT_ONCE
    assert 0 < most_handled[0] <= AT_ONCE


async def test_a_payload_cannot_pass_the_limit_of_waiting_events(settings: Any) -> None:
    """Reading pauses within a payload, so that no more events wait than without one."""
    settings.SOCKETIO = {"MAX_PENDING_EVENTS": 20}
    Counting.handled = 0
    with registered(Counting):
        sid = await handshake()
        assert (await exchange(of_session(sid), "POST", pieces=[b"40"])).body == b"ok"
        client = client_of(sid)
        assert client is not None
        waiting: list[int] = []

        async def watch() -> None:
            while True:
                waiting.append(client.backlog.events if client.backlog else 0)
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        for name in ("quick", "overlapping"):
            payload = "\x1e".join([f'42["{name}"]'] * MESSAGES).encode()
            assert (await exchange(of_session(sid), "POST", pieces=[payload])).body == b"ok"
        await until_handled(2 * MESSAGES)
        watching.cancel()
    assert max(waiting) == 21  # the one that was one too many
