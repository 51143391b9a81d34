"""The signals of users who come and go, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from django_socketio import SocketIOConsumer, register
from django_socketio.signals import user_offline, user_online
from tests.harness.waiting import eventually
from tests.server.conftest import Connect
from tests.server.consumers import Base
from tests.server.users import Permitted, make_user

GRACE = 0.5


@pytest.fixture(autouse=True)
def _on() -> Iterator[None]:
    with override_settings(SOCKETIO={"PRESENCE": True, "PRESENCE_GRACE": GRACE}):
        yield


@pytest.fixture
def said() -> Iterator[list[tuple[str, Any, str]]]:
    """What was said of users: the signal, its sender and the id."""
    said: list[tuple[str, Any, str]] = []

    def online(sender: Any, user_id: str, **kwargs: Any) -> None:
        said.append(("online", sender, user_id))

    async def offline(sender: Any, user_id: str, **kwargs: Any) -> None:
        said.append(("offline", sender, user_id))

    user_online.connect(online)
    user_offline.connect(offline)
    yield said
    user_online.disconnect(online)
    user_offline.disconnect(offline)


async def test_first_socket_and_last(connect: Connect, said: list[Any]) -> None:
    register()(Base)
    register("/chat")(Base)
    ada = make_user(7)
    first, second = await connect(user=ada), await connect("/chat", user=ada)
    await connect()  # nobody
    await eventually(lambda: said == [("online", User, "7")], "the signal")
    await first.disconnect()
    await second.disconnect()
    again = await connect(user=ada)
    await connect(user=make_user(8))
    await eventually(lambda: said[1:] == [("online", User, "8")], "the other's")
    await again.disconnect()
    await eventually(lambda: said[2:] == [("offline", User, "7")], "the end")


async def test_a_user_that_is_no_model(connect: Connect, said: list[Any]) -> None:
    class Tokens(Base):
        async def authenticate(self, auth: Any) -> Any:
            return Permitted()

    register()(Tokens)
    client = await connect()
    await eventually(lambda: said == [("online", None, "token")], "the signal")
    await client.disconnect()
    await eventually(lambda: said[1:] == [("offline", None, "token")], "the end")


async def test_who_is_refused_was_not_there(
    connect: Connect, refused: Any, said: list[Any]
) -> None:
    @register("/closed")
    class Closed(SocketIOConsumer):
        permission_required = "chat.none"

    register()(Base)
    await refused("/closed", user=Permitted())
    await connect(user=make_user(1))
    await eventually(lambda: said == [("online", User, "1")], "the signal")


async def test_a_users_signals_come_in_order(connect: Connect) -> None:
    """However slow a receiver is."""
    order: list[str] = []

    async def online(user_id: str, **kwargs: Any) -> None:
        order.append("comes")
        await asyncio.sleep(3 * GRACE)
        order.append("is online")

    async def offline(user_id: str, **kwargs: Any) -> None:
        order.append("is offline")

    user_online.connect(online)
    user_offline.connect(offline)
    try:
        register()(Base)
        client = await connect(user=make_user(1))
        await eventually(lambda: order, "the receiver to run")
        await client.disconnect()
        await eventually(lambda: len(order) == 3, "the end")
        assert order == ["comes", "is online", "is offline"]
    finally:
        user_online.disconnect(online)
        user_offline.disconnect(offline)


async def test_switched_off(connect: Connect, said: list[Any]) -> None:
    with override_settings(SOCKETIO={}):
        register()(Base)
        client = await connect(user=make_user(1))
        await client.call("barrier")
        await client.disconnect()
        assert said == []
