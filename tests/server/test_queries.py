"""What a session costs the database: the handshake's look at session and user, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.test import Client as Browser

from django_socketio import event, io, register
from tests.harness.inprocess import Frames, Poller
from tests.server.consumers import Base

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query of every thread and connection."""
    made: list[str] = []
    for name in ("execute", "executemany"):
        original = getattr(CursorWrapper, name)

        def execute(self: Any, sql: str, *args: Any, original: Any = original) -> Any:
            made.append(sql)
            return original(self, sql, *args)

        monkeypatch.setattr(CursorWrapper, name, execute)
    return made


@pytest.fixture
async def headers() -> list[tuple[bytes, bytes]]:
    """The cookie of a session that has logged in."""

    def log_in() -> str:
        browser = Browser()
        browser.force_login(User.objects.create(username="ada"))
        return browser.cookies[settings.SESSION_COOKIE_NAME].value

    cookie = await database_sync_to_async(log_in)()
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]


class Member(Base):
    login_required = True

    async def connect(self, auth: Any) -> None:
        self.join("room")

    @event
    async def me(self) -> str:
        return self.user.username

    @event
    def me_plainly(self) -> str:
        io.to(self.user).emit("asked", self.user.pk)
        return self.user.username

    def disconnect(self, reason: str) -> None:
        self.to("room").emit("left", self.user.username)


async def test_the_counter_counts(queries: list[str]) -> None:
    await User.objects.acount()
    await database_sync_to_async(User.objects.count)()
    assert len(queries) == 2


async def test_polls_posts_and_upgrades_make_no_query(
    application: Any, headers: Any, queries: list[str]
) -> None:
    register()(Member)
    queries.clear()
    poller = Poller(application, headers=headers)
    await poller.open()
    assert 1 <= len(queries) <= 2, queries
    queries.clear()
    await poller.send("40")
    assert (await poller.receive())[0].startswith("40{")
    await poller.send('421["me"]')
    assert await poller.receive() == ['431["ada"]']
    await poller.send('422["me_plainly"]')
    packets = await poller.receive()
    if len(packets) == 1:
        packets += await poller.receive()
    assert packets[1] == '432["ada"]'
    websocket = await poller.upgrade()
    await websocket.send('423["me"]')
    assert await websocket.receive() == '433["ada"]'
    await websocket.drop()
    assert queries == []


async def test_a_websocket_from_the_start(
    application: Any, headers: Any, queries: list[str]
) -> None:
    register()(Member)
    register("/other")(Member)
    queries.clear()
    client = Frames(application, headers=headers)
    await client.open()
    assert 1 <= len(queries) <= 2, queries
    queries.clear()
    await client.enter("/")
    await client.enter("/other")
    for number in range(10):
        await client.send(f'42{number}["me"]')
        assert await client.receive() == f'43{number}["ada"]'
    await client.drop()
    assert queries == []


async def test_a_visitor_without_a_session_makes_no_query(
    application: Any, queries: list[str]
) -> None:
    register()(Base)
    queries.clear()
    client = Frames(application)
    await client.open()
    await client.enter("/")
    await client.drop()
    assert queries == []
