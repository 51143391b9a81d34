"""`io`: to whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.sessions.models import Session
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject

from django_socketio import io, register
from django_socketio.server.operators import Operator
from tests.server.clients import Client
from tests.server.conftest import Connect
from tests.server.consumers import Base
from tests.server.users import make_user


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join(*(auth or {}).get("rooms", ()))


Trio = Callable[..., Awaitable[tuple[Client, Client, Client]]]


@pytest.fixture
def trio(connect: Connect) -> Trio:
    """In rooms a and b; in a; in none."""
    register("/")(Joining)
    register("/chat")(Joining)

    async def make(namespace: str = "/") -> tuple[Client, Client, Client]:
        return (
            await connect(namespace, {"rooms": ["a", "b"]}),
            await connect(namespace, {"rooms": ["a"]}),
            await connect(namespace),
        )

    return make


async def counts(clients: tuple[Client, ...]) -> list[int]:
    """How many events each has got, all of them alike."""
    found = []
    for client in clients:
        events = await client.arrived()
        assert all(event == ["news", 1, b"2"] for event in events)
        found.append(len(events))
    return found


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (lambda sids: io, [1, 1, 1]),
        (lambda sids: io.of("/"), [1, 1, 1]),
        (lambda sids: io.of("/chat"), [0, 0, 0]),
        (lambda sids: io.of("/chat").of("/"), [1, 1, 1]),
        (lambda sids: io.to("a"), [1, 1, 0]),
        (lambda sids: io.to("b"), [1, 0, 0]),
        (lambda sids: io.to("nobody's"), [0, 0, 0]),
        (lambda sids: io.to("a", "b"), [1, 1, 0]),
        (lambda sids: io.to("a").to("b"), [1, 1, 0]),
        (lambda sids: io.to("b", "b"), [1, 0, 0]),
        (lambda sids: io.to(sids[2]), [0, 0, 1]),
        (lambda sids: io.to(sids[0], "a"), [1, 1, 0]),
        (lambda sids: io.to(sids[2], "b"), [1, 0, 1]),
        (lambda sids: io.exclude("a"), [0, 0, 1]),
        (lambda sids: io.exclude(sids[0]), [0, 1, 1]),
        (lambda sids: io.exclude(sids[0], sids[2]), [0, 1, 0]),
        (lambda sids: io.exclude("nobody's"), [1, 1, 1]),
        (lambda sids: io.to("a").exclude("b"), [0, 1, 0]),
        (lambda sids: io.exclude("b").to("a"), [0, 1, 0]),
        (lambda sids: io.to("a").exclude(sids[1]), [1, 0, 0]),
        (lambda sids: io.to("a").exclude("b").exclude(sids[1]), [0, 0, 0]),
        (lambda sids: io.to("a").exclude("a"), [0, 0, 0]),
        (lambda sids: io.volatile.to("a"), [1, 1, 0]),
        (lambda sids: io.local.to("a"), [1, 1, 0]),
        (lambda sids: io.compress(False).to("a"), [1, 1, 0]),
        (lambda sids: io.timeout(5).to("a"), [1, 1, 0]),
        (lambda sids: io.to("a").volatile.local.compress(True).timeout(1), [1, 1, 0]),
        (lambda sids: io.to("a").of("/"), [1, 1, 1]),
        (lambda sids: io.exclude("a").volatile.of("/"), [1, 1, 1]),
        (lambda sids: io.to("a").of("/").to("b"), [1, 0, 0]),
    ],
)
async def test_targets(trio: Trio, target: Callable[[list[Any]], Any], expected: list[int]) -> None:
    clients = await trio()
    target([client.sid for client in clients]).emit("news", 1, b"2")
    assert await counts(clients) == expected


async def test_of_another_namespace(trio: Trio) -> None:
    default, chat = await trio(), await trio("/chat")
    io.of("/chat").to("a").emit("news", 1, b"2")
    io.of("chat").exclude("a").emit("news", 1, b"2")
    assert await counts(default) == [0, 0, 0]
    assert await counts(chat) == [1, 1, 1]


async def test_rooms_and_exclusions_belong_to_a_namespace(trio: Trio) -> None:
    default, chat = await trio(), await trio("/chat")
    to_some = io.to("b").exclude(default[0].sid)
    to_some.of("/chat").emit("news", 1, b"2")
    assert await counts(default) == [0, 0, 0]
    assert await counts(chat) == [1, 1, 1]
    to_some.of("/chat").to("a").emit("news", 1, b"2")
    assert await counts(chat) == [1, 1, 0]


def test_how_it_is_sent_is_kept_in_another_namespace() -> None:
    before = io.to("a").volatile.local.on_commit.timeout(3).compress(False)
    after = before.of("/chat")
    names: set[str] = set(Operator.__slots__)
    for name in names - {"_namespace", "_rooms", "_exclude"}:
        assert getattr(after, name) == getattr(before, name) != getattr(io, name)


async def test_send(trio: Trio) -> None:
    clients = await trio()
    io.to("b").send("Hello!", 2)
    assert await clients[0].arrived() == [["message", "Hello!", 2]]


async def test_names() -> None:
    assert io.name == "/"
    assert io.of("/chat").name == "/chat"
    assert io.of("chat").name == "/chat"
    assert io.of("/chat").to("a").exclude("b").volatile.local.on_commit.name == "/chat"


async def test_operators_never_change_what_they_are_called_on(trio: Trio) -> None:
    clients = await trio()
    room = io.to("a")
    room.to("nobody's")
    room.exclude("b")
    assert room.volatile is not room
    assert room.local is not room
    assert room.on_commit is not room
    assert room.timeout(0.001) is not room
    assert room.compress(False) is not room
    room.of("/chat")
    io.to("a")
    io.exclude("a", "b")
    room.emit("news", 1, b"2")
    assert await counts(clients) == [1, 1, 0]
    io.emit("news", 1, b"2")
    assert await counts(clients) == [1, 1, 1]


async def test_io_without_a_single_socket() -> None:
    io.emit("news")
    await io.to("a").emit("news")
    await io.to("a").sockets_join("b")
    await io.disconnect_sockets()
    assert await io.acall("anybody?") == []
    assert await io.afetch_sockets() == []


# Users


async def test_a_user_is_a_room(connect: Connect) -> None:
    register()(Joining)
    ada, bob = make_user(1), make_user(2)
    clients = (
        await connect(user=ada),
        await connect(user=ada),
        await connect(user=bob),
        await connect(),
    )
    io.to(ada).emit("news", 1, b"2")
    assert await counts(clients) == [1, 1, 0, 0]
    io.to(ada, bob).emit("news", 1, b"2")
    assert await counts(clients) == [1, 1, 1, 0]
    io.exclude(ada).emit("news", 1, b"2")
    assert await counts(clients) == [0, 0, 1, 1]
    io.to(bob, clients[2].sid).exclude(ada).emit("news", 1, b"2")
    assert await counts(clients) == [0, 0, 1, 0]


async def test_another_object_of_the_same_user_will_do(connect: Connect) -> None:
    register()(Joining)
    client = await connect(user=make_user(1))
    with isolate_apps("django.contrib.auth"):

        class Proxy(User):
            class Meta:
                proxy = True
                app_label = "auth"

    for user in (
        make_user(1, username="renamed"),
        SimpleLazyObject(lambda: make_user(1)),
        Proxy(pk=1),
    ):
        io.to(user).emit("news", 1, b"2")
        assert await counts((client,)) == [1]


async def test_the_sockets_user_may_be_lazy(connect: Connect) -> None:
    register()(Joining)
    client = await connect(user=SimpleLazyObject(lambda: make_user(1)))
    io.to(make_user(1)).emit("news", 1, b"2")
    assert await counts((client,)) == [1]


@pytest.mark.parametrize(
    "nobody", [AnonymousUser(), SimpleLazyObject(AnonymousUser), User(username="not stored")]
)
def test_who_is_not_stored_is_no_room(nobody: Any) -> None:
    for chain in (io.to, io.exclude, io.of("/chat").to, io.to("a").exclude):
        with pytest.raises(ValueError, match="anonymous"):
            chain(nobody)


async def test_an_anonymous_socket_is_in_no_users_room(connect: Connect) -> None:
    register()(Joining)
    client = await connect(user=AnonymousUser())
    io.to(make_user(1)).emit("news", 1, b"2")
    assert await counts((client,)) == [0]


async def test_two_models_with_the_same_pk_never_share(connect: Connect) -> None:
    @register("/groups")
    class Groups(Joining):
        async def authenticate(self, auth: Any) -> Any:
            return Group(pk=1) if auth.get("group") else make_user(1)

    group = await connect("/groups", {"group": True})
    user = await connect("/groups", {"rooms": ["1", "auth.user:1"]})
    io.of("/groups").to(make_user(1)).emit("news", 1, b"2")
    assert await counts((group, user)) == [0, 1]
    io.of("/groups").to(Group(pk=1)).emit("news", 1, b"2")
    assert await counts((group, user)) == [1, 0]
    io.of("/groups").to(Session(pk="1")).emit("news", 1, b"2")
    io.of("/groups").to("1").exclude(make_user(1)).emit("news", 1, b"2")
    assert await counts((group, user)) == [0, 0]


async def test_a_room_of_text_is_never_a_users(connect: Connect) -> None:
    register()(Joining)
    ada = make_user(1)
    hers = await connect(user=ada)
    names = ["1", "auth.user", "auth.user:1", "user:1", "('auth.user', '1')", str(ada)]
    others = await connect(auth={"rooms": names})
    io.to(*names).emit("news", 1, b"2")
    assert await counts((hers, others)) == [0, 1]
    io.to(ada).emit("news", 1, b"2")
    assert await counts((hers, others)) == [1, 0]


@pytest.mark.parametrize("room", [5, None, ["a"], ("a",), b"a", {"a"}, object()])
def test_what_is_no_room(room: Any) -> None:
    with pytest.raises(TypeError, match="room"):
        io.to(room)
    with pytest.raises(TypeError, match="room"):
        io.exclude(room)


async def test_a_str_subclass_is_text(connect: Connect) -> None:
    register()(Joining)
    client = await connect(auth={"rooms": ["a"]})
    io.to(type("Name", (str,), {})("a")).emit("news", 1, b"2")
    assert await counts((client,)) == [1]
