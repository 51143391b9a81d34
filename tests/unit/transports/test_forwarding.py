"""Requests that are answered by another process, as if it were this one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from django_socketio.cluster import ends, tunnels
from django_socketio.cluster.alone import Alone
from django_socketio.cluster.ends import WINDOW
from django_socketio.cluster.messages import Kind
from django_socketio.conf import get_settings
from django_socketio.engineio import ErrorCode
from django_socketio.runtime.runtime import Runtime
from django_socketio.stats import counters
from django_socketio.transports import forwarding
from django_socketio.transports.bodies import PIECE, BodyTooLarge
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.tunnels import Process
from tests.unit.transports.forwarding import (
    LIMIT,
    Connection,
    Forwarding,
    Served,
    echo,
    is_unknown,
    refused,
)


def said(process: Process, kind: Kind) -> bool:
    return kind in process.kinds()


START = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "FIRST_ANSWER", 0.2)
    monkeypatch.setattr(tunnels, "ALIVE_AFTER", 0.02)
    monkeypatch.setattr(forwarding, "RECEIPT_TIMEOUT", 0.1)
    monkeypatch.setattr(forwarding, "ANSWER_TIMEOUT", 0.1)


# HTTP


@pytest.mark.parametrize("size", [0, 1, 5000, WINDOW // 2, 3 * WINDOW])
async def test_a_request_and_its_answer(size: int) -> None:
    pair, client = Forwarding(echo), Connection(b"x" * size)
    await soon(pair.http(client, "POST"))
    start, *pieces = client.sent
    assert start == START
    assert b"".join(piece["body"] for piece in pieces) == b"x" * size
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [
        False
    ]
    assert max(len(piece["body"]) for piece in pieces) <= PIECE
    await eventually(lambda: pair.idle)
    assert pair.gate.kinds()[-1] == Kind.RECEIPT
    assert Kind.ABORT not in pair.gate.kinds()


async def test_the_owner_sees_the_request() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection(b"bo", b"dy")
    carrying = pair.forward(
        client,
        type="http",
        method="POST",
        path="/a/",
        query_string=b"q=1",
        scheme="https",
        http_version="1.1",
        extensions={},
        user="not carried",
    )
    receive, _ = await soon(served.ends)
    assert client.read == 0
    assert served.scope == {
        "type": "http",
        "method": "POST",
        "path": "/a/",
        "query_string": b"q=1",
        "scheme": "https",
        "http_version": "1.1",
        "root_path": "",
        "subprotocols": [],
        "headers": [(b"host", b"example.com")],
        "client": ("192.0.2.1", 5),
        "extensions": {},
        "asgi": {"version": "3.0"},
        "django_socketio.tunnel": True,
    }
    for piece, more in ((b"bo", True), (b"dy", True), (b"", False)):
        body = {"type": "http.request", "body": piece, "more_body": more}
        assert await soon(receive()) == body
    client.put("http.disconnect")
    assert await soon(receive()) == {"type": "http.disconnect"}
    await soon(carrying)


async def test_an_answer_counts_as_sent_when_the_client_has_it() -> None:
    """Not before: what a poll takes out of the session's buffer must not get lost on the way."""
    for size in (10, WINDOW // 2):
        served = Served()
        pair, client = Forwarding(served), Connection()
        client.writable.clear()
        carrying = pair.http(client)
        _, send = await soon(served.ends)
        await send(START)
        sending = asyncio.ensure_future(send({"type": "http.response.body", "body": b"x" * size}))
        await eventually(partial(said, pair.owner, Kind.OUT))
        await asyncio.sleep(0.02)
        assert not sending.done()
        client.writable.set()
        await soon(sending)
        await soon(carrying)


async def test_an_answer_in_pieces_is_carried_as_one() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.http(client)
    _, send = await soon(served.ends)
    await send(START)
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body", "body": b"b", "more_body": True})
    await soon(send({"type": "http.response.body", "body": b"c"}))
    await soon(carrying)
    assert client.sent == [START, {"type": "http.response.body", "body": b"abc"}]


async def test_a_large_answer_is_the_gate_s_once_the_client_has_begun_to_read() -> None:
    """The owner need not wait for the slow client, and the gate does not wait for ever."""
    served = Served()
    pair, client = Forwarding(served), Connection()
    settings = pair.hub.settings
    pair.hub.settings = replace(settings, ping_interval=0.1, ping_timeout=0.1)
    carrying = pair.http(client)
    _, send = await soon(served.ends)
    await send(START)
    client.most = 2
    await soon(send({"type": "http.response.body", "body": b"x" * PIECE * 4}))
    served.over.set_result(None)
    await soon(carrying)
    assert client.values("body") == [b"x" * PIECE]


async def test_an_answer_that_is_lost() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    pair.owner.drops = lambda operation: operation[0] == Kind.OUT
    carrying = pair.http(client)
    _, send = await soon(served.ends)
    await send(START)
    with pytest.raises(ConnectionError):
        await soon(send({"type": "http.response.body", "body": b"x"}))
    served.over.set_result(None)
    assert await is_unknown(carrying)
    assert client.sent == []
    assert pair.idle


async def test_an_unknown_owner() -> None:
    pair = Forwarding(echo)
    pair.gate.known.clear()
    assert await is_unknown(pair.http(Connection()))
    assert await is_unknown(pair.websocket(Connection()))
    assert pair.idle


async def test_a_process_without_others() -> None:
    pair = Forwarding(echo)
    pair.hub.others = Alone("node0001", Runtime(asyncio.get_running_loop(), get_settings()))
    assert await is_unknown(pair.http(Connection()))
    assert await is_unknown(pair.websocket(Connection()))


async def test_a_handshake_that_nobody_takes_over() -> None:
    """It is no unknown session: the client shall try again."""
    pair, client = Forwarding(echo), Connection()
    client.passed_on = True
    pair.gate.known.clear()
    refusal = await refused(pair.http(client))
    assert (refusal.code, refusal.status) == (ErrorCode.BAD_REQUEST, 503)


async def test_a_body_that_is_too_large() -> None:
    """The gate notices while it arrives; for the owner its client has dropped it."""
    counted = counters.violations["a body over MAX_HTTP_BUFFER_SIZE"]
    served = Served()
    pair, client = Forwarding(served), Connection(b"x" * LIMIT, b"x", b"not read")
    carrying = pair.http(client, "POST")
    receive, _ = await soon(served.ends)
    size = 0
    while (message := await soon(receive()))["type"] != "http.disconnect":
        size += len(message["body"])
    with pytest.raises(BodyTooLarge):
        await soon(carrying)
    assert (size, client.read) == (LIMIT, 2)
    assert counters.violations["a body over MAX_HTTP_BUFFER_SIZE"] == counted + 1


async def test_a_body_that_the_owner_does_not_want() -> None:
    """Whatever it holds against the request, not a byte of the body is read."""
    served = Served()
    pair, client = Forwarding(served), Connection(b"x" * LIMIT)
    carrying = pair.http(client, "POST")
    _, send = await soon(served.ends)
    await send(START)
    await soon(send({"type": "http.response.body", "body": b"no"}))
    await soon(carrying)
    assert (client.read, client.values("body")) == (0, [b"no"])


async def test_an_owner_that_answers_before_the_body_is_complete() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    client.put("http.request", body=b"half", more_body=True)
    carrying = pair.http(client, "POST")
    receive, send = await soon(served.ends)
    assert (await soon(receive()))["body"] == b"half"
    await send(START)
    await soon(send({"type": "http.response.body", "body": b"enough"}))
    await soon(carrying)
    assert client.values("body") == [b"enough"]
    await eventually(lambda: not pair.gate.tunnels.nodes())


async def test_a_body_in_many_pieces_and_one_large_piece() -> None:
    """It is carried in pieces that the window counts, whatever the gate's server makes of it."""
    served = Served()
    pair, client = Forwarding(served), Connection(b"x" * (2 * PIECE + 1))
    carrying = pair.http(client, "POST")
    receive, _ = await soon(served.ends)
    sizes = []
    while (message := await soon(receive()))["more_body"]:
        sizes.append(len(message["body"]))
    assert sizes == [PIECE, PIECE, 1]
    client.put("http.disconnect")
    await soon(carrying)


async def test_a_process_that_ends_leaves_bodies_alone() -> None:
    """Only a poll is answered early: a POST is served to its end."""
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.http(client, "POST")
    receive, send = await soon(served.ends)
    reading = asyncio.ensure_future(receive())
    await eventually(partial(said, pair.owner, Kind.OUT))
    pair.gate.tunnels.release_requests()
    client.put("http.request", body=b"late", more_body=False)
    assert await soon(reading) == {"type": "http.request", "body": b"late", "more_body": False}
    await send(START)
    await soon(send({"type": "http.response.body", "body": b"ok"}))
    await soon(carrying)


@pytest.mark.parametrize("reaction", ["drops", "breaks"])
async def test_a_post_that_ends_half_way(reaction: str) -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    client.put("http.request", body=b"half", more_body=True)
    carrying = pair.http(client, "POST")
    receive, _ = await soon(served.ends)
    assert (await soon(receive()))["body"] == b"half"
    if reaction == "drops":
        client.put("http.disconnect")
        assert await soon(receive()) == {"type": "http.disconnect"}
        await soon(carrying)
        assert client.sent == []
    else:
        pair.gate.tunnels.break_tunnels("owner")
        assert await is_unknown(carrying)


async def test_a_silent_owner() -> None:
    pair, client = Forwarding(echo), Connection()
    pair.gate.drops = lambda operation: operation[0] == Kind.OPEN
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await is_unknown(pair.http(client))
    assert 0.15 < loop.time() - start < 5
    assert client.sent == []
    assert pair.gate.kinds()[-1] == Kind.ABORT
    assert pair.idle


async def test_an_owner_that_is_slow_but_not_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it says anything it is waited for, though not for ever."""
    monkeypatch.setattr(ends, "PATIENCE", 0.7)
    pair, client = Forwarding(echo), Connection()
    pair.gate.drops = lambda operation: operation[0] == Kind.OPEN
    pair.gate.last_sign = math.inf
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await is_unknown(pair.http(client))
    assert loop.time() - start > 0.6
    assert counters.layer["unanswered"] > 0

    carrying = pair.http(client)
    await asyncio.sleep(0.3)
    assert not carrying.done()
    pair.owner.receive("gate", pair.gate.sent[-1])
    await soon(carrying)
    assert client.values("status") == [200]


async def test_an_owner_that_takes_its_time() -> None:
    """A poll waits for as long as there is nothing to say."""
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.http(client)
    _, send = await soon(served.ends)
    await asyncio.sleep(0.4)
    assert Kind.ALIVE in pair.owner.kinds()
    assert not carrying.done()
    await send(START)
    await soon(send({"type": "http.response.body", "body": b"late"}))
    await soon(carrying)
    assert client.values("body") == [b"late"]


async def test_an_owner_that_dies_while_a_poll_waits() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.http(client)
    await soon(served.ends)
    pair.gate.tunnels.break_tunnels("somebody else")
    await asyncio.sleep(0.02)
    assert not carrying.done()
    pair.gate.tunnels.break_tunnels("owner")
    assert await is_unknown(carrying)


async def test_a_client_that_drops_its_poll() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.http(client)
    receive, send = await soon(served.ends)
    assert (await soon(receive()))["type"] == "http.request"
    client.put("http.disconnect")
    assert await soon(receive()) == {"type": "http.disconnect"}
    await soon(carrying)
    assert client.sent == []
    await send(START)
    with pytest.raises(ConnectionError):
        await soon(send({"type": "http.response.body", "body": b"x"}))
    served.over.set_result(None)
    await eventually(lambda: pair.idle)


# WebSocket


class Socket:
    """A WebSocket through a tunnel that is accepted; its two ends."""

    def __init__(self) -> None:
        self.served = Served()
        self.pair = Forwarding(self.served)
        self.client = Connection()
        self.receive: Callable[[], Any]
        self.send: Callable[[dict[str, Any]], Any]

    async def accept(self) -> Socket:
        self.carrying = self.pair.websocket(self.client)
        self.receive, self.send = await soon(self.served.ends)
        assert await self.receive() == {"type": "websocket.connect"}
        await self.send({"type": "websocket.accept"})
        await eventually(lambda: self.client.sent)
        assert self.client.sent.pop() == {"type": "websocket.accept"}
        return self

    async def over(self) -> None:
        """Both ends are done with it."""
        self.served.over.set_result(None)
        await soon(self.carrying)
        await eventually(lambda: self.pair.idle)


async def test_frames_both_ways() -> None:
    socket = await Socket().accept()
    frames: list[dict[str, Any]] = [{"text": "a"}, {"bytes": b"b"}, {"text": ""}, {"bytes": b""}]
    for frame in frames:
        socket.client.put("websocket.receive", **frame)
        await socket.send({"type": "websocket.send", **frame})
    for frame in frames:
        assert await soon(socket.receive()) == {"type": "websocket.receive", **frame}
    await eventually(lambda: len(socket.client.sent) == 4)
    assert socket.client.sent == [{"type": "websocket.send", **frame} for frame in frames]
    await socket.send({"type": "websocket.close", "code": 1009})
    await socket.over()
    assert socket.client.values("code") == [1009]


@pytest.mark.parametrize("kind", ["close", "refuse"])
async def test_the_owner_hears_that_its_end_of_a_websocket_has_arrived(kind: str) -> None:
    """Else whatever reads from the client at the owner would wait for ever."""
    socket = await Socket().accept()
    if kind == "close":
        await socket.send({"type": "websocket.close", "code": 1000})
    else:
        await socket.send({"type": "websocket.http.response.start", "status": 400})
        await socket.send({"type": "websocket.http.response.body", "body": b"no"})
    await soon(socket.carrying)
    assert await soon(socket.receive()) == {"type": "websocket.disconnect", "code": 1006}
    await socket.over()


@pytest.mark.parametrize("side", ["owner", "gate"])
async def test_a_server_that_takes_few_close_codes(side: str) -> None:
    """As daphne, for which 1000 has to do, whether the owner closes or the gate."""
    socket = await Socket().accept()
    socket.client.few_codes = True
    if side == "owner":
        await socket.send({"type": "websocket.close", "code": 1009})
    else:
        socket.pair.gate.tunnels.break_tunnels("owner")
    await socket.over()
    assert socket.client.sent == [{"type": "websocket.close", "code": 1000}]


async def test_an_empty_attachment_for_a_server_that_sends_what_is_true() -> None:
    """As daphne: it looks with ``get``, and would send nothing."""
    socket = await Socket().accept()
    await socket.send({"type": "websocket.send", "bytes": b""})
    await eventually(lambda: socket.client.sent)
    (message,) = socket.client.sent
    assert message.get("bytes")
    assert message["bytes"] == b""
    await socket.send({"type": "websocket.close"})
    await socket.over()


async def test_a_client_whose_connection_breaks_while_it_is_sent_something() -> None:
    """Nobody is left to be told."""
    socket = await Socket().accept()
    socket.client.broken = True
    await socket.send({"type": "websocket.send", "text": "a"})
    await soon(socket.carrying)
    assert (await soon(socket.receive()))["type"] == "websocket.disconnect"
    await socket.over()
    assert socket.client.sent == []


async def test_a_poll_whose_connection_breaks_while_it_is_answered() -> None:
    """The owner hears that its answer was lost; the server is not asked to send another one."""
    served = Served()
    pair, client = Forwarding(served), Connection()
    client.broken = True
    carrying = pair.http(client)
    _, send = await soon(served.ends)
    await send(START)
    with pytest.raises(ConnectionError):
        await soon(send({"type": "http.response.body", "body": b"x"}))
    await soon(carrying)


# The upgrade


async def test_a_process_ends_when_clients_have_upgraded() -> None:
    """A client whose probe was answered does not go back to polling before its ping timeout."""
    socket = await Socket().accept()
    tunnels = socket.pair.gate.tunnels
    await socket.send({"type": "websocket.send", "text": "3probe"})
    await eventually(lambda: socket.client.values("text") == ["3probe"])
    assert tunnels.upgrading
    socket.client.put("websocket.receive", text="5")
    assert (await soon(socket.receive()))["text"] == "5"
    assert not tunnels.upgrading
    await socket.send({"type": "websocket.close"})
    await socket.over()


async def test_a_process_that_ends_answers_no_probe() -> None:
    socket = await Socket().accept()
    socket.pair.hub.leaving = True
    await socket.send({"type": "websocket.send", "text": "3probe"})
    await soon(socket.carrying)
    assert socket.client.sent == [{"type": "websocket.close", "code": 1012}]
    assert not socket.pair.gate.tunnels.upgrading
    await socket.over()


async def test_a_process_that_ends_has_waiting_polls_answered() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.http(client)
    receive, send = await soon(served.ends)
    assert (await soon(receive()))["type"] == "http.request"
    pair.gate.tunnels.release_requests()
    assert await soon(receive()) == {"type": forwarding.RELEASE_TYPE}
    released = asyncio.ensure_future(pair.gate.tunnels.wait_until_released())
    await asyncio.sleep(0)
    assert not released.done()
    await send(START)
    await send({"type": "http.response.body", "body": b"6"})
    await soon(released)
    await soon(carrying)


async def test_a_process_that_ends_has_later_polls_answered_at_once() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    pair.gate.tunnels.release_requests()
    carrying = pair.http(client)
    receive, _ = await soon(served.ends)
    assert (await soon(receive()))["type"] == "http.request"
    assert await soon(receive()) == {"type": forwarding.RELEASE_TYPE}
    client.put("http.disconnect")
    await soon(carrying)


async def test_a_process_that_ends_keeps_websockets_for_now() -> None:
    socket = await Socket().accept()
    tunnels = socket.pair.gate.tunnels
    tunnels.release_requests()
    await soon(tunnels.wait_until_released())
    await socket.send({"type": "websocket.send", "text": "still here"})
    await eventually(lambda: socket.client.values("text") == ["still here"])
    await socket.send({"type": "websocket.close"})
    await socket.over()


async def test_a_frame_with_both_keys() -> None:
    """Some servers send both, one of them None."""
    socket = await Socket().accept()
    socket.client.put("websocket.receive", text=None, bytes=b"b")
    socket.client.put("websocket.receive", text="a", bytes=None)
    assert (await soon(socket.receive()))["bytes"] == b"b"
    assert (await soon(socket.receive()))["text"] == "a"
    await socket.send({"type": "websocket.send", "text": None, "bytes": b"c"})
    await eventually(lambda: socket.client.values("bytes") == [b"c"])
    await socket.send({"type": "websocket.close"})
    await socket.over()


async def test_a_refusal() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.websocket(client, extensions={"websocket.http.response": {}})
    _, send = await soon(served.ends)
    assert served.scope["extensions"] == {"websocket.http.response": {}}
    headers = [(b"a", b"b")]
    refusal = [
        {"type": "websocket.http.response.start", "status": 400, "headers": headers},
        {"type": "websocket.http.response.body", "body": b"no"},
    ]
    for message in refusal:
        await send(message)
    await soon(carrying)
    assert client.sent == refusal
    served.over.set_result(None)
    await eventually(lambda: pair.idle)


async def test_a_client_that_leaves() -> None:
    socket = await Socket().accept()
    socket.client.put("websocket.receive", text="last")
    socket.client.put("websocket.disconnect", code=1001)
    assert (await soon(socket.receive()))["text"] == "last"
    assert await soon(socket.receive()) == {"type": "websocket.disconnect", "code": 1001}
    await socket.over()
    assert socket.client.sent == []


async def test_a_client_that_leaves_before_it_is_accepted() -> None:
    served = Served()
    pair, client = Forwarding(served), Connection()
    carrying = pair.websocket(client)
    receive, send = await soon(served.ends)
    client.put("websocket.disconnect", code=1006)
    assert await soon(receive()) == {"type": "websocket.connect"}
    await send({"type": "websocket.accept"})
    assert (await soon(receive()))["type"] == "websocket.disconnect"
    served.over.set_result(None)
    await soon(carrying)
    await eventually(lambda: pair.idle)


@pytest.mark.parametrize("side", ["gate", "owner"])
async def test_a_loss_ends_the_websocket_at_both_ends(side: str) -> None:
    """The client is told to come again; the session is told that the client has gone."""
    socket = await Socket().accept()
    noticed: Process = getattr(socket.pair, side)
    noticed.tunnels.break_tunnels(noticed.other.name)
    assert await soon(socket.receive()) == {"type": "websocket.disconnect", "code": 1006}
    await socket.over()
    assert socket.client.sent == [{"type": "websocket.close", "code": 1012}]


async def test_what_came_before_the_loss_is_still_delivered() -> None:
    socket = await Socket().accept()
    socket.client.writable.clear()
    for number in range(3):
        await socket.send({"type": "websocket.send", "text": str(number)})
    await eventually(lambda: len(socket.pair.owner.sent) >= 4)
    await asyncio.sleep(0)
    socket.pair.gate.tunnels.break_tunnels("owner")
    socket.client.writable.set()
    await socket.over()
    assert socket.client.values("text") == ["0", "1", "2"]
    assert socket.client.values("code") == [1012]


async def test_what_comes_after_the_loss_is_not() -> None:
    """Not even what came in the very message that showed the loss."""
    socket = await Socket().accept()
    owner, gate = socket.pair.owner, socket.pair.gate
    number = gate.sent[0][1]
    owner.receive("gate", [Kind.IN, number, ["text", "before"]])
    owner.tunnels.break_tunnels("gate")
    owner.receive("gate", [Kind.IN, number, ["text", "after"]])
    assert (await soon(socket.receive()))["text"] == "before"
    assert (await soon(socket.receive()))["type"] == "websocket.disconnect"

    gate.receive("owner", [Kind.OUT, number, ["text", "before"]])
    gate.tunnels.break_tunnels("owner")
    gate.receive("owner", [Kind.OUT, number, ["text", "after"]])
    await socket.over()
    assert socket.client.values("text") == ["before"]


async def test_an_owner_that_never_accepts() -> None:
    pair, client = Forwarding(echo), Connection()
    pair.gate.drops = lambda operation: operation[0] == Kind.OPEN
    assert await is_unknown(pair.websocket(client))
    assert client.sent == []


async def test_a_client_that_reads_slowly_holds_up_the_sender() -> None:
    socket = await Socket().accept()
    socket.client.writable.clear()
    sent = 0

    async def send() -> None:
        nonlocal sent
        for _ in range(100):
            await socket.send({"type": "websocket.send", "bytes": b"x" * 50_000})
            sent += 1

    sending = asyncio.ensure_future(send())
    await eventually(lambda: sent * 50_000 > WINDOW * 0.9)
    await asyncio.sleep(0.05)
    assert sent * 50_000 < WINDOW * 1.5
    socket.client.writable.set()
    await soon(sending)
    await eventually(lambda: len(socket.client.sent) == 100)
    await socket.send({"type": "websocket.close"})
    await socket.over()


@pytest.mark.parametrize("breaks", [False, True])
async def test_a_client_that_reads_no_more_is_not_waited_for_for_ever(breaks: bool) -> None:
    """Its session has ended: it has answered no ping, or its owner has closed it."""
    socket = Socket()
    hub = socket.pair.hub
    hub.settings = replace(hub.settings, ping_interval=0.05, ping_timeout=0.05)
    await socket.accept()
    socket.client.writable.clear()
    if breaks:
        socket.pair.gate.tunnels.break_tunnels("owner")
    else:
        await socket.send({"type": "websocket.send", "text": "unread"})
        await socket.send({"type": "websocket.close"})
    await socket.over()
    assert socket.client.sent == []


async def test_an_owner_that_reads_slowly_holds_up_the_client() -> None:
    socket = await Socket().accept()
    for number in range(100):
        socket.client.put("websocket.receive", bytes=bytes([number]) * 50_000)
    await eventually(lambda: socket.client.read * 50_000 > WINDOW * 0.9)
    await asyncio.sleep(0.05)
    assert socket.client.read * 50_000 < WINDOW * 1.5
    got = [(await soon(socket.receive()))["bytes"][0] for _ in range(100)]
    assert got == list(range(100))
    await socket.send({"type": "websocket.close"})
    await socket.over()


async def test_a_sender_that_waits_hears_of_the_end() -> None:
    socket = await Socket().accept()
    socket.client.writable.clear()
    await socket.send({"type": "websocket.send", "text": "what the gate waits with"})
    sending = asyncio.ensure_future(
        socket.send({"type": "websocket.send", "bytes": b"x" * 2 * WINDOW})
    )
    await asyncio.sleep(0.01)
    assert not sending.done()
    socket.pair.owner.tunnels.break_tunnels("gate")
    with pytest.raises(ConnectionError):
        await soon(sending)
    with pytest.raises(ConnectionError):
        await socket.send({"type": "websocket.send", "text": "more"})
    socket.client.writable.set()
    await socket.over()


async def test_a_client_that_waits_with_its_frames_hears_of_the_end() -> None:
    socket = await Socket().accept()
    socket.client.put("websocket.receive", bytes=b"x" * 2 * WINDOW)
    await eventually(lambda: socket.client.read == 1)
    await asyncio.sleep(0.01)
    socket.pair.gate.tunnels.break_tunnels("owner")
    await socket.over()
    assert socket.client.sent == [{"type": "websocket.close", "code": 1012}]


# What must not happen


async def test_others_cannot_meddle() -> None:
    """A tunnel's number means nothing without the process at its other end."""
    socket = await Socket().accept()
    for number in (0, 1, 2):
        for operation in (
            [Kind.OUT, number, ["text", "forged"]],
            [Kind.OVER, number],
            [Kind.CREDIT, number, -5 * WINDOW],
            [Kind.ALIVE, number],
        ):
            socket.pair.gate.receive("stranger", operation)
        for operation in (
            [Kind.IN, number, ["text", "forged"]],
            [Kind.ABORT, number],
            [Kind.RECEIPT, number, -5 * WINDOW],
        ):
            socket.pair.owner.receive("stranger", operation)
    await socket.send({"type": "websocket.send", "text": "real"})
    await eventually(lambda: socket.client.sent)
    assert socket.client.values("text") == ["real"]
    await socket.send({"type": "websocket.close"})
    await socket.over()


async def test_frames_for_a_tunnel_that_is_over_tell_the_gate() -> None:
    """What it heard of the end may have been lost."""
    socket = await Socket().accept()
    socket.pair.owner.drops = lambda operation: True
    await socket.send({"type": "websocket.close"})
    socket.served.over.set_result(None)
    await eventually(lambda: not socket.pair.owner.tunnels.nodes())
    socket.pair.owner.drops = lambda operation: False
    socket.client.put("websocket.receive", text="anybody there?")
    await soon(socket.carrying)
    assert socket.client.values("code") == [1012]
    assert socket.pair.idle


async def test_two_tunnels_do_not_mix() -> None:
    first, pair = await Socket().accept(), Forwarding(echo)
    clients = [Connection(str(number).encode()) for number in range(20)]
    await asyncio.gather(*(soon(pair.http(client, "POST")) for client in clients))
    bodies = [client.values("body") for client in clients]
    assert bodies == [[str(number).encode()] for number in range(20)]
    await first.send({"type": "websocket.close"})
    await first.over()
