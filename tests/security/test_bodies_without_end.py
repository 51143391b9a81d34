"""Requests and answers end with their session: bodies that never end, answers that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, io
from django_socketio.engineio import Reason
from django_socketio.sockets.client import Client
from django_socketio.sockets.transport import BODY_OVERDUE
from django_socketio.stats import counters
from django_socketio.transports import polling
from django_socketio.transports.bodies import PIECE
from tests.harness.inprocess import Exchange, Message, start
from tests.harness.protocol import PATH, WEBSOCKET
from tests.harness.servers import HOSTILE, Server
from tests.harness.waiting import DEADLINE, eventually, until
from tests.harness.wire import Poller, open_peer, open_socket, read_answer

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

ENDLESS = [b'42["ech']
UNKNOWN_SID = b'{"code": 1, "message": "Session ID unknown"}'
UNREAD = "an answer that was not read"


@pytest.fixture(autouse=True)
def consumer() -> Iterator[None]:
    with registered(SocketIOConsumer):
        yield


async def session() -> tuple[str, Client]:
    """A polling session in the default namespace; its id, and the server's side of it."""
    sid = await handshake()
    await exchange(of_session(sid), "POST", pieces=[b"40"])
    await exchange(of_session(sid))
    client = client_of(sid)
    assert client is not None
    return sid, client


# A POST whose last byte never comes


async def posting(sid: str, client: Client) -> asyncio.Task[Exchange]:
    request = Exchange(application, of_session(sid), "POST", [HOST], ENDLESS, ends=False)
    task = start(request.run())
    await eventually(lambda: request.taken == 2, "the rest of the body to be waited for")
    return task


ENDS: dict[str, Callable[[Client], None]] = {
    "aborted": lambda client: client.abort(Reason.PING_TIMEOUT),
    "closed": lambda client: client.close(Reason.SERVER_CLOSE),
    "disconnected": lambda client: client.disconnect(),
}


@pytest.mark.parametrize("end", ENDS)
async def test_bodies_without_end_end_with_their_session(end: str) -> None:
    sid, client = await session()
    post = await posting(sid, client)
    ENDS[end](client)
    answer = await post
    assert (answer.status, answer.body) == (400, UNKNOWN_SID)


async def test_bodies_without_end_end_in_time(settings: Any) -> None:
    settings.SOCKETIO = {"BODY_TIMEOUT": 0.1}
    sid, client = await session()
    before = counters.limits[BODY_OVERDUE]
    answer = await (await posting(sid, client))
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert client.session.close_reason == "transport error"
    assert client_of(sid) is None
    assert counters.limits[BODY_OVERDUE] == before + 1


async def test_bodies_without_end_end_in_time_after_an_upgrade(settings: Any) -> None:
    """An upgrade ends none: in Node, too, what is under way still counts."""
    settings.SOCKETIO = {"BODY_TIMEOUT": 0.5}
    sid, client = await session()
    post = await posting(sid, client)
    wire = Wire(f"{WEBSOCKET}&sid={sid}")
    await wire.accept()
    await wire.send("2probe", "5")
    assert await wire.receive() == "3probe"
    assert not post.done()
    assert client.session.state == "open"
    assert (await post).status == 408
    assert client.session.close_reason == "transport error"
    await wire.rest()
    await wire.leave()


async def test_a_body_that_comes_slowly_is_handled(settings: Any) -> None:
    settings.SOCKETIO = {"BODY_TIMEOUT": DEADLINE}
    sid, client = await session()
    packets = client.session.packets_in
    answer = await exchange(of_session(sid), "POST", pieces=[b"3", b"\x1e", b"3"])
    assert (answer.status, answer.body) == (200, b"ok")
    assert client.session.packets_in == packets + 2


async def test_bodies_without_end_do_not_outlive_the_server(settings: Any) -> None:
    sid, client = await session()
    post = await posting(sid, client)
    post.cancel()
    with pytest.raises(asyncio.CancelledError):
        await post
    await eventually(lambda: client.transport.post is None, "the POST to end")  # type: ignore[attr-defined]


# An answer that the client does not read


class Unread(Exchange):
    """A poll whose client reads only ``most`` pieces of the answer; later it may go on."""

    def __init__(self, sid: str, most: int = 1) -> None:
        super().__init__(application, of_session(sid), "GET", [HOST])
        self.left = most
        self.stuck = asyncio.Event()
        self.reads = asyncio.Event()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            if not self.left:
                self.stuck.set()
                await self.reads.wait()
            else:
                self.left -= 1
        await super()._send(message)


async def polling_unread(sid: str) -> tuple[Unread, asyncio.Task[None]]:
    """A poll that is to get several pieces, and whose client has read the first."""
    poll = Unread(sid)
    io.emit("large", "x" * PIECE * 4)
    task = start(poll.call())
    await asyncio.wait_for(poll.stuck.wait(), DEADLINE)
    return poll, task


