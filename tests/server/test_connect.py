"""Who is admitted to a namespace, and what happens until then."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.utils.functional import SimpleLazyObject

from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, register
from django_socketio.server.hubs import current_hub
from tests.harness.waiting import eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base
from tests.server.users import Permitted, make_user

Refused = Callable[..., Awaitable[Any]]
Errors = Callable[[], list[logging.LogRecord]]

distinguishes = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="tasks do not tell who was cancelled"
)


# connect()


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("auth", [None, {}, {"token": "x", "deep": [1, None]}])
async def test_connect_gets_what_the_client_sent(connect: Connect, plain: bool, auth: Any) -> None:
    seen: list[Any] = []

    class Async(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            seen.append((auth, self.auth, self.handshake.auth))

    class Plain(SocketIOConsumer):
        def connect(self, auth: Any) -> None:
            seen.append((auth, self.auth, self.handshake.auth))

    register()(Plain if plain else Async)
    await connect(auth=auth)
    assert seen == [(auth, auth, auth)]


async def test_the_client_learns_its_sid(connect: Connect) -> None:
    sids = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            sids.append(self.sid)

    client = await connect()
    assert client.sid == sids[0]


@pytest.mark.parametrize("plain", [False, True])
async def test_what_connect_emits_arrives_after_connect(frames: OpenFrames, plain: bool) -> None:
    def greet(self: SocketIOConsumer) -> None:
        self.emit("one", b"\x01")
        self.send("two")
        self.join("lobby")
        self.namespace.to("lobby").emit("three")
        self.volatile.emit("four")

    class Async(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            greet(self)
            await asyncio.sleep(0)
            self.emit("five")

    class Plain(SocketIOConsumer):
        def connect(self, auth: Any) -> None:
            greet(self)
            self.emit("five")

    register()(Plain if plain else Async)
    client = await frames()
    await client.enter("/")
    assert [await client.receive() for _ in range(6)] == [
        '451-["one",{"_placeholder":true,"num":0}]',
        b"\x01",
        '42["message","two"]',
        '42["three"]',
        '42["four"]',
        '42["five"]',
    ]


async def test_what_connect_awaits_does_not_wait_for_itself(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            await self.emit("large", "x" * 100_000)
            await self.join("lobby")
            await self.to("lobby").emit("joined")

    name, args = await (await connect()).receive_event()
    assert (name, len(args[0])) == ("large", 100_000)


async def test_connect_may_speak_to_others(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            self.join("lobby")
            self.to("lobby").emit("joined", self.sid)

    one = await connect()
    other = await connect()
    assert await one.receive_event() == ("joined", [other.sid])
    assert await other.arrived() == []


async def test_others_reach_rooms_that_connect_has_joined(frames: OpenFrames) -> None:
    gate = asyncio.Event()
    joined = asyncio.Event()

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            await self.join("lobby")
            joined.set()
            await gate.wait()
            self.emit("from connect")

    client = await frames()
    await client.send("40")
    await joined.wait()
    io.to("lobby").emit("early")
    gate.set()
    assert (await client.receive()).startswith("40{")
    assert await client.receive() == '42["early"]'
    assert await client.receive() == '42["from connect"]'


async def test_connected_tells_whether_it_is_there(connect: Connect) -> None:
    seen: list[bool] = []

    @register()
    class Consumer(Base):
        @event
        async def look(self) -> None:
            seen.append(self.connected)

        async def disconnect(self, reason: str) -> None:
            seen.append(self.connected)

    client = await connect()
    await client.call("look")
    await client.disconnect()
    assert seen == [True, False]


# Refusals


@pytest.mark.parametrize("where", ["connect", "authenticate"])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("error", "details"),
    [
        (ConnectionRefused("Wrong token"), {"message": "Wrong token"}),
        (
            ConnectionRefused("Wrong token", data={"code": 401}),
            {"message": "Wrong token", "data": {"code": 401}},
        ),
        (ConnectionRefused("No", data={}), {"message": "No", "data": {}}),
        (ConnectionRefused("No", data=[0]), {"message": "No", "data": [0]}),
        (PermissionDenied("Only for members"), {"message": "Only for members"}),
        (PermissionDenied(), {"message": "Permission denied"}),
    ],
)
async def test_refusals(
    refused: Refused, where: str, plain: bool, error: Exception, details: Any
) -> None:
    left = []

    class Consumer(SocketIOConsumer):
        async def disconnect(self, reason: str) -> None:
            left.append(reason)

    async def refuse(self: Any, auth: Any) -> None:
        raise error

    def refuse_plainly(self: Any, auth: Any) -> None:
        raise error

    body = {where: refuse_plainly if plain else refuse}
    register()(type("Refusing", (Consumer,), body))
    assert await refused() == details
    assert not left


async def test_a_refused_client_is_in_no_room_and_gets_nothing(frames: OpenFrames) -> None:
    @register()
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            self.join("lobby")
            self.emit("never")
            raise ConnectionRefused("No")

    register("/other")(Base)
    client = await frames()
    await client.send("40")
    assert await client.receive() == '44{"message":"No"}'
    io.to("lobby").emit("never")
    io.emit("never")
    assert await io.afetch_sockets() == []
    # The connection stays, for another namespace or another try.
    await client.enter("/other")
    await client.send("40")
    assert await client.receive() == '44{"message":"No"}'


async def test_a_failing_connect_refuses(refused: Refused, errors: Errors) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            raise RuntimeError("secret")

    details = await refused()
    assert set(details) == {"message"}
    assert "secret" not in details["message"]
    (record,) = errors()
    assert record.exc_info is not None


async def test_data_that_cannot_be_sent_still_refuses(refused: Refused, errors: Errors) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            raise ConnectionRefused("No", data=object())

    assert await refused() == {"message": "No"}
    assert len(errors()) == 1


# login_required and permission_required


async def test_login_required(connect: Connect, refused: Refused) -> None:
    connected = []

    @register()
    class Consumer(SocketIOConsumer):
        login_required = True

        async def connect(self, auth: Any) -> None:
            connected.append(self.user.pk)

    assert await refused() == {"message": "Login required"}
    assert await refused(user=AnonymousUser()) == {"message": "Login required"}
    assert not connected
    await connect(user=make_user(7))
    assert connected == [7]


async def test_login_is_not_required_by_default(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event
        async def me(self) -> bool:
            return self.user.is_authenticated

    assert await (await connect()).call("me") is False


@pytest.mark.parametrize(
    ("required", "asked"),
    [
        ("chat.view_message", ("chat.view_message",)),
        (["chat.view_message", "chat.add_message"], ("chat.view_message", "chat.add_message")),
        (("chat.view_message",), ("chat.view_message",)),
    ],
)
async def test_permission_required(
    connect: Connect, refused: Refused, required: Any, asked: tuple[str, ...]
) -> None:
    connected = []

    @register()
    class Consumer(SocketIOConsumer):
        permission_required = required

        async def connect(self, auth: Any) -> None:
            connected.append(self.user)

    user = Permitted(*asked)
    await connect(user=user)
    assert connected == [user]
    assert user.asked == [asked]
    for other in (Permitted(), Permitted(*asked[1:]), None, AnonymousUser()):
        assert await refused(user=other) == {"message": "Permission denied"}
    assert len(connected) == 1


async def test_both_required(refused: Refused) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        login_required = True
        permission_required = "chat.view_message"

    assert await refused() == {"message": "Login required"}
    assert await refused(user=Permitted()) == {"message": "Permission denied"}


@pytest.mark.django_db(transaction=True)
async def test_real_permissions(connect: Connect, refused: Refused) -> None:
    @register()
    class Consumer(Base):
        permission_required = "auth.view_user", "auth.view_group"

    def prepare() -> tuple[User, User, User]:
        members, visitor, boss = (
            User.objects.create(username=name, is_superuser=name == "boss")
            for name in ("member", "visitor", "boss")
        )
        group = Group.objects.create(name="members")
        for name in ("view_user", "view_group"):
            group.permissions.add(Permission.objects.get(codename=name))
        members.groups.add(group)
        return members, visitor, boss

    member, visitor, boss = await database_sync_to_async(prepare)()
    await connect(user=member)
    await connect(user=boss)
    assert await refused(user=visitor) == {"message": "Permission denied"}


# authenticate()


@pytest.mark.parametrize("plain", [False, True])
async def test_authenticate_returns_the_user(connect: Connect, plain: bool) -> None:
    order: list[Any] = []
    bob = make_user(2, username="bob")

    class Consumer(Base):
        login_required = True

        async def connect(self, auth: Any) -> None:
            order.append(("connect", self.user.username))

        @event
        async def me(self) -> str:
            return self.user.username

    class Async(Consumer):
        async def authenticate(self, auth: Any) -> Any:
            order.append(("authenticate", auth))
            return bob

    class Plain(Consumer):
        def authenticate(self, auth: Any) -> Any:
            order.append(("authenticate", auth))
            return bob

    register()(Plain if plain else Async)
    client = await connect(auth={"token": 1}, user=make_user(1))
    assert order == [("authenticate", {"token": 1}), ("connect", "bob")]
    assert await client.call("me") == "bob"
    io.to(bob).emit("for bob")
    io.to(make_user(1)).emit("for the session's user")
    assert await client.arrived() == [["for bob"]]


async def test_authenticates_answer_is_what_is_checked(refused: Refused) -> None:
    connected = []

    class Consumer(SocketIOConsumer):
        async def authenticate(self, auth: Any) -> Any:
            return answers[auth["which"]]

        async def connect(self, auth: Any) -> None:
            connected.append(auth)

    answers = {
        "nobody": None,
        "anonymous": AnonymousUser(),
        "lazily": SimpleLazyObject(AnonymousUser),
        "without": Permitted("chat.other"),
    }

    @register("/login")
    class Login(Consumer):
        login_required = True

    @register("/permission")
    class Allowed(Consumer):
        permission_required = "chat.view_message"

    user = Permitted("chat.view_message")
    for which in ("nobody", "anonymous", "lazily"):
        assert await refused("/login", {"which": which}, user) == {"message": "Login required"}
    for which in answers:
        details = await refused("/permission", {"which": which}, user)
        assert details == {"message": "Permission denied"}
    assert not connected


async def test_authenticate_may_fall_back_to_the_sessions_user(connect: Connect) -> None:
    bob = make_user(2, username="bob")

    @register()
    class Consumer(SocketIOConsumer):
        async def authenticate(self, auth: Any) -> Any:
            if auth and auth.get("token") == "bob's":
                return bob
            return await super().authenticate(auth)

        @event
        async def me(self) -> str:
            return self.user.username

    ada = make_user(1, username="ada")
    assert await (await connect(user=ada)).call("me") == "ada"
    assert await (await connect(user=ada, auth={"token": "bob's"})).call("me") == "bob"


async def test_a_failing_authenticate_refuses(refused: Refused, errors: Errors) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        def authenticate(self, auth: Any) -> Any:
            return auth["token"]

    details = await refused()
    assert set(details) == {"message"}
    assert len(errors()) == 1


async def test_authentication_is_each_namespaces_own(frames: OpenFrames) -> None:
    bob = make_user(2, username="bob")

    @register("/token")
    class Token(SocketIOConsumer):
        async def authenticate(self, auth: Any) -> Any:
            return bob

        @event
        async def me(self) -> str:
            return self.user.username

    @register("/session")
    class Session(SocketIOConsumer):
        @event
        async def me(self) -> str:
            return self.user.username

    client = await frames()
    await client.enter("/token")
    await client.enter("/session")
    await client.send('42/token,1["me"]', '42/session,2["me"]')
    assert await client.receive() == '43/token,1["bob"]'
    assert await client.receive() == '43/session,2[""]'


# Too early


@pytest.mark.parametrize("packet", ['42["barrier"]', '421["barrier"]', '42["nobody\'s"]', "430[]"])
async def test_an_event_while_connect_runs_breaks_the_protocol(
    frames: OpenFrames, packet: str
) -> None:
    gate = asyncio.Event()
    reasons: list[tuple[str, str]] = []

    class Noting(Base):
        async def disconnect(self, reason: str) -> None:
            reasons.append((self.namespace.name, reason))

    @register()
    class Consumer(Noting):
        async def connect(self, auth: Any) -> None:
            await gate.wait()
            self.join("lobby")

    register("/other")(Noting)
    client, neighbour = await frames(), await frames()
    await client.enter("/other")
    await neighbour.enter("/other")
    if packet == "430[]":
        # An acknowledgement is no event, and answers no question.
        await client.send("40", packet)
        gate.set()
        assert (await client.receive()).startswith("40{")
        return
    await client.send("40", packet)
    assert await client.rest() == []
    assert reasons == [("/other", "parse error")]
    gate.set()
    await eventually(lambda: len(reasons) == 2, "the other disconnect()")
    assert reasons[1] == ("/", "parse error")
    assert await io.to("lobby").afetch_sockets() == []
    await neighbour.send('42/other,1["barrier"]')
    assert await neighbour.receive() == "43/other,1[true]"


async def test_a_second_connect_to_the_same_namespace_breaks_the_protocol(
    frames: OpenFrames,
) -> None:
    register()(Base)
    client = await frames()
    await client.enter("/")
    await client.send("40")
    assert await client.rest() == []


@pytest.mark.parametrize("plain", [False, True])
async def test_a_client_that_leaves_while_connect_runs(frames: OpenFrames, plain: bool) -> None:
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    seen: list[Any] = []

    class Noting(SocketIOConsumer):
        async def disconnect(self, reason: str) -> None:
            seen.append((reason, "lobby" in self.rooms, self.connected))

    class Async(Noting):
        async def connect(self, auth: Any) -> None:
            await self.join("lobby")
            seen.append("connecting")
            await gate.wait()
            self.emit("never")

    class Plain(Noting):
        def connect(self, auth: Any) -> None:
            self.join("lobby")
            seen.append("connecting")
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
            self.emit("never")

    register()(Plain if plain else Async)
    client = await frames()
    await client.send("40")
    await eventually(lambda: seen, "connect()")
    client.put("disconnect", code=1000)
    await eventually(lambda: not current_hub().clients, "the server to notice")
    assert seen == ["connecting"], "disconnect() has to wait for connect()"
    gate.set()
    await eventually(lambda: len(seen) == 2, "disconnect()")
    # What connect() did can be undone in disconnect().
    assert seen[1] == ("transport close", True, False)
    assert await io.to("lobby").afetch_sockets() == []


async def test_a_client_that_leaves_and_is_refused_then(frames: OpenFrames) -> None:
    gate = asyncio.Event()
    seen: list[str] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            seen.append("connecting")
            await gate.wait()
            seen.append("refusing")
            raise ConnectionRefused("No")

        async def disconnect(self, reason: str) -> None:
            seen.append("disconnect")

    register("/other")(Base)
    client = await frames()
    await client.send("40")
    await eventually(lambda: seen, "connect()")
    await client.send("41")
    await client.enter("/other")
    gate.set()
    await eventually(lambda: len(seen) == 2, "the refusal")
    await client.send('42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"
    assert seen == ["connecting", "refusing"]


async def test_a_server_that_cuts_connect_off(frames: OpenFrames) -> None:
    """As daphne does some seconds after the client has gone."""
    seen: list[Any] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            await self.join("lobby")
            seen.append("connecting")
            await asyncio.Event().wait()

        async def disconnect(self, reason: str) -> None:
            seen.append((reason, "lobby" in self.rooms))

    client = await frames()
    await client.send("40")
    await eventually(lambda: seen, "connect()")
    client.put("disconnect", code=1000)
    await eventually(lambda: not current_hub().clients, "the server to notice")
    client.task.cancel()
    await eventually(lambda: len(seen) == 2, "disconnect()")
    assert seen[1] == ("transport close", True)
    assert not current_hub().local.namespaces


async def test_a_user_that_cannot_be_looked_at_refuses(refused: Refused, errors: Errors) -> None:
    """A lazy object that needs the database, on the loop's thread."""

    def look() -> Any:
        return User.objects.get(pk=1)

    @register()
    class Consumer(SocketIOConsumer):
        async def authenticate(self, auth: Any) -> Any:
            return SimpleLazyObject(look)

    assert set(await refused()) == {"message"}
    assert len(errors()) == 1


@distinguishes
async def test_a_connect_that_waits_for_something_cancelled(
    frames: OpenFrames, errors: Errors
) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            task = asyncio.create_task(asyncio.Event().wait())
            task.cancel()
            await task

    register("/other")(Base)
    client = await frames()
    await client.enter("/other")
    await client.send("40")
    assert (await client.receive()).startswith("44{")
    await client.send('42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"
    assert len(errors()) == 1
