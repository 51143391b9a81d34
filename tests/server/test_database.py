"""Handlers see the rows of the test that runs them."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import TestCase, TransactionTestCase

from django_socketio import event, io, register
from django_socketio.asgi import SocketIOApplication
from django_socketio.signals import socket_connected
from tests.harness.inprocess import nothing_else
from tests.server.clients import Client
from tests.server.conftest import Connect
from tests.server.consumers import Base


class Library(Base):
    @event
    def find_plainly(self, username: str) -> int:
        return User.objects.get(username=username).pk

    @event
    async def find(self, username: str) -> int:
        return (await User.objects.aget(username=username)).pk

    @event("find concurrently", concurrent=True)
    def find_concurrently(self, username: str) -> int:
        return User.objects.get(username=username).pk

    @event
    def create(self, username: str) -> None:
        User.objects.create(username=username)


async def look_around(client: Any, user: User) -> None:
    """Each kind of handler finds the user, and the test finds what a handler makes."""
    for name in ("find_plainly", "find", "find concurrently"):
        assert await client.call(name, user.username) == user.pk
    await client.call("create", "made by a handler")
    assert await User.objects.acount() == 2


@pytest.mark.django_db(transaction=True)
async def test_with_pytest(connect: Connect) -> None:
    register()(Library)
    user = await User.objects.acreate(username="ada")
    await look_around(await connect(), user)


@pytest.mark.django_db(transaction=True)
async def test_with_pytest_on_djangos_thread(connect: Connect) -> None:
    register()(Library)
    user = await database_sync_to_async(User.objects.create)(username="ada")
    await look_around(await connect(), user)


@pytest.mark.django_db(transaction=True)
class TestInAClass:
    async def test_with_pytest(self, connect: Connect) -> None:
        register()(Library)
        await look_around(await connect(), await User.objects.acreate(username="ada"))


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create(username="ada")


async def test_with_a_plain_fixture(connect: Connect, ada: User) -> None:
    register()(Library)
    await look_around(await connect(user=ada), ada)


class Steps:
    """What both of Django's test cases do."""

    async def test_rows(self) -> None:
        register()(Library)
        user = await User.objects.acreate(username="ada")
        client = Client(SocketIOApplication(nothing_else))
        assert await client.connect()
        await look_around(client, user)
        await client.disconnect()

    async def test_login_and_permissions(self) -> None:
        @register()
        class Consumer(Library):
            login_required = True
            permission_required = "auth.view_user"

        user = await User.objects.acreate(username="ada")
        client = Client(SocketIOApplication(nothing_else), user=user)
        connected, details = await client.connect()
        assert not connected
        assert details == {"message": "Permission denied"}
        await client.disconnect()

        user.is_superuser = True
        client = Client(SocketIOApplication(nothing_else), user=user)
        assert await client.connect()
        await client.disconnect()

    async def test_hooks_and_receivers(self) -> None:
        seen: list[Any] = []

        @register()
        class Consumer(Library):
            def authenticate(self, auth: Any) -> Any:
                return User.objects.get(username=auth["name"])

            def connect(self, auth: Any) -> None:
                seen.append(User.objects.count())

            def disconnect(self, reason: str) -> None:
                seen.append(User.objects.count())

        def receiver(socket: Any, **kwargs: Any) -> None:
            seen.append(User.objects.get(pk=socket.user.pk))

        user = await User.objects.acreate(username="ada")
        socket_connected.connect(receiver)
        try:
            client = Client(SocketIOApplication(nothing_else), auth={"name": "ada"})
            assert await client.connect()
            await client.call("barrier")
            await client.disconnect()
        finally:
            socket_connected.disconnect(receiver)
        assert seen == [1, user, 1]

    async def test_the_session_of_the_test_client(self) -> None:
        @register()
        class Consumer(Library):
            @event
            async def me(self) -> str:
                return self.user.username

        user = await User.objects.acreate(username="ada")
        await database_sync_to_async(self.async_client.force_login)(user)  # type: ignore[attr-defined]
        cookie = self.async_client.cookies["sessionid"].value  # type: ignore[attr-defined]
        client = Client(
            SocketIOApplication(nothing_else), headers=[(b"cookie", f"sessionid={cookie}".encode())]
        )
        assert await client.connect()
        assert await client.call("me") == "ada"
        io.to(user).emit("hello")
        assert await client.receive_event() == ("hello", [])
        await client.disconnect()

    async def test_the_last_test_has_left_nothing_behind(self) -> None:
        assert await User.objects.acount() == 0


class InATransaction(Steps, TestCase):
    """Where each test is a transaction that is rolled back."""


class WithoutATransaction(Steps, TransactionTestCase):
    """Where each test empties the tables."""


class OnCommit(TestCase):
    """on_commit inside the transaction of a test."""

    async def test_it_is_captured(self) -> None:
        def act() -> int:
            with self.captureOnCommitCallbacks() as callbacks:
                io.on_commit.emit("x")
            return len(callbacks)

        assert await database_sync_to_async(act)() == 1

    async def test_it_is_sent_when_the_callbacks_run(self) -> None:
        @register()
        class Consumer(Base):
            @event
            def save(self) -> None:
                io.on_commit.emit("saved")

        client = Client(SocketIOApplication(nothing_else))
        assert await client.connect()
        await client.call("save")
        assert await client.arrived() == []

        def commit() -> None:
            with self.captureOnCommitCallbacks(execute=True):
                io.on_commit.emit("committed")

        await database_sync_to_async(commit)()
        assert await client.arrived() == [["committed"]]
        await client.disconnect()
