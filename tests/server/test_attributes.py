"""What a consumer's instance knows."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.asgi import SocketIOApplication
from tests.harness.inprocess import Frames, Poller, nothing_else
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base
from tests.server.users import make_user


@pytest.fixture
def sockets() -> list[SocketIOConsumer]:
    """The instances of "/", in the order of their connecting."""
    found: list[SocketIOConsumer] = []

    @register("/")
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            found.append(self)

        @event
        async def look(self, name: str) -> Any:
            return getattr(self, name)

        @event
        def look_plainly(self, name: str) -> Any:
            return getattr(self, name)

    return found


async def test_sids_are_text_of_their_own(
    connect: Connect, sockets: list[SocketIOConsumer]
) -> None:
    clients = [await connect() for _ in range(3)]
    sids = [socket.sid for socket in sockets]
    assert sids == [client.sid for client in clients]
    assert len(set(sids)) == 3
    assert all(isinstance(sid, str) and len(sid) >= 20 for sid in sids)


async def test_the_sid_is_not_the_sessions_id(frames: OpenFrames) -> None:
    register()(Base)
    client = Frames(SocketIOApplication(nothing_else))
    handshake = await client.open()
    assert await client.enter("/") != handshake["sid"]
    await client.drop()


async def test_user_and_session_without_a_session(
    connect: Connect, sockets: list[SocketIOConsumer]
) -> None:
    await connect()
    assert sockets[0].user == AnonymousUser()
    assert not sockets[0].user.is_authenticated
    assert sockets[0].session.session_key is None


async def test_the_user_of_the_scope(connect: Connect, sockets: list[SocketIOConsumer]) -> None:
    user = make_user(3)
    await connect(user=user)
    assert sockets[0].user is user


async def test_the_scope_is_the_handshakes(
    frames: OpenFrames, sockets: list[SocketIOConsumer]
) -> None:
    client = await frames(query="EIO=4&transport=websocket&a=1", headers=[(b"x-token", b"t")])
    await client.enter("/")
    scope = sockets[0].scope
    assert scope["type"] == "websocket"
    assert scope["path"] == "/socket.io/"
    assert scope["query_string"] == b"EIO=4&transport=websocket&a=1"
    assert (b"x-token", b"t") in scope["headers"]
    assert "user" in scope
    assert "session" in scope


async def test_auth(frames: OpenFrames, sockets: list[SocketIOConsumer]) -> None:
    for auth in (None, {}, {"token": "é"}):
        client = await frames()
        await client.enter("/", auth)
    assert [socket.auth for socket in sockets] == [None, {}, {"token": "é"}]


async def test_kwargs(connect: Connect) -> None:
    @register("/doc-<int:pk>/<slug:part>")
    class Doc(SocketIOConsumer):
        @event
        async def look(self) -> Any:
            return self.kwargs, self.namespace.name

    client = await connect("/doc-5/intro")
    assert await client.call("look") == ({"pk": 5, "part": "intro"}, "/doc-5/intro")


async def test_kwargs_of_a_fixed_namespace(
    connect: Connect, sockets: list[SocketIOConsumer]
) -> None:
    await connect()
    assert sockets[0].kwargs == {}


async def test_the_namespace_is_ios(connect: Connect, sockets: list[SocketIOConsumer]) -> None:
    one, other = await connect(), await connect()
    namespace = sockets[0].namespace
    assert namespace.name == "/" == io.name
    assert type(namespace) is type(io.of("/"))
    namespace.emit("to all")
    assert await one.arrived() == await other.arrived() == [["to all"]]


@pytest.mark.parametrize("where", ["look", "look_plainly"])
async def test_rooms(connect: Connect, where: str) -> None:
    seen: list[Any] = []

    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def look(self) -> None:
            self.check()

        @event
        def look_plainly(self) -> None:
            self.check()

        def check(self) -> None:
            seen.append(self.rooms)
            self.join("a", "b")
            seen.append(self.rooms)
            self.join("b", "c")
            self.leave("a", "never joined")
            seen.append(self.rooms)

    client = await connect(user=make_user(4))
    sid = client.sid
    await client.call(where)
    assert seen == [{sid}, {sid, "a", "b"}, {sid, "b", "c"}]
    assert all(type(rooms) is frozenset for rooms in seen)


@pytest.mark.parametrize("plain", [False, True])
async def test_rooms_in_connect(connect: Connect, plain: bool) -> None:
    seen: list[Any] = []

    class Async(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("lobby")
            seen.append(self.rooms == {self.sid, "lobby"})

    class Plain(SocketIOConsumer):
        def connect(self, auth: Any) -> None:
            for number in range(50):
                self.join(f"room {number}")
            seen.append(self.rooms == {self.sid, *(f"room {number}" for number in range(50))})

    register()(Plain if plain else Async)
    await connect()
    assert seen == [True]


async def test_data_is_a_dict_that_others_can_read(
    connect: Connect, sockets: list[SocketIOConsumer]
) -> None:
    await connect()
    await connect()
    assert sockets[0].data == {}
    sockets[0].data["name"] = "ada"
    sockets[0].data.update(count=1)
    found = {socket.sid: socket.data for socket in await io.afetch_sockets()}
    assert found == {sockets[0].sid: {"name": "ada", "count": 1}, sockets[1].sid: {}}


async def test_data_may_be_replaced(connect: Connect, sockets: list[SocketIOConsumer]) -> None:
    await connect()
    sockets[0].data = {"new": True}
    assert (await io.afetch_sockets())[0].data == {"new": True}


# The handshake


async def test_headers_have_lower_case_keys(
    frames: OpenFrames, sockets: list[SocketIOConsumer]
) -> None:
    headers = [
        (b"Host", b"example.com"),
        (b"X-Token", b"Secret"),
        (b"accept-language", b"de"),
        (b"Accept-Language", b"en"),
        (b"cookie", b"a=1"),
        (b"Cookie", b"b=2"),
    ]
    await (await frames(headers=headers)).enter("/")
    assert sockets[0].handshake.headers == {
        "host": "example.com",
        "x-token": "Secret",
        "accept-language": "de, en",
        "cookie": "a=1; b=2",
    }


async def test_query(frames: OpenFrames, sockets: list[SocketIOConsumer]) -> None:
    query = "EIO=4&transport=websocket&name=a%20b+c&empty=&umlaut=%C3%A9&t=1"
    await (await frames(query=query)).enter("/")
    assert sockets[0].handshake.query == {
        "EIO": "4",
        "transport": "websocket",
        "name": "a b c",
        "empty": "",
        "umlaut": "é",
        "t": "1",
    }


@pytest.mark.parametrize(
    ("client", "address"),
    [(("192.0.2.7", 50000), "192.0.2.7"), (("2001:db8::1", 443), "2001:db8::1"), (None, "")],
)
async def test_address(
    frames: OpenFrames, sockets: list[SocketIOConsumer], client: Any, address: str
) -> None:
    await (await frames(client=client)).enter("/")
    assert sockets[0].handshake.address == address


@pytest.mark.parametrize(
    ("scheme", "secure"), [("ws", False), ("wss", True), ("http", False), ("https", True)]
)
async def test_secure(
    application: Any, sockets: list[SocketIOConsumer], scheme: str, secure: bool
) -> None:
    if scheme.startswith("ws"):
        client = Frames(application, scheme=scheme)
        await client.open()
        await client.enter("/")
        assert sockets[0].handshake.secure is secure
        await client.drop()
    else:
        poller = Poller(application, scheme=scheme)
        await poller.open()
        await poller.send("40")
        await poller.receive()
        assert sockets[0].handshake.secure is secure
        await poller.send("1")


async def test_time_and_auth(connect: Connect, sockets: list[SocketIOConsumer]) -> None:
    before = datetime.datetime.now(datetime.timezone.utc)
    await connect(auth={"token": 1})
    after = datetime.datetime.now(datetime.timezone.utc)
    handshake = sockets[0].handshake
    assert before <= handshake.time <= after
    assert handshake.auth == {"token": 1}


async def test_the_handshake_reads_like_a_mapping_too(
    connect: Connect, sockets: list[SocketIOConsumer]
) -> None:
    await connect(auth={"token": 1})
    handshake = sockets[0].handshake
    for key in ("headers", "query", "address", "time", "secure", "auth"):
        assert handshake[key] == getattr(handshake, key)
    with pytest.raises(KeyError):
        handshake["nothing"]


async def test_the_handshake_is_the_first_requests_for_good(
    poller: Poller, sockets: list[SocketIOConsumer]
) -> None:
    await poller.open("&name=ada")
    await poller.send("40")
    await poller.receive()
    websocket = await poller.upgrade()
    assert sockets[0].handshake.query == {"EIO": "4", "transport": "polling", "name": "ada"}
    await websocket.drop()


# transport and connected


async def test_transport_follows_the_upgrade(
    poller: Poller, sockets: list[SocketIOConsumer]
) -> None:
    await poller.open()
    await poller.send("40")
    await poller.receive()
    assert sockets[0].transport == "polling"
    websocket = await poller.upgrade()
    await websocket.send('421["look","transport"]')
    assert await websocket.receive() == '431["websocket"]'
    assert sockets[0].transport == "websocket"
    await websocket.drop()


@pytest.mark.parametrize(
    ("name", "value"),
    [("transport", "websocket"), ("connected", True), ("recovered", False), ("kwargs", {})],
)
@pytest.mark.parametrize("where", ["look", "look_plainly"])
async def test_from_handlers_of_both_kinds(
    connect: Connect, sockets: list[SocketIOConsumer], where: str, name: str, value: Any
) -> None:
    assert await (await connect()).call(where, name) == value


async def test_attributes_of_ones_own_stay_with_the_socket(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        count = 0

        @event
        async def add(self) -> int:
            self.count += 1
            return self.count

        @event
        def add_plainly(self) -> int:
            self.count += 1
            return self.count

    one, other = await connect(), await connect()
    assert [await one.call("add"), await one.call("add_plainly"), await one.call("add")] == [
        1,
        2,
        3,
    ]
    assert await other.call("add_plainly") == 1


async def test_everything_is_there_in_authenticate(connect: Connect) -> None:
    seen: list[Any] = []

    @register("/<slug:name>")
    class Consumer(SocketIOConsumer):
        async def authenticate(self, auth: Any) -> Any:
            seen.extend(
                [
                    self.auth,
                    self.kwargs,
                    self.namespace.name,
                    self.rooms == {self.sid},
                    self.data,
                    self.handshake.address,
                    self.transport,
                    self.connected,
                    self.user.is_authenticated,
                ]
            )
            return self.user

    await connect("/lab", auth={"a": 1})
    expected: list[Any] = [{"a": 1}, {"name": "lab"}, "/lab", True, {}, "127.0.0.1", "websocket"]
    assert seen == [*expected, False, False]
