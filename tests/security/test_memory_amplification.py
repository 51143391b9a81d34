"""What a client makes us hold or decode is bounded by what it weighs, not by its text.

``{}`` and a comma are 3 characters on the wire, a thousandth of that where it is compressed, and 72
bytes when it is decoded.
"""

from __future__ import annotations

import asyncio
import gc
import re
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.packets import Encoder, OrjsonCodec, StandardCodec
from django_socketio.server.hubs import current_hub
from django_socketio.signals import event_received
from django_socketio.sockets.backlog import TotalBacklog
from django_socketio.stats import counters
from tests.harness.waiting import eventually
from tests.unit.peers import CountingCodec

from .inprocess import Wire, client_of, joined, opened, registered
from .measuring import seconds

MEGABYTE = 1_000_000
DROPPED = "events of clients that had gone were dropped"
TOO_MUCH = "too much is held for all clients"


class Victim(SocketIOConsumer):
    """Its handlers wait until the test says otherwise."""

    gate: asyncio.Event
    handled: list[int]
    gone: list[str]

    async def disconnect(self, reason: str) -> None:
        self.gone.append(reason)

    @event
    async def hold(self, *args: Any) -> None:
        await self.gate.wait()

    @event(concurrent=True)
    async def beside(self, *args: Any) -> None:
        await self.gate.wait()

    @event
    async def note(self, *args: Any) -> None:
        self.handled.append(len(args))

    @event
    async def ask(self) -> None:
        await self.timeout(30).acall("question")

    @event
    async def echo(self, *args: Any) -> Any:
        return args


@pytest.fixture(autouse=True)
def victim() -> Iterator[type[Victim]]:
    victim = type("Consumer", (Victim,), {"gate": asyncio.Event(), "handled": [], "gone": []})
    with registered(victim), registered(victim, re.compile("/n[0-9]+")):
        yield victim