async def test_answers_that_nobody_reads_end_with_their_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "ANSWER_TIMEOUT", 0.05)
    before = counters.limits[UNREAD]
    sid, client = await session()
    poll, task = await polling_unread(sid)
    client.abort(Reason.PING_TIMEOUT)
    await asyncio.wait_for(task, DEADLINE)
    assert len(poll.body) == PIECE
    assert counters.limits[UNREAD] == before + 1


async def test_an_answer_whose_session_ends_while_it_is_compressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def compress(body: bytes, encoding: str, level: int) -> bytes:
        client.abort(Reason.PING_TIMEOUT)
        return body

    monkeypatch.setattr(polling, "ANSWER_TIMEOUT", 0.05)
    monkeypatch.setattr(polling, "compress", compress)
    sid, client = await session()
    poll = Unread(sid)
    poll.scope["headers"].append((b"accept-encoding", b"gzip"))
    io.emit("large", "x" * PIECE * 4)
    await asyncio.wait_for(poll.call(), DEADLINE)
    assert poll.stuck.is_set()


async def test_an_answer_that_nobody_reads_is_left_behind_by_an_upgrade(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "ANSWER_TIMEOUT", 0.05)
    sid, _ = await session()
    _, task = await polling_unread(sid)
    wire = Wire(f"{WEBSOCKET}&sid={sid}")
    await wire.accept()
    await wire.send("2probe", "5")
    assert await wire.receive() == "3probe"
    await asyncio.wait_for(task, DEADLINE)
    await wire.leave()


async def test_a_client_that_reads_slowly_gets_all() -> None:
    sid, client = await session()
    poll, task = await polling_unread(sid)
    assert not task.done()
    poll.reads.set()
    await asyncio.wait_for(task, DEADLINE)
    assert poll.body == b'42["large","' + b"x" * PIECE * 4 + b'"]'
    assert poll.headers["content-length"] == str(len(poll.body))
    client.abort(Reason.TRANSPORT_CLOSE)


@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, PIECE * 2, PIECE * 2 + 1])
async def test_an_answer_in_pieces_is_whole(size: int) -> None:
    sid, client = await session()
    data = "x" * (size - len('42["large",""]'))
    io.emit("large", data)
    poll = await exchange(of_session(sid))
    assert (len(poll.body), poll.packets) == (size, [f'42["large","{data}"]'])
    client.abort(Reason.TRANSPORT_CLOSE)


async def test_many_answers_that_nobody_reads_are_one_client_s_buffer(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll proves that its client reads, unless the answer before it still waits to be read."""
    monkeypatch.setattr(polling, "ANSWER_TIMEOUT", 0.05)
    settings.SOCKETIO = {"MAX_WRITE_BUFFER_SIZE": 10 * PIECE}
    sid, client = await session()
    tasks = [(await polling_unread(sid))[1] for _ in range(2)]
    assert client.session.state == "open"
    io.emit("large", "x" * PIECE * 4)
    assert client.session.detail == "slow client"
    await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE)


# Over the wire


def test_bodies_without_end_over_the_wire(uvicorn: Server) -> None:
    """daphne reads a whole body before anyone else sees the request."""
    poller = Poller(uvicorn)
    poller.join()
    head = f"POST {PATH}?{poller.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
    post = open_socket(uvicorn)
    post.sendall(head.encode() + ENDLESS[0])
    uvicorn.until(lambda state: poller.id in state["posting"], "the POST to be read")
    assert poller.post("3").status == 400  # a second POST ends the session
    answer = read_answer(post)
    assert (answer.status, answer.body) == (400, UNKNOWN_SID)
    post.close()


@pytest.mark.matrix  # those above are the same without a network
@pytest.mark.serial
@pytest.mark.parametrize("own_server", ["uvicorn"], indirect=True)
def test_answers_that_nobody_reads_are_not_kept(own_server: Callable[..., Server]) -> None:
    server = own_server(app=HOSTILE, socketio={"PING_INTERVAL": 1, "PING_TIMEOUT": 1})
    with open_peer(server) as publisher:
        pollers = [Poller(server) for _ in range(8)]
        for poller in pollers:
            poller.join()
            poller.post('42["enter","room"]')
        before = server.memory()
        for _ in range(40):
            publisher.call("publish", "room", 1, 100_000)
        request = "GET {}?{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        socks = [open_socket(server, receive_buffer=4096) for _ in pollers]
        for sock, poller in zip(socks, pollers, strict=True):
            sock.sendall(request.format(PATH, poller.query).encode())
        server.until(lambda state: state["held"]["clients"] == 1, "the sessions to end")
        until(lambda: server.memory() - before < 8_000_000, "the memory to be free again")
        for sock in socks:
            sock.close()
    server.expect_in_log("ASGI callable returned without completing response")
