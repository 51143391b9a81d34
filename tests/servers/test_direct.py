"""The direct way: frames come by calls, and handlers run as if their connection's task ran them."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.servers.websocket import direct as servers_half
from django_socketio.servers.websocket.direct import Line
from django_socketio.sockets.client import Client
from django_socketio.transports import direct
from django_socketio.transports.direct import DirectConsumer, consumer_for
from django_socketio.transports.websocket import WebSocketConsumer
from tests.harness.inprocess import nothing_else
from tests.harness.waiting import eventually
from tests.security.inprocess import application, registered
from tests.security.test_hogged_loop import AT_ONCE, MESSAGES, most_at_once

from .inprocess import Serving, serving

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Main(SocketIOConsumer):
    gate: asyncio.Event
    seen: list[Any]

    @event
    async def quick(self, number: int) -> int:
        Main.seen.append(number)
        return number

    @event
    async def slow(self, number: int) -> int:
        await asyncio.sleep(0)
        Main.seen.append(number)
        return number

    @event
    async def at_gate(self) -> str:
        """What it finds in its context behind a wait, and whether its task is the same."""
        variable.set(type(self).__name__)
        task = asyncio.current_task()
        assert task is not None
        await Main.gate.wait()
        return f"{variable.get()} {task is asyncio.current_task()}"

    @event
    async def ask(self) -> Any:
        return await self.acall("question")

    @event
    async def limited(self, seconds: float) -> str:
        try:
            async with asyncio.timeout(seconds):  # type: ignore[attr-defined, unused-ignore]
                await Main.gate.wait()
        except TimeoutError:
            await asyncio.sleep(0)
            return "late"
        return "in time"

    @event
    async def cancelled(self) -> None:
        raise asyncio.CancelledError

    @event
    def plain(self) -> str:
        return "in a thread"


class Other(Main):
    pass


@pytest.fixture
async def server() -> AsyncIterator[Serving]:
    Main.gate, Main.seen = asyncio.Event(), []
    with registered(Main), registered(Other, "/other"):
        async with serving(application) as running:
            yield running


def only_client() -> Client:
    (client,) = current_hub().clients.values()
    return client


def transport() -> Any:
    """The transport of the only session."""
    return only_client().transport


async def test_it_is_taken(server: Serving) -> None:
    async with server.client() as client:
        assert isinstance(transport(), DirectConsumer)
        await client.send('421["quick",7]')
        assert await client.recv() == "431[7]"


async def test_nobody_is_told_to_switch_compression_off(server: Serving, caplog: Any) -> None:
    """uvicorn's setting is on by default, and means nothing here."""
    fresh = SocketIOApplication(nothing_else, middleware=None)
    async with serving(fresh) as running, running.client():
        assert "inflates" not in caplog.text


async def test_order_of_handlers_that_wait_and_do_not(server: Serving) -> None:
    async with server.client() as client:
        for number in range(500):
            name = "slow" if number % 3 == 0 else "quick"
            await client.send(f"42{number}" + json.dumps([name, number]))
        answers = [await client.recv() for _ in range(500)]
        assert answers == [f"43{number}[{number}]" for number in range(500)]
        assert Main.seen == list(range(500))


async def test_handlers_that_wait_beside_each_other(server: Serving) -> None:
    """Each has a task and a context; packets that come meanwhile are handled."""
    async with server.client() as client:
        await client.send("40/other,")
        await client.recv()
        await client.send('421["at_gate"]')
        await client.send('42/other,2["at_gate"]')
        await client.send('42/other,3["plain"]')
        await client.send('423["plain"]')
        await asyncio.sleep(0.01)
        Main.gate.set()
        answers = {await client.recv() for _ in range(4)}
        assert answers == {
            '431["Main True"]',
            '43/other,2["Other True"]',
            '43/other,3["in a thread"]',
            '433["in a thread"]',
        }


async def test_an_acknowledgement_reaches_a_handler_that_waits_for_it(server: Serving) -> None:
    async with server.client() as client:
        for number in range(3):
            await client.send(f'42{number}["ask"]')
            question = str(await client.recv())
            ack_id = question[2 : question.index("[")]
            await client.send(f"43{ack_id}[{number}]")
            assert await client.recv() == f"43{number}[{number}]"


@pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="came with Python 3.11")
@pytest.mark.parametrize("seconds", [-1, 0, 0.01])
async def test_time_limits_in_a_handler(server: Serving, seconds: float) -> None:
    """Also one that is over before the task has taken the handler over."""
    async with server.client() as client:
        for number in range(3):
            await client.send(f"42{number}" + json.dumps(["limited", seconds]))
            assert await client.recv() == f'43{number}["late"]'
        await client.send('421["quick",7]')
        assert await client.recv() == "431[7]"


@pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="before Python 3.11 it is cut off")
async def test_a_handler_that_cancels_itself_has_failed_and_no_more(server: Serving) -> None:
    async with server.client() as client:
        await client.send('42["cancelled"]')
        await client.send('421["quick",7]')
        assert await client.recv() == "431[7]"


async def test_a_client_that_leaves_while_its_handlers_wait(server: Serving) -> None:
    async with server.client() as client:
        await client.send("40/other,")
        await client.recv()
        await client.send('421["at_gate"]')
        await client.send('42/other,2["at_gate"]')
        await client.send('423["quick",3]')
    await eventually(lambda: not server.state.connections, "the connection to end")
    Main.gate.set()
    await eventually(lambda: not server.state.tasks, "the tasks to end")
    assert Main.seen == [3]  # it waited behind the first one


async def test_a_broadcast_is_packed_once(server: Serving, monkeypatch: Any) -> None:
    packed = []

    def pack(data: Any) -> Any:
        packed.append(data)
        return plain_pack(data)

    plain_pack = Line.pack
    monkeypatch.setattr(Line, "pack", staticmethod(pack))
    async with server.client() as one, server.client() as two, server.client() as three:
        packed.clear()
        await io.emit("news", b"abc", "ü")
        for client in (one, two, three):
            assert [await client.recv() for _ in range(2)] == [
                '451-["news",{"_placeholder":true,"num":0},"ü"]',
                b"abc",
            ]
        assert len(packed) == 2


async def test_a_client_that_sends_without_pause_does_not_keep_the_loop(server: Serving) -> None:
    async with server.client() as client, most_at_once(lambda: len(Main.seen)) as most:
        client.transport.write(small_frames('42["quick",1]', MESSAGES))
        await eventually(lambda: len(Main.seen) == MESSAGES, "the events", every=0)
    assert 0 < most[0] <= AT_ONCE + 1


def small_frames(text: str, number: int) -> bytes:
    return (bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text.encode()) * number


async def test_reading_pauses_where_too_many_events_wait(server: Serving, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS": 20}
    async with server.client() as client:
        ours = only_client()
        client.transport.write(small_frames('42["at_gate"]', 1) + small_frames('42["slow",1]', 900))
        await eventually(lambda: ours.session.paused, "reading to pause")
        assert ours.backlog is not None
        assert ours.backlog.events == 21  # the one that was one too many
        Main.gate.set()
        await eventually(lambda: len(Main.seen) == 900, "all events")
        assert ours.backlog.events == 0


async def test_the_end_comes_behind_what_has_come_before(server: Serving) -> None:
    """Also where reading has paused meanwhile."""
    async with server.client() as client:
        client.transport.write(small_frames('42["quick",1]', 900))
        await client.close()
        await eventually(lambda: len(Main.seen) == 900, "all events")


async def test_the_end_comes_before_a_handler_that_waits_was_taken_over(server: Serving) -> None:
    async with server.client() as client:
        client.transport.write(small_frames('42["slow",1]', 1) + b"\x88\x80\0\0\0\0")
        await client.wait_closed()
    await eventually(lambda: Main.seen == [1], "the handler to end")


async def test_nothing_is_left_for_the_garbage_collector(server: Serving) -> None:
    async with server.client() as client:
        await client.send('421["slow",7]')
        await client.recv()
        (protocol,) = server.state.connections
        left = [weakref.ref(transport()), weakref.ref(protocol)]
        del protocol
        gc.collect()
        gc.disable()
    try:
        await eventually(lambda: not server.state.tasks, "the task to end")
        await eventually(lambda: [ref() for ref in left] == [None, None], "both to be freed")
    finally:
        gc.enable()


def test_an_unknown_version_is_not_taken() -> None:
    gateway: Any = None
    assert servers_half.EXTENSION == direct.EXTENSION
    for version, kind in ((direct.VERSION, DirectConsumer), (2, WebSocketConsumer)):
        offer = {direct.EXTENSION: {"version": version}}
        assert type(consumer_for({"extensions": offer}, gateway)) is kind
    assert servers_half.VERSION == direct.VERSION
    assert type(consumer_for({}, gateway)) is WebSocketConsumer
