"""Who asks and does not read costs no more than one answer (found here).

An event of 40 bytes may make a handler send a megabyte: 20 sessions that polled no more held 637 MB
for 21 KB. So a client's events wait while what it was sent does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io
from django_socketio.server.hubs import current_hub
from django_socketio.sockets import socket
from django_socketio.sockets.client import Client
from django_socketio.sockets.stalls import Turn
from django_socketio.stats import counters
from django_socketio.transports.bodies import PIECE
from tests.harness.inprocess import Exchange
from tests.harness.waiting import DEADLINE, eventually, soon

from .inprocess import (
    HOST,
    Wire,
    application,
    client_of,
    exchange,
    handshake,
    of_session,
    registered,
)

pytestmark = pytest.mark.usefixtures("worker_threads")

ANSWER = 100_000
NAMES = ["publish", "publish_plainly", "publish_beside"]


class Publisher(SocketIOConsumer):
    handled = 0
    left: list[str]

    @event
    async def publish(self, size: int = ANSWER) -> None:
        Publisher.handled += 1
        self.emit("published", "x" * size)

    @event
    def publish_plainly(self) -> None:
        Publisher.handled += 1
        self.emit("published", "x" * ANSWER)

    @event(concurrent=True)
    async def publish_beside(self) -> None:
        Publisher.handled += 1
        self.emit("published", "x" * ANSWER)

    @event
    async def doze(self) -> None:
        """Take longer than pings may."""
        await asyncio.sleep(0.7)

    @event
    async def ask(self) -> None:
        await self.timeout(DEADLINE).acall("question")
        Publisher.handled += 1

    async def disconnect(self, reason: str) -> None:
        self.left.append(reason)


@pytest.fixture(autouse=True)
def publisher() -> Iterator[None]:
    Publisher.handled, Publisher.left = 0, []
    with registered(Publisher), registered(Publisher, "/other"):
        yield


async def handled(count: int) -> None:
    await eventually(lambda: Publisher.handled == count, f"{count} events to be handled")


async def nothing_more() -> None:
    """Whatever could go on has gone on, and threads have had time for it."""
    for _ in range(20):
        await asyncio.sleep(0.001)


class Polled:
    """A polling session in the default namespace."""

    def __init__(self, sid: str) -> None:
        self.sid = sid

    @classmethod
    async def joined(cls) -> Polled:
        self = cls(await handshake())
        await self.post("40")
        await self.poll()
        return self

    async def post(self, *packets: str) -> None:
        payload = "\x1e".join(packets).encode()
        assert (await exchange(of_session(self.sid), "POST", pieces=[payload])).body == b"ok"

    async def poll(self) -> list[str]:
        return (await exchange(of_session(self.sid))).packets

    @property
    def client(self) -> Client:
        client = client_of(self.sid)
        assert client is not None
        return client


class Stalling(Wire):
    """A WebSocket whose server waits to send while nobody reads."""

    def __init__(self, **scope: Any) -> None:
        self.reads = asyncio.Event()
        self.reads.set()
        super().__init__(**scope)

    async def _send(self, message: Any) -> None:
        if not self.reads.is_set():
            await self.reads.wait()
        await super()._send(message)

    @classmethod
    async def joined(cls) -> Stalling:
        wire = cls()
        await wire.open()
        await wire.enter()
        return wire


@pytest.mark.parametrize("name", NAMES)
async def test_answers_that_are_not_read_over_polling(name: str) -> None:
    polled = await Polled.joined()
    await polled.post(*[f'42["{name}"]'] * 10)
    client = polled.client
    await handled(1)
    for number in range(1, 11):
        (packet,) = await soon(polled.poll())
        assert len(packet) > ANSWER
        # Only the next poll tells that the client has read it.
        await nothing_more()
        assert (Publisher.handled, client.session.buffered) == (number, 0)
    client.disconnect()


@pytest.mark.parametrize("name", NAMES)
async def test_answers_that_are_not_read_on_a_websocket(name: str) -> None:
    wire = await Stalling.joined()
    wire.reads.clear()
    await wire.send(*[f'42["{name}"]'] * 20)
    await handled(1)
    await nothing_more()
    # It is on its way, and the server waits with it.
    assert (Publisher.handled, wire.client.session.buffered) == (1, 0)
    wire.reads.set()
    for _ in range(20):
        assert len(await soon(wire.receive())) > ANSWER
    await wire.leave()


async def test_events_that_overlap_are_tried_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, each time that one may go on, would be a square of their number."""
    tried = 0

    class Counting(Turn):
        def give(self) -> None:
            nonlocal tried
            tried += 1
            super().give()

    monkeypatch.setattr(socket, "Turn", Counting)
    polled = await Polled.joined()
    await polled.post(*['42["publish_beside"]'] * 30)
    for _ in range(30):
        await soon(polled.poll())
    assert Publisher.handled == 30
    assert tried == 29
    polled.client.disconnect()


