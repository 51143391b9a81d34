"""One address cannot lock out the others: pending sessions, handshakes and refused CONNECTs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from django_socketio import ConnectionRefused, SocketIOConsumer
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.sockets.clients import (
    DISMISSED,
    OVERDUE,
    TOO_MANY_REFUSALS,
    TOO_MANY_REFUSALS_OF_ADDRESS,
)
from django_socketio.sockets.places import TOO_FAST, TOO_MANY, TOO_MANY_OF_ADDRESS
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, Frames, nothing_else, start
from tests.harness.protocol import connect_packet
from tests.harness.servers import HOSTILE, Server
from tests.harness.sizes import sizes
from tests.harness.waiting import eventually
from tests.harness.wire import Poller, flood, open_peer

from .inprocess import (
    Wire,
    client_of,
    exchange,
    handshake,
    joined,
    of_session,
    opened,
    registered,
)

EVIL, HONEST = "127.0.0.2", "127.0.0.3"
ELSEWHERE = ("192.0.2.1", 1)


def come_at_once(server: Server, source: str) -> None:
    """Connect from an address, on both transports: the first attempt must do."""
    poller = Poller(server, source=source)
    poller.join()
    with open_peer(server, source=source) as peer:
        assert peer.echoes()
    poller.post("1")


@pytest.mark.parametrize("number", sizes(12_000, 100_000))
def test_one_connection_s_handshakes_lock_nobody_out(
    uvicorn: Server, number: int, bystander: Any
) -> None:
    before = uvicorn.state()["held"]["pending"]  # of other tests
    with ThreadPoolExecutor(1) as thread:
        flooding = thread.submit(flood, uvicorn, number, EVIL)
        while not flooding.done():
            come_at_once(uvicorn, HONEST)
    statuses = flooding.result()
    assert set(statuses) <= {200, 429}
    assert statuses.total() == number
    come_at_once(uvicorn, "127.0.0.4")
    assert uvicorn.state()["held"]["pending"] <= before + 5000


def test_handshakes_of_many_addresses_lock_nobody_out(own_server: Any) -> None:
    limits = {"MAX_PENDING_SESSIONS": 100, "MAX_PENDING_SESSIONS_PER_ADDRESS": 60}
    server = own_server(app=HOSTILE, socketio=limits)
    early = Poller(server, source=HONEST)
    for number in range(20, 30):
        assert flood(server, 100, f"127.0.0.{number}") == {200: 100}
    come_at_once(server, "127.0.0.4")
    early.join()  # it was first of all, and had no more than its share
    held = server.state()["held"]
    assert held["pending"] <= 100
    assert held["clients"] <= 101


def test_a_flood_from_the_client_s_own_address_does_not_lock_it_out(server: Server) -> None:
    """Behind a proxy that nobody trusts, all clients have one address."""
    flood(server, 200, HONEST)
    come_at_once(server, HONEST)


# Exactly so many


class SlowMiddleware:
    """Waits before the handshake goes on, as a session store may; ends as it is told."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = 0
        self.fails = self.answers = False

    def __call__(self, inner: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            self.running += 1
            try:
                await self.gate.wait()
                if self.fails:
                    raise LookupError("on purpose")
                if self.answers:
                    await send({"type": "http.response.start", "status": 418, "headers": []})
                    await send({"type": "http.response.body", "body": b""})
                    return
                await inner(scope, receive, send)
            finally:
                self.running -= 1

        return app


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_a_slow_session_store_does_not_lift_the_cap(settings: Any, transport: str) -> None:
    settings.SOCKETIO = {"MAX_PENDING_SESSIONS": 20}
    slow = SlowMiddleware()
    application = SocketIOApplication(nothing_else, middleware=slow)
    too_many = counters.limits[TOO_MANY]
    if transport == "polling":
        exchanges = [Exchange(application) for _ in range(500)]
        tasks = [start(each.call()) for each in exchanges]
    else:
        websockets = [Frames(application) for _ in range(500)]
        for each in websockets:
            each.put("connect")
        tasks = [each.task for each in websockets]
    await eventually(lambda: counters.limits[TOO_MANY] == too_many + 480, "the others to go")
    hub = current_hub()
    assert (slow.running, hub.clients.pending, len(hub.clients)) == (20, 20, 0)
    slow.gate.set()
    await eventually(lambda: len(hub.clients) == 20, "the sessions")
    assert hub.clients.pending == 20
    if transport == "polling":
        await asyncio.gather(*tasks)
        assert Counter(each.status for each in exchanges) == {200: 20, 503: 480}
    else:
        for each in websockets[:20]:
            await each.drop()
        assert Counter(each.messages[0].get("status") for each in websockets) == {
            None: 20,
            503: 480,
        }
        assert hub.clients.pending == 0


async def test_no_place_is_lost_whatever_becomes_of_a_handshake() -> None:
    slow = SlowMiddleware()
    application = SocketIOApplication(nothing_else, middleware=slow)
    clients = current_hub().clients

    # The client goes: the ASGI server cancels its request.
    websocket = Frames(application)
    websocket.put("connect")
    tasks = [start(Exchange(application).call()), websocket.task]
    await eventually(lambda: slow.running == 2, "the middleware")
    assert clients.pending == 2
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert clients.pending == 0

    # The middleware fails, or answers itself.
    slow.gate.set()
    slow.fails = True
    assert (await Exchange(application).run()).status == 503
    slow.fails, slow.answers = False, True
    assert (await Exchange(application).run()).status == 418
    slow.answers = False

    # The WebSocket is gone before it is accepted.
    websocket = Frames(application)
    websocket.broken = True
    websocket.put("connect")
    await websocket.ended()
    assert clients.pending == 0
    assert len(clients) == 0


# One address


async def test_an_address_has_so_many_sessions_without_a_namespace(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_PENDING_SESSIONS_PER_ADDRESS": 3}
    given_way = counters.limits[DISMISSED]
    sids = [await handshake() for _ in range(4)]
    elsewhere = [await handshake(client=ELSEWHERE) for _ in range(3)]
    assert [client_of(sid) is None for sid in sids] == [True, False, False, False]
    assert all(client_of(sid) for sid in elsewhere)
    assert counters.limits[DISMISSED] == given_way + 1
    websocket = await opened()
    later = await opened()
    assert client_of(sids[2]) is None
    for _ in range(2):
        await handshake()
    # The WebSocket is closed, so that its client comes again.
    assert (await websocket.receive_message())["type"] == "websocket.close"
    assert client_of(later.id) is not None
    await websocket.leave()
    await later.leave()


@pytest.mark.parametrize("packet", [b"4nonsense", b"40", b"40/nowhere,"])
async def test_sessions_that_are_over_and_whose_clients_never_poll_are_not_kept(
    settings: Any, packet: bytes
) -> None:
    """They were, for half a minute: handshakes without end escaped the limit by an error each."""
    settings.SOCKETIO = {"MAX_PENDING_SESSIONS": 10, "MAX_REFUSALS_PER_ADDRESS": 1}
    overdue = counters.limits[OVERDUE]
    clients = current_hub().clients
    with registered(Refusing):
        sids = []
        for _ in range(50):
            sids.append(await handshake())
            await exchange(of_session(sids[-1]), "POST", pieces=[packet])
            await eventually(lambda: not current_hub().runtime.tasks, "the CONNECT")
        # Of refused CONNECTs the first is none too many.
        left = 10 if packet == b"4nonsense" else 11
        assert len(clients) == left
        assert counters.limits[OVERDUE] == overdue + 50 - left
        assert (await exchange(of_session(sids[1]))).json["message"] == "Session ID unknown"
        assert (await exchange(of_session(sids[-1]))).status == 200


class Gated(SocketIOConsumer):
    gate: asyncio.Event

    async def connect(self, auth: Any) -> None:
        await self.gate.wait()
        if auth == {"refused": True}:
            raise ConnectionRefused


async def test_who_is_about_to_enter_a_namespace_is_not_sent_away(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_PENDING_SESSIONS_PER_ADDRESS": 3}
    too_many = counters.limits[TOO_MANY_OF_ADDRESS]
    Gated.gate = asyncio.Event()
    with registered(Gated):
        entering = [await opened() for _ in range(3)]
        await entering[0].send("40")
        await entering[1].send(connect_packet("/", {"refused": True}))
        await entering[2].send("40")
        clients = [wire.client for wire in entering]
        await eventually(lambda: all(client.sockets for client in clients), "their CONNECTs")
        page = (b"origin", b"http://testserver")
        answer = await exchange(headers=[page])
        assert (answer.status, answer.body) == (429, b"")
        assert answer.headers["access-control-allow-origin"] == "http://testserver"
        refused = await Wire(extensions={"websocket.http.response": {}}).refused()
        assert refused["status"] == 429
        assert (await Wire().refused())["type"] == "websocket.close"
        assert counters.limits[TOO_MANY_OF_ADDRESS] == too_many + 3
        # Who has changed his mind keeps no place by it.
        await entering[2].send("41")
        await eventually(lambda: not clients[2].sockets, "the DISCONNECT")
        await handshake()
        assert client_of(entering[2].id) is None
        Gated.gate.set()
        assert (await entering[0].receive()).startswith("40")
        assert (await entering[1].receive()).startswith("44")
        # One has entered, so there is a place more; then goes the one that was refused.
        await handshake()
        assert client_of(entering[1].id) is not None
        await handshake()
        await handshake()
        assert client_of(entering[0].id) is not None
        assert client_of(entering[1].id) is None
        for wire in entering:
            await wire.drop()
        await eventually(lambda: not current_hub().runtime.tasks, "everything to end")


@pytest.mark.parametrize("client", [None, ("", 0)])
async def test_clients_without_an_address_share_the_process_s_limit(
    settings: Any, client: Any
) -> None:
    settings.SOCKETIO = {
        "MAX_PENDING_SESSIONS": 10,
        "MAX_PENDING_SESSIONS_PER_ADDRESS": 1,
        "MAX_HANDSHAKES_PER_ADDRESS": 1,
    }
    sids = [await handshake(client=client) for _ in range(12)]
    assert [client_of(sid) is None for sid in sids] == [True] * 2 + [False] * 10


async def test_ipv6_counts_by_network(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_PENDING_SESSIONS_PER_ADDRESS": 2}
    sids = [await handshake(client=(f"2001:db8::{number}", 1)) for number in range(4)]
    assert [client_of(sid) is None for sid in sids] == [True, True, False, False]
    await handshake(client=("2001:db8:0:1::1", 1))
    assert client_of(sids[2]) is not None


@pytest.mark.parametrize("trusted", [1, ["127.0.0.0/8"]])
async def test_behind_a_proxy_that_is_trusted_each_client_has_its_own_address(
    settings: Any, trusted: Any
) -> None:
    limits = {"MAX_PENDING_SESSIONS_PER_ADDRESS": 1, "TRUSTED_PROXIES": trusted}

    def seen_by_proxy(address: str) -> list[tuple[bytes, bytes]]:
        return [(b"x-forwarded-for", f"203.0.113.9, {address}".encode())]

    settings.SOCKETIO = limits
    sids = [await handshake(seen_by_proxy(f"192.0.2.{number}")) for number in range(5)]
    assert all(client_of(sid) for sid in sids)
    await handshake(seen_by_proxy("192.0.2.0"))
    assert client_of(sids[0]) is None
    with registered(SocketIOConsumer):
        wire = await joined(seen_by_proxy("192.0.2.7"))
        (socket,) = wire.client.sockets.values()
        assert socket.handshake.address == "192.0.2.7"
        await wire.leave()


async def test_handshakes_of_an_address_in_a_second(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SOCKETIO = {"MAX_HANDSHAKES_PER_ADDRESS": 5}
    too_fast = counters.limits[TOO_FAST]
    address = "192.0.2.1\n1970-01-01 forged"
    answers = [await exchange(client=(address, 1)) for _ in range(200)]
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses[:6] == [200] * 5 + [429]
    assert await handshake(client=ELSEWHERE)
    assert counters.limits[TOO_FAST] == too_fast + statuses.count(429)
    records = [record for record in caplog.records if TOO_FAST in record.getMessage()]
    assert [record.levelname for record in records].count("WARNING") == 1
    assert all("192.0.2.1\\n1970" in record.getMessage() for record in records)


# Refused CONNECTs


class Refusing(SocketIOConsumer):
    tried = 0

    async def authenticate(self, auth: Any) -> Any:
        Refusing.tried += 1
        raise ConnectionRefused("wrong token")


async def test_refused_connects_of_a_session_come_to_an_end(settings: Any) -> None:
    """They did not: 3000 in less than a second on one connection."""
    settings.SOCKETIO = {"MAX_REFUSALS": 10}
    refusals = counters.limits[TOO_MANY_REFUSALS]
    with registered(Refusing, "/refusing"), registered(SocketIOConsumer):
        wire = await joined()
        Refusing.tried = 0
        await wire.send(*["40/refusing,"] * 100)
        told = await wire.rest()
        # Who is told so does not come again; who only loses the connection would.
        assert told == ['44/refusing,{"message":"wrong token"}'] * 11
        assert Refusing.tried == 11
        assert counters.limits[TOO_MANY_REFUSALS] == refusals + 1
        await wire.leave()


async def test_refused_connects_of_an_address_in_a_second(settings: Any) -> None:
    settings.SOCKETIO = {"MAX_REFUSALS": 1000, "MAX_REFUSALS_PER_ADDRESS": 10}
    refusals = counters.limits[TOO_MANY_REFUSALS_OF_ADDRESS]
    with registered(Refusing):
        first, second = await opened(), await opened()
        for _ in range(5):
            for wire in (first, second):
                await wire.send("40")
                assert (await wire.receive()).startswith("44")
        elsewhere = await opened(client=ELSEWHERE)
        await elsewhere.send("40", "40")
        await first.send(*["40"] * 500)
        assert set(await first.rest()) == {'44{"message":"wrong token"}'}
        assert counters.limits[TOO_MANY_REFUSALS_OF_ADDRESS] == refusals + 1
        assert second.client.session.state == "open"
        for _ in range(2):
            assert (await elsewhere.receive()).startswith("44")
        for wire in (first, second, elsewhere):
            await wire.leave()


@pytest.mark.parametrize("over_polling", [False, True])
def test_refused_connects_over_the_wire(server: Server, over_polling: bool) -> None:
    """A hundred at most, then the session is over."""
    told: list[Any] = []
    with server.counting("limits", TOO_MANY_REFUSALS):
        if over_polling:
            poller = Poller(server, source="127.0.0.5")
            for _ in range(101):
                poller.post(connect_packet("/members"))
            while told[-1:] != ["1"]:
                told += poller.poll()
            told.pop()
            assert poller.is_gone()
        else:
            with open_peer(server, source="127.0.0.6") as peer:
                peer.send(*[connect_packet("/members")] * 200)
                told += peer.frames_until_closed()
    assert told == ['44/members,{"message":"Login required"}'] * 101
    with open_peer(server, source=HONEST) as peer:
        assert peer.echoes()
