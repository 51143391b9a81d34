"""A client that lost its connection gets back its state and the packets that it missed."""

from __future__ import annotations

from asyncio import Event, create_task, ensure_future
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User

from django_socketio import ConnectionRefused, event, io, register
from django_socketio.addressing.logins import Login
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.harness.waiting import eventually
from tests.server.clients import Client, is_running
from tests.server.consumers import Base


class Lost:
    """What a client knows when it has lost its connection: its ids and the last offset."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.sid, self.pid = details["sid"], details["pid"]
        self.offset: str | None = None

    @property
    def auth(self) -> dict[str, Any]:
        known = {} if self.offset is None else {"offset": self.offset}
        return {"pid": self.pid, **known}

    def saw(self, args: list[Any]) -> list[Any]:
        """Take an event's arguments as the official client does; return the project's own."""
        if isinstance(args[-1], str):
            self.offset = args[-1]
        return args[:-1]


Come = Callable[..., Awaitable[tuple[Client, dict[str, Any]]]]


@pytest.fixture
def options() -> dict[str, Any] | bool:
    return True


@pytest.fixture(autouse=True)
def _recovery(settings: Any, options: Any) -> None:
    settings.SOCKETIO = {"CONNECTION_STATE_RECOVERY": options}


@pytest_asyncio.fixture
async def come(application: SocketIOApplication) -> AsyncIterator[Come]:
    """Connects a client, and returns it with what came with CONNECT."""
    clients: list[Client] = []

    async def make(
        auth: Any = None, user: Any = None, namespace: str = "/"
    ) -> tuple[Client, dict[str, Any]]:
        client = Client(application, namespace, auth, user)
        clients.append(client)
        return client, (await client.connect())[1]

    yield make
    for client in clients:
        if is_running(client):
            await client.disconnect()


async def events(client: Client, lost: Lost) -> list[Any]:
    """The first arguments of all events that have come."""
    return [lost.saw(args)[0] for _, *args in await client.arrived()]


class Consumer(Base):
    seen: list[Any]

    async def connect(self, auth: Any) -> None:
        self.seen.append(("connect", self.recovered, sorted(self.rooms - {self.sid}), self.data))
        if not self.recovered:
            self.join("lobby")
            self.data["name"] = "Ann"
        else:
            self.emit("hello", "again")

    async def disconnect(self, reason: str) -> None:
        self.seen.append(("disconnect", reason, sorted(self.rooms - {self.sid})))

    @event
    async def leave_it(self) -> None:
        self.leave("lobby")

    @event
    async def move(self, room: str) -> None:
        self.join(room)


@pytest.fixture(autouse=True)
def seen() -> list[Any]:
    found: list[Any] = []
    register()(type("Own", (Consumer,), {"seen": found}))
    return found


async def test_everything_comes_back(come: Come, seen: list[Any]) -> None:
    client, details = await come()
    lost = Lost(details)
    io.to("lobby").emit("news", 1)
    assert await events(client, lost) == [1]
    await client.disconnect(1001)
    assert await io.afetch_sockets() == []
    io.to("lobby").emit("news", 2)
    io.emit("news", 3)
    io.to(lost.sid).emit("news", 4)
    io.to("elsewhere").emit("news", "not for it")
    io.exclude("lobby").emit("news", "not for it either")
    io.volatile.emit("news", "dropped")
    io.to("lobby").emit("news", b"\0\1")
    client, again = await come(lost.auth)
    assert again == details
    assert await events(client, lost) == [2, 3, 4, b"\0\1", "again"]
    assert seen == [
        ("connect", False, [], {"name": "Ann"}),
        ("disconnect", "transport close", ["lobby"]),
        ("connect", True, ["lobby"], {"name": "Ann"}),
    ]
    io.to("lobby").emit("news", 5)
    assert await events(client, lost) == [5]
    (socket,) = await io.afetch_sockets()
    assert (socket.sid, socket.data) == (lost.sid, {"name": "Ann"})
    assert socket.rooms == {lost.sid, "lobby"}


async def test_what_was_written_but_not_seen_comes_again(come: Come) -> None:
    client, details = await come()
    lost = Lost(details)
    for number in range(5):
        io.to("lobby").emit("news", number)
    seen = [args for _, *args in await client.arrived()]
    lost.saw(seen[2])
    await client.disconnect(1001)
    client, again = await come(lost.auth)
    assert again == details
    assert await events(client, lost) == [3, 4, "again"]


async def test_a_client_that_has_seen_nothing_gets_all(come: Come) -> None:
    client, details = await come()
    lost = Lost(details)
    io.emit("news", 1)
    await client.disconnect(1001)
    io.emit("news", 2)
    client, again = await come(lost.auth)
    assert again == details
    assert await events(client, lost) == [1, 2, "again"]


async def test_nothing_comes_twice_over_several_losses(come: Come) -> None:
    client, details = await come()
    lost, got = Lost(details), []
    for number in range(0, 30, 3):
        io.emit("news", number)
        got += await events(client, lost)
        io.emit("news", number + 1)
        await client.disconnect(1001)
        io.emit("news", number + 2)
        client, again = await come(lost.auth)
        assert again == details
    got += await events(client, lost)
    assert [item for item in got if item != "again"] == list(range(30))


async def test_a_room_that_was_left_or_joined(come: Come) -> None:
    client, details = await come()
    lost = Lost(details)
    io.to("late").emit("news", "before it joined")
    await client.call("leave_it")
    await client.call("move", "late")
    await client.disconnect(1001)
    io.to("lobby").emit("news", 1)
    io.to("late").emit("news", 2)
    client, _ = await come(lost.auth)
    assert await events(client, lost) == [2, "again"]


@pytest.mark.parametrize(
    "auth",
    [
        {"pid": 5},
        {"pid": "x" * 28, "offset": "y"},
        {"pid": "short"},
        {"offset": "y"},
        {"pid": "\0" * 28, "offset": ["y"]},
    ],
)
async def test_a_claim_that_is_none(come: Come, seen: list[Any], auth: Any) -> None:
    _, details = await come(auth)
    assert set(details) == {"sid", "pid"}
    assert [item[1] for item in seen] == [False]


async def test_an_offset_that_nobody_gave(come: Come) -> None:
    client, details = await come()
    lost = Lost(details)
    io.emit("news", 1)
    await events(client, lost)
    await client.disconnect(1001)
    lost.offset = "unheard"
    _, again = await come(lost.auth)
    assert again["pid"] != details["pid"]


async def test_a_client_that_comes_before_its_loss_is_noticed(come: Come, seen: list[Any]) -> None:
    client, details = await come()
    lost = Lost(details)
    io.to("lobby").emit("news", 1)
    again, known = await come(lost.auth)
    assert known == details
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    await client.wait(5)
    assert await events(again, lost) == [1, "again"]
    assert len(await io.afetch_sockets()) == 1
    assert ("disconnect", "transport close", ["lobby"]) in seen


async def test_a_socket_that_the_server_has_closed_does_not_come_back(come: Come) -> None:
    client, details = await come()
    io.disconnect_sockets(close=True)
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    await client.wait(5)
    _, again = await come(Lost(details).auth)
    assert again["sid"] != details["sid"]


@pytest.mark.django_db(transaction=True)
async def test_another_user_gets_nothing(come: Come) -> None:
    ann = await User.objects.acreate(username="ann")
    bob = await User.objects.acreate(username="bob")
    client, details = await come(user=ann)
    lost = Lost(details)
    await client.disconnect(1001)
    io.to(ann).emit("news", 1)
    client, other = await come(lost.auth, bob)
    assert other["sid"] != details["sid"]
    assert await client.arrived() == []
    _, nobody = await come(lost.auth)
    assert nobody["sid"] != details["sid"]
    client, again = await come(lost.auth, ann)
    assert again == details
    assert await events(client, lost) == [1, "again"]


async def test_a_refusal_ends_the_session(come: Come) -> None:
    @register("/picky")
    class Picky(Base):
        async def connect(self, auth: Any) -> None:
            if self.recovered:
                raise ConnectionRefused("not again")

    client, details = await come(namespace="/picky")
    await client.disconnect(1001)
    assert current_hub().local.recovery.waiting.sessions
    client, answer = await come(Lost(details).auth, namespace="/picky")
    assert answer == {"message": "not again"}
    assert not current_hub().local.recovery.waiting.sessions


@pytest.fixture
def slow() -> tuple[Event, Event]:
    """Serves "/slow", whose connect() waits on the way back; it has come there, it may go on."""
    entered, go_on = Event(), Event()

    @register("/slow")
    class Slow(Base):
        async def connect(self, auth: Any) -> None:
            if not self.recovered:
                self.join("old")
                return
            self.emit("news", "own 1")
            self.join("new")
            entered.set()
            await go_on.wait()
            self.emit("news", "own 2")

    return entered, go_on


async def test_what_is_sent_while_connect_runs_comes_in_order(
    come: Come, slow: tuple[Event, Event]
) -> None:
    entered, go_on = slow
    client, details = await come(namespace="/slow")
    lost = Lost(details)
    await client.disconnect(1001)
    of = io.of("/slow")
    of.to("old").emit("news", 1)
    coming = ensure_future(come(lost.auth, namespace="/slow"))
    await entered.wait()
    of.to("old").emit("news", 2)
    of.to("new").emit("news", 3)
    of.to(lost.sid).emit("news", 4)
    of.emit("news", 5)
    assert await of.afetch_sockets() == []
    go_on.set()
    client, again = await coming
    assert again == details
    of.to("new").emit("news", 6)
    assert await events(client, lost) == [1, "own 1", 2, 3, 4, 5, "own 2", 6]


async def test_a_connection_that_is_lost_while_connect_runs(
    come: Come, slow: tuple[Event, Event]
) -> None:
    entered, go_on = slow
    client, details = await come(namespace="/slow")
    lost = Lost(details)
    await client.disconnect(1001)
    io.of("/slow").to("old").emit("news", 1)
    coming = Client(client.application, "/slow", lost.auth)
    connecting = create_task(coming.connect())
    await entered.wait()
    connecting.cancel()
    await coming.send_input({"type": "websocket.disconnect", "code": 1001})
    go_on.set()
    await coming.wait(5)
    client, again = await come(lost.auth, namespace="/slow")
    assert again == details
    assert (await events(client, lost))[:2] == [1, "own 1"]


class TestBounds:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"MAX_SESSIONS": 3, "MAX_SESSION_SIZE": 20_000, "MAX_TOTAL_SIZE": 50_000}

    async def test_too_many_sessions(self, come: Come) -> None:
        before = counters.limits["too many sessions wait to be recovered"]
        details = []
        for _ in range(4):
            client, known = await come()
            await client.disconnect(1001)
            details.append(known)
        assert counters.limits["too many sessions wait to be recovered"] == before + 1
        assert len(current_hub().local.recovery.waiting.sessions) == 3
        assert (await come(Lost(details[0]).auth))[1] != details[0]
        assert (await come(Lost(details[3]).auth))[1] == details[3]

    async def test_a_session_that_has_missed_too_much(self, come: Come) -> None:
        reason = "a session has missed too much to be recovered"
        before = counters.limits[reason]
        client, details = await come()
        await client.disconnect(1001)
        for _ in range(10):
            io.emit("news", "x" * 2000)
        assert counters.limits[reason] == before + 1
        assert not current_hub().local.recovery.waiting.sessions
        assert (await come(Lost(details).auth))[1] != details

    async def test_too_much_in_all(self, come: Come) -> None:
        reason = "too much is kept for sessions that wait to be recovered"
        before = counters.limits[reason]
        client, details = await come()
        await come()  # it is there, and what it is sent is kept
        await client.disconnect(1001)
        io.emit("news", "first")
        for _ in range(30):
            io.exclude(details["sid"]).emit("news", "x" * 2000)
        waiting = current_hub().local.recovery.waiting
        assert counters.limits[reason] == before + 1
        assert waiting.size <= 50_000
        assert (await come(Lost(details).auth))[1] != details


class TestTime:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"MAX_DISCONNECTION_DURATION": 0.1}

    async def test_too_late(self, come: Come) -> None:
        client, details = await come()
        await client.disconnect(1001)
        recovery = current_hub().local.recovery
        await eventually(lambda: not recovery.waiting.sessions, "the session is forgotten")
        assert (await come(Lost(details).auth))[1] != details


async def test_another_parser(settings: Any, come: Come) -> None:
    settings.SOCKETIO = {**settings.SOCKETIO, "PARSER": "msgpack"}
    client, details = await come()
    lost = Lost(details)
    io.emit("news", 1)
    assert await events(client, lost) == [1]
    await client.disconnect(1001)
    io.emit("news", b"\0")
    client, again = await come(lost.auth)
    assert again == details
    assert await events(client, lost) == [b"\0", "again"]


async def test_what_a_handler_sends_after_the_loss(come: Come) -> None:
    go_on, sent = Event(), Event()

    @register("/late")
    class Late(Base):
        @event
        async def begin(self) -> None:
            await go_on.wait()
            self.emit("news", "late")
            sent.set()

    client, details = await come(namespace="/late")
    lost = Lost(details)
    await client.emit("begin")
    await client.send_input({"type": "websocket.disconnect", "code": 1001})
    waiting = current_hub().local.recovery.waiting
    await eventually(lambda: len(waiting.sessions) == 1, "the loss to be noticed")
    client, again = await come(lost.auth, namespace="/late")
    assert again == details
    go_on.set()
    await sent.wait()
    assert await events(client, lost) == ["late"]


@pytest.mark.django_db(transaction=True)
async def test_a_logout_ends_what_waits(come: Come) -> None:
    client, details = await come()
    await client.disconnect(1001)
    hub = current_hub()
    (session,) = hub.local.recovery.waiting.sessions.values()
    session.login = Login("login", "7")
    hub.members.log_out(["other"], "")
    assert hub.local.recovery.waiting.sessions
    hub.members.log_out(["login"], "")
    assert not hub.local.recovery.waiting.sessions
    assert (await come(Lost(details).auth))[1] != details