async def test_events_that_overlap_end_with_their_socket() -> None:
    """They have begun, so they are handled though the server has closed the socket."""
    polled = await Polled.joined()
    client = polled.client
    await polled.post(*['42["publish_beside"]'] * 5)
    await handled(1)
    client.sockets["/"].close(transport=False)
    await handled(5)
    await eventually(lambda: not current_hub().runtime.tasks_of(client), "the tasks to end")
    client.disconnect()


async def test_all_sockets_of_a_client_wait() -> None:
    """Those that come later, too."""
    wire = await Stalling.joined()
    wire.reads.clear()
    await wire.send('42["publish"]', '42["publish"]', "40/other", '42/other,["publish"]')
    await handled(1)
    await nothing_more()
    await wire.send('42/other,["publish"]')
    await nothing_more()
    assert Publisher.handled == 1
    wire.reads.set()
    await handled(4)
    await wire.leave()


async def test_what_handlers_wait_for_is_taken() -> None:
    """Acknowledgements and pongs come through; the handler that runs goes on."""
    wire = await Stalling.joined()
    await wire.enter("/other")
    await wire.send('42/other,["ask"]')
    question = await wire.receive()
    wire.reads.clear()
    session = wire.client.session
    await wire.send('42["publish"]', '42["publish"]', '42["publish"]')
    await handled(1)
    await wire.send("43/other," + question.partition(",")[2].partition("[")[0] + "[]", "3")
    await handled(2)
    await nothing_more()
    assert Publisher.handled == 2
    assert session.state == "open"
    wire.reads.set()
    await handled(4)
    await wire.leave()


async def test_who_leaves_a_namespace_waits_for_nothing() -> None:
    wire = await Stalling.joined()
    wire.reads.clear()
    await wire.send('42["publish"]', '42["publish"]')
    await handled(1)
    await wire.send("41")
    await eventually(lambda: Publisher.left == ["client namespace disconnect"], "disconnect()")
    wire.reads.set()
    await wire.leave()


@pytest.mark.parametrize("name", NAMES)
async def test_a_client_that_goes_is_let_go(name: str) -> None:
    """As ever, its events are handled all the same, and disconnect() runs behind them."""
    polled = await Polled.joined()
    client = polled.client
    await polled.post(*[f'42["{name}"]'] * 3)
    await handled(1)
    await polled.post("1")
    await eventually(lambda: Publisher.left == ["transport close"], "disconnect()")
    await handled(3)
    assert client.backlog is not None
    await eventually(lambda: client.backlog.events == 0, "the count")  # type: ignore[union-attr]


async def test_an_upgrade_shows_that_the_last_poll_was_read() -> None:
    polled = await Polled.joined()
    await polled.post('42["publish"]', '42["publish"]')
    await handled(1)
    assert len((await polled.poll())[0]) > ANSWER
    wire = Wire(f"EIO=4&transport=websocket&sid={polled.sid}")
    await wire.accept()
    await wire.send("2probe")
    assert await wire.receive() == "3probe"
    await nothing_more()
    assert Publisher.handled == 1
    await wire.send("5")
    assert len(await soon(wire.receive())) > ANSWER
    assert Publisher.handled == 2
    await wire.leave()


