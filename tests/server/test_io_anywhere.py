"""`io` works the same wherever it is called."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.core.management import BaseCommand, call_command
from django.core.signals import request_finished
from django.db.models.signals import post_save
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.urls import path

from django_socketio import event, io, register
from tests.harness.waiting import DEADLINE, soon
from tests.server.conftest import Connect
from tests.server.consumers import Base
from tests.server.users import make_user

urlpatterns: list[Any] = []


class Joining(Base):
    async def connect(self, auth: Any) -> None:
        self.join("room")

    @event
    async def emit_to(self, room: str) -> None:
        io.to(room).emit("news", 1)

    @event
    def emit_plainly_to(self, room: str) -> None:
        io.to(room).emit("news", 1)


def in_a_thread(function: Callable[[], Any]) -> Any:
    """What the function returns, in a thread that knows nothing of ours."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join(DEADLINE)
    return results[0]


def emit() -> None:
    io.to("room").emit("news", 1)


def emit_and_wait() -> None:
    async def main() -> None:
        await io.to("room").emit("news", 1)

    asyncio.run(main())


@async_to_sync
async def emit_on_a_loop() -> None:
    await io.to("room").emit("news", 1)


async def emit_in_a_task() -> None:
    await soon(io.to("room").emit("news", 1))


class Command(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        emit()


async def in_another_loop() -> None:
    await asyncio.to_thread(emit_and_wait)


PLACES: dict[str, Callable[[], Any]] = {
    "the loop's thread": emit,
    "a task": emit_in_a_task,
    "a callback of the loop": lambda: asyncio.get_running_loop().call_soon(emit),
    "a plain thread": lambda: asyncio.to_thread(in_a_thread, emit),
    "a worker thread": lambda: asyncio.to_thread(emit),
    "sync_to_async": lambda: sync_to_async(emit)(),
    "sync_to_async, any thread": lambda: sync_to_async(emit, thread_sensitive=False)(),
    "database_sync_to_async": lambda: database_sync_to_async(emit)(),
    "async_to_sync in a thread": lambda: asyncio.to_thread(emit_on_a_loop),
    "another loop in another thread": in_another_loop,
    "a management command": lambda: sync_to_async(call_command)(Command()),
}


@pytest.mark.parametrize("place", PLACES)
async def test_emit(connect: Connect, place: str) -> None:
    register()(Joining)
    one, other = await connect(), await connect()
    done = PLACES[place]()
    if done is not None and hasattr(done, "__await__"):
        await done
    await asyncio.sleep(0)
    assert await one.arrived() == await other.arrived() == [["news", 1]]


@pytest.mark.parametrize("name", ["emit_to", "emit_plainly_to"])
async def test_emit_from_another_consumers_handler(connect: Connect, name: str) -> None:
    register()(Joining)
    register("/other")(Joining)
    client, other = await connect(), await connect("/other")
    await other.call(name, "room")
    assert await client.arrived() == [["news", 1]]
    assert await other.arrived() == []


def view(request: HttpRequest) -> HttpResponse:
    """A plain view."""
    if request.GET.get("to") == "user":
        io.to(request.user).emit("news", 1)
    else:
        emit()
    return HttpResponse(len(io.to("room").fetch_sockets()))


async def async_view(request: HttpRequest) -> HttpResponse:
    emit()
    return HttpResponse(len(await io.to("room").afetch_sockets()))


urlpatterns += [path("view/", view), path("async-view/", async_view)]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("url", ["/view/", "/async-view/"])
@pytest.mark.parametrize("browser", ["sync", "async"])
async def test_emit_from_a_view(
    connect: Connect, url: str, browser: str, async_client: Any
) -> None:
    register()(Joining)
    client = await connect()
    if browser == "sync":
        answer = await sync_to_async(Browser().get)(url)
    else:
        answer = await async_client.get(url)
    assert answer.content == b"1"
    assert await client.arrived() == [["news", 1]]


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
async def test_emit_to_the_requests_user(connect: Connect) -> None:
    """`request.user` is a lazy object."""
    register()(Joining)

    def log_in() -> tuple[Browser, User]:
        browser, user = Browser(), User.objects.create(username="ada")
        browser.force_login(user)
        return browser, user

    browser, user = await database_sync_to_async(log_in)()
    hers, others = await connect(user=user), await connect(user=make_user(user.pk + 1))
    await database_sync_to_async(browser.get)("/view/?to=user")
    assert await hers.arrived() == [["news", 1]]
    assert await others.arrived() == []


@pytest.mark.urls(__name__)
async def test_a_requests_anonymous_user_is_no_room(connect: Connect) -> None:
    register()(Joining)
    with pytest.raises(ValueError, match="anonymous"):
        await sync_to_async(Browser().get)("/view/?to=user")


@pytest.mark.urls(__name__)
async def test_emit_from_a_request_signal(connect: Connect) -> None:
    register()(Joining)
    client = await connect()

    def receiver(**kwargs: Any) -> None:
        io.emit("finished")

    request_finished.connect(receiver)
    try:
        await sync_to_async(Browser().get)("/view/")
    finally:
        request_finished.disconnect(receiver)
    assert await client.arrived() == [["news", 1], ["finished"]]


@pytest.mark.django_db(transaction=True)
async def test_emit_from_a_model_signal(connect: Connect) -> None:
    @register()
    class Consumer(Joining):
        @event
        def save(self, username: str) -> int:
            return User.objects.create(username=username).pk

    def receiver(instance: Any, created: bool, **kwargs: Any) -> None:
        io.to("room").emit("saved", instance.username)

    client = await connect()
    post_save.connect(receiver, sender=User)
    try:
        await client.call("save", "ada")
        await User.objects.acreate(username="bob")
        await database_sync_to_async(User.objects.create)(username="carol")
    finally:
        post_save.disconnect(receiver, sender=User)
    assert await client.arrived() == [["saved", "ada"], ["saved", "bob"], ["saved", "carol"]]


# Order


@pytest.mark.parametrize("place", ["the loop", "a handler", "a thread", "another loop"])
async def test_calls_take_effect_in_their_order(connect: Connect, place: str) -> None:
    def act() -> None:
        for number in range(50):
            io.emit("all", number)
            io.sockets_join("new")
            io.to("new").emit("new", number)
            io.sockets_leave("new")
            io.to("new").emit("never", number)
            io.to("room").send(number)

    @register()
    class Consumer(Joining):
        @event
        def act(self) -> None:
            for number in range(50):
                self.emit("all", number)
                self.join("new")
                io.to("new").emit("new", number)
                self.leave("new")
                io.to("new").emit("never", number)
                self.send(number)

    async def on_another_loop() -> None:
        act()

    client = await connect()
    if place == "the loop":
        act()
    elif place == "a handler":
        await client.call("act")
    elif place == "a thread":
        await asyncio.to_thread(in_a_thread, act)
    else:
        await asyncio.to_thread(asyncio.run, on_another_loop())
    expected: list[list[Any]] = []
    for number in range(50):
        expected += [["all", number], ["new", number], ["message", number]]
    assert await client.arrived() == expected


async def test_an_emit_before_the_acknowledgement_arrives_before_it(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event
        def act(self) -> str:
            self.emit("before")
            return "answer"

    client = await connect()
    assert await client.call("act") == "answer"
    assert await client.kept() == [["before"]]


async def test_threads_do_not_disturb_each_other(connect: Connect) -> None:
    register()(Joining)
    client = await connect()

    def act(name: int) -> None:
        for number in range(100):
            io.emit("x", name, number)

    await asyncio.gather(*(asyncio.to_thread(act, name) for name in range(4)))
    events = await client.arrived()
    assert len(events) == 400
    for name in range(4):
        assert [number for _, who, number in events if who == name] == list(range(100))


# Awaiting


@pytest.mark.parametrize("place", ["the same loop", "another loop", "async_to_sync"])
async def test_every_plain_call_can_be_awaited(connect: Connect, place: str) -> None:
    sockets: list[Any] = []

    @register()
    class Consumer(Joining):
        async def connect(self, auth: Any) -> None:
            sockets.append(self)

    await connect()
    await connect()

    async def act() -> list[Any]:
        (socket, *_) = await io.afetch_sockets()
        calls = [
            io.emit("x"),
            io.send("x"),
            io.to("nobody").emit("x"),
            io.sockets_join("a"),
            io.sockets_leave("a"),
            io.on_commit.emit("x"),
            socket.emit("x"),
            socket.join("a"),
            socket.leave("a"),
            sockets[0].emit("x"),
            sockets[0].join("a"),
            sockets[0].leave("a"),
            sockets[0].to("a").emit("x"),
            sockets[0].volatile.emit("x"),
            socket.close(),
            sockets[1].close(),
            io.disconnect_sockets(),
        ]
        return [await call for call in calls] + [await call for call in calls]

    if place == "the same loop":
        results = await act()
    elif place == "another loop":
        results = await asyncio.to_thread(asyncio.run, act())
    else:
        results = await asyncio.to_thread(async_to_sync(act))
    assert results == [None] * len(results)
    assert await io.afetch_sockets() == []


async def test_awaiting_is_not_needed_and_leaves_nothing_behind(
    connect: Connect, recwarn: pytest.WarningsRecorder
) -> None:
    register()(Joining)
    client = await connect()
    io.emit("x")
    await asyncio.to_thread(lambda: io.emit("x") and None)
    await client.arrived()
    assert not [warning for warning in recwarn if "never awaited" in str(warning.message)]


def test_without_a_loop_or_a_server() -> None:
    """A script, or a command that runs where nobody is connected."""
    io.emit("news")
    io.of("/chat").to("room").sockets_join("other")
    assert io.fetch_sockets() == []
    assert io.call("anybody?") == []
    assert io.to("room").timeout(1).call("anybody?") == []

    async def main() -> list[Any]:
        await io.emit("news")
        return await io.acall("anybody?") + await io.afetch_sockets()

    assert asyncio.run(main()) == []
