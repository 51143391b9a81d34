"""daphne's send, which waits as Twisted tells it, and its queue; those of others are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from django_socketio.transports import daphne
from django_socketio.transports.daphne import intake_of, passing_headers, patient

MESSAGE = {"type": "websocket.send", "text": "4hello"}


class Closed:
    """Twisted's Deferred, as far as it is used."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Any], Any]] = []

    def addCallback(self, callback: Callable[[Any], Any]) -> None:  # noqa: N802
        self.callbacks.append(callback)


class Transport:
    """Twisted's, as far as it is used."""

    def __init__(self) -> None:
        self.reads = True

    def pauseProducing(self) -> None:  # noqa: N802
        self.reads = False

    def resumeProducing(self) -> None:  # noqa: N802
        self.reads = True


class Protocol:
    """daphne's WebSocketProtocol, as far as it is used: full while it holds three messages."""

    def __init__(self) -> None:
        self.is_closed = Closed()
        self.producer: Any = "the HTTP channel"
        self.held: list[dict[str, Any]] = []
        self.transport = Transport()

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert self.producer is None
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None

    def take(self, message: dict[str, Any]) -> None:
        self.held.append(message)
        if len(self.held) >= 3 and self.producer is not None:
            self.producer.pauseProducing()


async def handle_reply(protocol: Protocol, message: dict[str, Any]) -> None:
    protocol.take(message)


@pytest.fixture
def protocol() -> Protocol:
    return Protocol()


async def fill(protocol: Protocol) -> tuple[Any, asyncio.Task[None]]:
    """A send, and a task that waits in it."""
    send: Any = patient(partial(handle_reply, protocol))
    await send(MESSAGE)
    await send(MESSAGE)
    waiting = asyncio.ensure_future(send(MESSAGE))
    await asyncio.sleep(0)
    assert len(protocol.held) == 3
    assert not waiting.done()
    return send, waiting


async def test_send_waits_while_the_transport_is_full(protocol: Protocol) -> None:
    send, waiting = await fill(protocol)
    protocol.held.clear()
    protocol.producer.resumeProducing()
    await waiting
    await send(MESSAGE)
    assert protocol.held == [MESSAGE]


async def test_who_gives_up_waiting_harms_no_other(protocol: Protocol) -> None:
    send, waiting = await fill(protocol)
    other = asyncio.ensure_future(send(MESSAGE))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not other.done()
    protocol.producer.resumeProducing()
    await other


async def test_a_lost_connection_ends_the_wait(protocol: Protocol) -> None:
    _, waiting = await fill(protocol)
    protocol.producer.stopProducing()
    await waiting


async def test_a_dropped_connection_ends_the_wait(protocol: Protocol) -> None:
    """autobahn takes the producer away first, so Twisted does not tell it."""
    _, waiting = await fill(protocol)
    protocol.unregisterProducer()
    (closed,) = protocol.is_closed.callbacks
    assert closed("the result") == "the result"
    await waiting


async def test_a_close_waits_for_nobody(protocol: Protocol) -> None:
    """And Twisted, which waits for producers, may end the connection."""
    send, waiting = await fill(protocol)
    await send({"type": "websocket.close"})
    await waiting
    assert protocol.producer is None


async def test_the_send_of_another_server_is_left_alone() -> None:
    async def send(message: dict[str, Any]) -> None: ...

    others: list[Any] = [send, partial(send), partial(send, MESSAGE)]
    for other in others:
        assert patient(other) is other


async def test_the_client_waits_while_the_queue_is_long(protocol: Protocol) -> None:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    intake = intake_of(queue.get, partial(handle_reply, protocol))
    assert intake is not None
    messages = [{"number": number} for number in range(daphne.MOST + 2)]
    for message in messages:
        queue.put_nowait(message)
    read = [await intake.receive()]
    assert not protocol.transport.reads
    while not queue.empty():
        read.append(await intake.receive())
        assert not protocol.transport.reads
    last = asyncio.ensure_future(intake.receive())
    await asyncio.sleep(0)
    assert protocol.transport.reads
    queue.put_nowait(MESSAGE)
    assert [*read, await last] == [*messages, MESSAGE]


async def test_the_client_waits_while_nobody_reads(protocol: Protocol) -> None:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    intake = intake_of(queue.get, partial(handle_reply, protocol))
    assert intake is not None
    intake.pause()
    intake.pause()
    assert not protocol.transport.reads
    intake.resume()
    assert protocol.transport.reads


async def test_the_queues_of_other_servers_are_left_alone(protocol: Protocol) -> None:
    async def send(message: dict[str, Any]) -> None: ...

    async def receive() -> dict[str, Any]:
        return MESSAGE

    assert intake_of(asyncio.Queue().get, send) is None
    assert intake_of(receive, partial(handle_reply, protocol)) is None


async def test_the_headers_of_an_accept_go_with_the_subprotocol(protocol: Protocol) -> None:
    send: Any = passing_headers(patient(partial(handle_reply, protocol)))
    headers = [(b"set-cookie", b"a=b"), (b"x-one", b"\xe9"), (b"set-cookie", b"c=d")]
    await send({"type": "websocket.accept", "headers": headers})
    (message,) = protocol.held
    assert message["subprotocol"] == (None, {"set-cookie": ["a=b", "c=d"], "x-one": ["\xe9"]})
    await send({"type": "websocket.accept"})
    assert protocol.held[1] == {"type": "websocket.accept"}
    for bad in (b"a\r\nx: y", b"a\nb", b"\0"):
        for pair in ((b"x", bad), (bad, b"x")):
            with pytest.raises(ValueError, match="the end of a line"):
                await send({"type": "websocket.accept", "headers": [pair]})
    assert len(protocol.held) == 2


async def test_the_headers_for_other_servers_are_left_alone() -> None:
    async def send(message: Any) -> None: ...

    assert passing_headers(send) is send