async def test_a_poll_that_overtakes_the_end_of_an_answer() -> None:
    """The last piece is taken when the next poll waits already: it is read all the same."""
    polled = await Polled.joined()
    held = asyncio.Event()

    class Slow(Exchange):
        async def _send(self, message: Any) -> None:
            await super()._send(message)
            if len(message.get("body", b"")) and not message.get("more_body"):
                await held.wait()

    await polled.post('42["publish"]', '42["publish"]')
    await handled(1)
    assert ANSWER > PIECE
    slow = Slow(application, of_session(polled.sid), headers=[HOST])
    answered = asyncio.ensure_future(slow.run())
    await eventually(lambda: len(slow.body) > ANSWER, "the answer")
    polling = asyncio.ensure_future(polled.poll())
    await eventually(lambda: getattr(polled.client.transport, "poll", None), "the poll to wait")
    await nothing_more()
    assert Publisher.handled == 1
    held.set()
    await soon(answered)
    assert len((await soon(polling))[0]) > ANSWER
    polled.client.disconnect()


@pytest.mark.parametrize("first", [0, 1])
async def test_who_does_not_read_times_out_though_its_post_waits(settings: Any, first: int) -> None:
    """Before it is known that the client does not read, or later.

    The time in which we do not read counts for nobody; but this client does not read, either.
    """
    settings.SOCKETIO = {"MAX_PENDING_EVENTS": 3, "PING_INTERVAL": 0.2, "PING_TIMEOUT": 0.2}
    polled = await Polled.joined()
    client = polled.client
    before = counters.limits["ping timeout"]
    if first:
        await polled.post('42["publish"]')
        await handled(1)
    posting = asyncio.ensure_future(polled.post(*['42["publish"]'] * 10))
    await eventually(lambda: client.crowded, "the POST to wait")
    await eventually(lambda: client.session.state == "closed", "the session to end")
    assert counters.limits["ping timeout"] == before + 1
    assert polled.sid not in current_hub().clients
    await soon(posting)


async def test_who_reads_is_given_time(settings: Any) -> None:
    """A POST may wait for longer than a ping may take, for a handler, or since much is read."""
    settings.SOCKETIO = {"MAX_PENDING_EVENTS": 3, "PING_INTERVAL": 0.2, "PING_TIMEOUT": 0.2}
    polled = await Polled.joined()
    session = polled.client.session
    packets = [*['42["publish"]'] * 10, '42["doze"]', *['42["publish"]'] * 10]
    posting = asyncio.ensure_future(polled.post(*packets))
    pings = 0
    while not posting.done():
        pings += "2" in await soon(polled.poll())
        assert session.state == "open"
    # More cannot come before the first is answered.
    assert pings == 1
    assert Publisher.handled > 15
    polled.client.disconnect()


async def test_others_may_send_to_it_as_before(settings: Any) -> None:
    """What a room gets counts; past the bound the client is let go."""
    settings.SOCKETIO = {"MAX_WRITE_BUFFER_SIZE": 10 * ANSWER}
    polled = await Polled.joined()
    await polled.post('42["publish"]', '42["publish"]')
    await handled(1)
    session = polled.client.session
    sent = 0
    while session.state == "open":
        io.emit("news", "x" * ANSWER)
        sent += 1
        await asyncio.sleep(0)
    assert sent == 9
    assert session.detail == "slow client"
    await eventually(lambda: Publisher.left == ["transport error"], "disconnect()")


async def test_a_plain_handler_that_runs_goes_on() -> None:
    """Its thread takes no further event."""
    gate = threading.Event()

    class Consumer(Publisher):
        @event
        def hold(self) -> None:
            assert gate.wait(DEADLINE)

    with registered(Consumer, "/plain"):
        wire = await Stalling.joined()
        await wire.enter("/plain")
        await wire.send('42/plain,["hold"]', *['42/plain,["publish_plainly"]'] * 10)
        client = wire.client
        await eventually(lambda: client.backlog and client.backlog.events == 10, "the events")
        wire.reads.clear()
        gate.set()
        await eventually(lambda: Publisher.handled >= 1, "events to be handled")
        await nothing_more()
        assert Publisher.handled == 1
        wire.reads.set()
        await handled(10)
        await wire.leave()