def filled(piece: str, size: int) -> str:
    """So much of a piece, as further arguments."""
    return f",{piece}" * (size // (len(piece) + 1))


def note(size: int, piece: str = "{}") -> str:
    return f'42["note"{filled(piece, size)}]'


def total() -> TotalBacklog:
    return current_hub().local.backlog


@contextmanager
def measured() -> Iterator[list[int]]:
    """Bytes of memory that the block has left behind."""
    found: list[int] = []
    gc.collect()
    tracemalloc.start()
    try:
        yield found
        gc.collect()
        found.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()


@asynccontextmanager
async def held(count: int, victim: type[Victim]) -> AsyncIterator[list[Wire]]:
    """So many clients whose handlers wait."""
    wires = [await joined() for _ in range(count)]
    for wire in wires:
        await wire.send('42["hold"]')
    try:
        yield wires
    finally:
        victim.gate.set()
        await leave(*wires)
    await eventually(lambda: total().size == 0, "all to be let go")


async def leave(*wires: Wire) -> None:
    """Go, all together, since the tasks of one are waited for by all."""
    for wire in wires:
        wire.put("disconnect", code=1001)
    for wire in wires:
        await wire.ended()
    await eventually(lambda: not current_hub().runtime.tasks, "tasks to end")


async def read(wire: Wire) -> None:
    """Wait until everything has been read, or nothing more is."""
    for _ in range(50):
        await asyncio.sleep(0)


async def go(wire: Wire) -> None:
    """Lose the connection while a handler waits."""
    wire.put("disconnect", code=1001)
    await eventually(lambda: client_of(wire.id) is None, "the server to notice")


# What is kept as long as the client stays


@pytest.mark.serial
async def test_auth_of_a_megabyte_is_not_kept() -> None:
    wires = [await opened() for _ in range(5)]
    text = '{"a":[0' + filled("{}", MEGABYTE - 20) + "]}"
    with measured() as memory:
        for wire in wires:
            for number in range(4):
                await wire.send(f"40/n{number},{text}")
                assert await wire.receive() == f'44/n{number},{{"message":"auth too large"}}'
    assert memory[0] < MEGABYTE
    await leave(*wires)


@pytest.mark.serial
async def test_auth_that_is_kept_weighs_what_it_may() -> None:
    """With the most values that it may have it takes a few times its text."""
    wire = await opened()
    text = '{"a":["' + "x" * 13_000 + '"' + filled("{}", 1000) + "]}"
    with measured() as memory:
        for number in range(50):
            await wire.send(f"40/n{number},{text}")
            assert (await wire.receive()).startswith(f'40/n{number},{{"sid"')
    assert memory[0] < 50 * 5 * 16_384
    await wire.leave()


# What waits


@pytest.mark.serial
async def test_large_events_wait_as_text(victim: type[Victim]) -> None:
    with measured() as memory:
        async with held(3, victim) as wires:
            for wire in wires:
                for _ in range(4):
                    await wire.send(note(250_000))
                await read(wire)
            assert total().size < 1.1 * 3 * MEGABYTE
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] < 2 * 3 * MEGABYTE
    assert victim.handled == [250_000 // 3] * 12
    assert memory[0] < MEGABYTE


@pytest.mark.serial
async def test_small_events_are_weighed(victim: type[Victim]) -> None:
    """4 MB of text would be 96 MB: reading pauses long before."""
    async with held(1, victim) as (wire,):
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(1000):
                await wire.send(note(4000))
            await read(wire)
            taken = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert wire.client.session.paused
        assert wire.client.backlog is not None
        assert 4 * MEGABYTE < wire.client.backlog.size < 5 * MEGABYTE
        assert taken < 4 * MEGABYTE + 1000 * len(note(4000))
        victim.gate.set()
        await eventually(lambda: len(victim.handled) == 1000, "the events to be handled")


async def test_events_are_held_no_longer_than_their_client_needs_them(
    settings: Any, victim: type[Victim]
) -> None:
    """What is dropped of a client that has gone is the last it sent; the rest is handled."""
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": 330_000}
    async with held(2, victim) as (one, other):
        for wire in (one, other):
            for number in range(4):
                await wire.send(f'42["note","{"x" * 50_000}"{",0" * number}]')
            await read(wire)
        before = counters.limits[DROPPED]
        assert 350_000 < total().size < 400_000
        assert other.client.session.paused
        await go(one)
        assert counters.limits[DROPPED] == before + 1
        victim.gate.set()
        await eventually(lambda: len(victim.handled) == 7, "the events")
        await eventually(lambda: victim.gone == ["transport close"], "disconnect()")
        assert sorted(victim.handled) == [1, 1, 2, 2, 3, 3, 4]


async def test_events_of_a_client_that_has_gone_are_handled_where_there_is_room(
    victim: type[Victim],
) -> None:
    async with held(1, victim) as (wire,):
        await wire.send(note(50_000), note(8000), note(10))
        await read(wire)
        await go(wire)
        assert victim.handled == []
        victim.gate.set()
        await eventually(lambda: victim.gone == ["transport close"], "disconnect()")
        assert victim.handled == [16_666, 2666, 3]


async def test_past_the_bound_of_the_process_those_who_hold_much_have_to_wait(
    settings: Any, victim: type[Victim]
) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": 100_000}
    async with held(3, victim) as (large, more, small):
        await large.send(note(120_000, '"x"'))
        await more.send(note(20_000, '"x"'), note(10))
        await small.send(note(10), note(10))
        for wire in (large, more, small):
            await read(wire)
        paused = [wire.client.session.paused for wire in (large, more, small)]
        assert paused == [True, True, False]
        assert more.client.backlog is not None
        assert more.client.backlog.events == 1
        victim.gate.set()
        await eventually(lambda: len(victim.handled) == 5, "all to be handled")
        assert not more.client.session.paused


async def test_who_cannot_wait_is_closed(settings: Any, victim: type[Victim]) -> None:
    """To stop reading would keep the answer back for which the handler waits."""
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": 100_000}
    async with held(1, victim) as (large,):
        await large.send(note(120_000, '"x"'))
        await read(large)
        asked = await joined()
        await asked.send('42["ask"]')
        assert (await asked.receive()).endswith('["question"]')
        before = counters.limits[TOO_MUCH]
        await asked.send(note(1000))
        await asked.send(note(5000))
        assert await asked.rest() == []
        assert counters.limits[TOO_MUCH] == before + 1
        asked.put("disconnect", code=1001)


async def test_at_twice_the_bound_everybody_who_adds_is_closed(
    settings: Any, victim: type[Victim]
) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": 100_000}
    async with held(5, victim) as wires:
        for wire in wires:
            await wire.send(note(60_000, '"x"'))
            await read(wire)
        closed = [client_of(wire.id) is None for wire in wires]
        assert closed == [False, False, False, True, True]
        assert total().size < 200_000


async def test_at_twice_the_bound_nothing_large_is_decoded(
    settings: Any, victim: type[Victim]
) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": 100_000}
    wires = [await joined() for _ in range(3)]
    for wire in wires:
        await wire.send(f'42["hold"{filled("0", 6000)}]')
        await read(wire)
    assert [client_of(wire.id) is None for wire in wires] == [False, False, True]
    assert 200_000 < total().size < 450_000
    victim.gate.set()
    await leave(*wires)
    assert total().size == 0


@pytest.mark.parametrize("name", ["hold", "beside"])
async def test_what_is_handled_counts_decoded(
    settings: Any, victim: type[Victim], name: str
) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": MEGABYTE}
    wire = await opened()
    for number in range(10):
        await wire.enter(f"/n{number}")
    for number in range(10):
        await wire.send(f'42/n{number},["{name}"{filled("{}", 9000)}]')
    await read(wire)
    # 3000 empty objects weigh 600 KB: the second is too much, and no third is read.
    assert MEGABYTE < total().size < 1.5 * MEGABYTE
    assert wire.client.session.paused
    victim.gate.set()
    await eventually(lambda: total().size == 0, "all to be handled")
    await wire.leave()


async def test_attachments_count_while_more_are_due(settings: Any, victim: type[Victim]) -> None:
    settings.SOCKETIO = {"MAX_PENDING_EVENTS_TOTAL_SIZE": MEGABYTE}
    start = '452-["note",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    wires = [await joined() for _ in range(3)]
    before = counters.limits[TOO_MUCH]
    for wire in wires:
        await wire.send(start, b"x" * 400_000)
        await read(wire)
    assert counters.limits[TOO_MUCH] == before + 1
    assert await wires[2].rest() == []
    assert 800_000 < total().size < MEGABYTE
    for wire in wires[:2]:
        await wire.send(b"y")
        await read(wire)
    assert victim.handled == [2, 2]
    assert total().size == 0
    await wires[0].send(start, b"x" * 5000)
    await read(wires[0])
    assert total().size > 5000
    await leave(*wires)
    assert total().size == 0


async def test_attachments_of_events_that_wait_count(victim: type[Victim]) -> None:
    async with held(1, victim) as (wire,):
        start = '451-["note",{"_placeholder":true,"num":0}]'
        await wire.send(start, b"x" * 300_000)
        await read(wire)
        assert 300_000 < total().size < 310_000


# What nobody needs


async def test_events_that_nobody_handles_are_not_decoded(settings: Any) -> None:
    settings.SOCKETIO = {"JSON": "tests.unit.peers.CountingCodec"}
    wire = await joined()
    CountingCodec.reset()
    before = counters.events_refused["no handler"]
    # Its syntax is not looked at, either.
    await wire.send(f'42["nobody"{filled("{}", 200_000)}]', f'427["nobody"{filled("+", 9000)}]')
    await wire.send('421["echo",1]')
    assert await wire.receive() == "431[1]"
    assert counters.events_refused["no handler"] == before + 2
    assert CountingCodec.decoded == 2 + 1  # names, and the small event
    await wire.leave()


async def test_somebody_may_look_at_every_event(settings: Any) -> None:
    """A receiver of ``event_received``, a handler for "*" or ``receive_event`` needs it whole."""
    seen: list[int] = []

    def look(sender: Any, event: str, args: list[Any], **kwargs: Any) -> None:
        seen.append(len(args))

    class Every(SocketIOConsumer):
        @event("*")
        async def rest(self, name: str, *args: Any) -> None:
            seen.append(len(args))

    class Seam(SocketIOConsumer):
        async def receive_event(self, name: str, args: list[Any]) -> None:
            seen.append(len(args))

    with registered(Every, "/every"), registered(Seam, "/seam"):
        wire = await joined()
        await wire.enter("/every")
        await wire.enter("/seam")
        for namespace in ("/every,", "/seam,"):
            await wire.send(f'42{namespace}["nobody"{filled("0", 9000)}]')
        await read(wire)
        event_received.connect(look)
        try:
            await wire.send(f'42["nobody"{filled("0", 9000)}]')
            await eventually(lambda: len(seen) == 3, "the receiver, in its thread")
        finally:
            event_received.disconnect(look)
        assert seen == [4500, 4500, 4500]
        await wire.leave()


async def test_answers_that_nobody_waits_for_are_not_decoded(settings: Any) -> None:
    settings.SOCKETIO = {"JSON": "tests.unit.peers.CountingCodec"}
    wire = await joined()
    CountingCodec.reset()
    await wire.send(f"437[0{filled('{}', 200_000)}]", "42[]")
    assert await wire.rest() == []
    assert CountingCodec.decoded == 1
    await wire.leave()


async def test_a_large_answer_that_is_no_json_is_a_violation() -> None:
    wire = await joined()
    await wire.send('42["ask"]')
    question = await wire.receive()
    await wire.send("43" + question[2:].partition("[")[0] + "[" + "[" * 5 + "0," * 4000 + "]")
    assert await wire.rest() == []
    await wire.leave()


async def test_a_large_event_that_is_no_json_is_a_violation_in_its_turn(
    victim: type[Victim],
) -> None:
    async with held(1, victim) as (wire,):
        await wire.send(note(5000), f'42["note"{filled("+", 9000)}]', note(10))
        await read(wire)
        victim.gate.set()
        assert await wire.rest() == []
        await eventually(lambda: victim.gone == ["parse error"], "disconnect()")
        assert victim.handled[0] == 1666


# What it costs to decode and to encode


@pytest.mark.parametrize("piece", ["{}", "[]", '{"a":1}', "0", '""', "[" * 98 + "]" * 98])
async def test_a_megabyte_of_values_is_not_decoded(settings: Any, piece: str) -> None:
    settings.SOCKETIO = {"JSON": "tests.unit.peers.CountingCodec"}
    wire = await joined()
    CountingCodec.reset()
    before = counters.limits["too many JSON values"]
    await wire.send(f'42["echo"{filled(piece, MEGABYTE - 20)}]')
    assert await wire.rest() == []
    assert counters.limits["too many JSON values"] == before + 1
    assert CountingCodec.decoded == 0
    await wire.leave()


@pytest.mark.parametrize(
    "piece",
    ["[12.345678,45.678901]", '{"x":12.5,"y":44.25}', '"a short text"', "1.25", '{"id":1234567}'],
)
async def test_a_megabyte_of_what_people_send_passes(piece: str) -> None:
    wire = await joined()
    text = f'["echo"{filled(piece, MEGABYTE - 20)}]'
    await wire.send("421" + text)
    assert await wire.receive() == "431[" + text[len('["echo",') :]
    await wire.leave()


@pytest.mark.serial
@pytest.mark.parametrize("codec", [StandardCodec, OrjsonCodec])
def test_half_a_surrogate_pair_costs_little_more_than_other_text(codec: Any) -> None:
    """It was a step of Python's for each character: 40 times as much."""
    encoder = Encoder(codec(), lambda value: value)
    plain, halves = "é" * 500_000, "é\ud800" * 250_000
    standard = Encoder(StandardCodec(), lambda value: value)
    usual = seconds(lambda: standard.event("/", "e", [plain]))
    assert seconds(lambda: encoder.event("/", "e", [halves])) < 12 * max(usual, 0.001)
