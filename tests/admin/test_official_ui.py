"""The server's side of the official Admin UI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bcrypt
import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission, User

from django_socketio import SocketIOConsumer, register
from django_socketio.admin_pages import attempts, official, official_feed
from django_socketio.admin_pages.attempts import Attempts
from django_socketio.conf import problems
from django_socketio.exceptions import LimitExceeded
from django_socketio.server.registry import registry
from django_socketio.stats import counters
from django_socketio.testing import SocketIOCommunicator
from tests.project.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)

BCRYPT = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
ALL = ["DISCONNECT", "EMIT", "JOIN", "LEAVE", "MDISCONNECT", "MJOIN", "MLEAVE"]
ALWAYS = ["AGGREGATED_EVENTS", "ALL_EVENTS"]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(official_feed, "INTERVAL", 0.05)
    monkeypatch.setattr(official, "password_attempts", Attempts())
    register("/admin")(official.AdminUI)
    register("/target")(type("Target", (SocketIOConsumer,), {}))
    yield
    registry.unregister("/admin")
    registry.unregister("/target")


def page(auth: dict[str, Any] | None = None, user: Any = None) -> SocketIOCommunicator:
    return SocketIOCommunicator(application, "/admin", auth=auth, user=user)


async def events(communicator: SocketIOCommunicator, *names: str) -> dict[str, list[Any]]:
    """The first event of each of these names."""
    found: dict[str, list[Any]] = {}
    while found.keys() < set(names):
        name, args = await communicator.receive_event(timeout=5)
        if name in names:
            found.setdefault(name, args)
    return found


@pytest.mark.parametrize("password", [BCRYPT, make_password("right")], ids=["bcrypt", "django"])
async def test_who_may_enter(settings: Any, password: str) -> None:
    settings.SOCKETIO = {"ADMIN_UI": {"USERNAME": "root", "PASSWORD": password}}
    for auth in (
        None,
        {},
        {"username": "root", "password": ""},
        {"username": "root", "password": "wrong"},
        {"username": "other", "password": "right"},
        {"username": ["root"], "password": {"a": 1}},
        {"sessionId": "forged"},
    ):
        communicator = page(auth)
        connected, details = await communicator.connect(timeout=5)
        assert not connected
        assert details["message"] == "invalid credentials"
        await communicator.disconnect()
    communicator = page({"username": "root", "password": "right"})
    assert await communicator.connect(timeout=5)
    found = await events(communicator, "session", "config", "all_sockets")
    assert found["config"] == [{"supportedFeatures": [*ALL, *ALWAYS]}]
    await communicator.disconnect()
    again = page({"sessionId": found["session"][0]})
    assert await again.connect(timeout=5)
    await again.disconnect()
    # A new password ends the sessions of the old one.
    settings.SOCKETIO = {"ADMIN_UI": {"USERNAME": "root", "PASSWORD": make_password("new")}}
    late = page({"sessionId": found["session"][0]})
    assert not await late.connect(timeout=5)
    await late.disconnect()


@sync_to_async
def make_staff(*permissions: str) -> User:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return User.objects.get(pk=user.pk)


async def test_staff_enter_with_their_own_permissions(settings: Any) -> None:
    settings.SOCKETIO = {"ADMIN_UI": True}
    user = await make_staff("view_serverprocess", "disconnect_sockets")
    target = SocketIOCommunicator(application, "/target")
    assert await target.connect()
    communicator = page(user=user)
    assert await communicator.connect(timeout=5)
    found = await events(communicator, "config")
    assert found["config"] == [{"supportedFeatures": ["DISCONNECT", "MDISCONNECT", *ALWAYS]}]
    await communicator.emit("emit", "/target", None, "hello")
    await communicator.emit("join", "/target", "room", target.sid)
    assert await target.receive_nothing()
    await communicator.emit("_disconnect", "/target", False, target.sid)
    with pytest.raises(Exception, match="ended"):
        await target.receive_event(timeout=5)
    (entry,) = [entry async for entry in LogEntry.objects.all()]
    assert entry.change_message == "Disconnected."
    assert entry.user_id == user.pk
    await communicator.disconnect()
    await target.disconnect()


async def test_without_the_permission_staff_do_not_enter(settings: Any) -> None:
    settings.SOCKETIO = {"ADMIN_UI": True}
    communicator = page(user=await make_staff())
    assert not await communicator.connect(timeout=5)
    await communicator.disconnect()


async def test_the_commands_and_what_the_page_is_told(settings: Any) -> None:
    settings.SOCKETIO = {"ADMIN_UI": {"USERNAME": "root", "PASSWORD": BCRYPT}}
    headers = [(b"cookie", b"sessionid=secret"), (b"user-agent", b"Browser")]
    target = SocketIOCommunicator(application, "/target", headers=headers)
    assert await target.connect()
    communicator = page({"username": "root", "password": "right"})
    assert await communicator.connect(timeout=5)
    found = await events(communicator, "all_sockets", "server_stats")
    (shown,) = [row for row in found["all_sockets"][0] if row["id"] == target.sid]
    assert shown["nsp"] == "/target"
    assert shown["rooms"] == [target.sid]
    assert shown["handshake"]["headers"] == {"user-agent": "Browser"}
    stats = found["server_stats"][0]
    assert {"name": "/target", "socketsCount": 1} in stats["namespaces"]
    assert stats["clientsCount"] >= 2
    await communicator.emit("join", "/target", "room", target.sid)
    found = await events(communicator, "room_joined")
    assert found["room_joined"][:3] == ["/target", "room", target.sid]
    await communicator.emit("emit", "/target", "room", "hello", {"a": 1})
    assert await target.receive_event() == ("hello", [{"a": 1}])
    await communicator.emit("leave", "/target", "room")
    found = await events(communicator, "room_left")
    for wrong in (["emit", "/target", None, "connect"], ["join", 1, 2], ["join", "/target", ""]):
        await communicator.emit(*wrong)
    second = SocketIOCommunicator(application, "/target")
    assert await second.connect()
    found = await events(communicator, "socket_connected")
    assert found["socket_connected"][0]["id"] == second.sid
    await communicator.emit("_disconnect", "/target", True, target.sid)
    found = await events(communicator, "socket_disconnected")
    assert found["socket_disconnected"][:2] == ["/target", target.sid]
    for each in (target, second, communicator):
        await each.disconnect()


async def test_read_only(settings: Any) -> None:
    settings.SOCKETIO = {
        "ADMIN_UI": {"USERNAME": "root", "PASSWORD": BCRYPT, "READONLY": True},
    }
    communicator = page({"username": "root", "password": "right"})
    assert await communicator.connect(timeout=5)
    found = await events(communicator, "config")
    assert found["config"] == [{"supportedFeatures": ALWAYS}]
    await communicator.disconnect()


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        {"USERNAME": "root"},
        {"PASSWORD": BCRYPT},
        {"USERNAME": "root", "PASSWORD": "in the clear"},
        {"USERNAME": "root", "PASSWORD": BCRYPT, "ROLE": "x"},
        {"NAMESPACE": "admin"},
        {"MAX_FAILURES": 0},
        {"in the clear"},
        "in the clear",
    ],
)
def test_bad_settings_are_named(value: Any) -> None:
    (problem,) = problems({"ADMIN_UI": value})
    assert problem.key == "ADMIN_UI"
    # A secret is in neither, whatever is wrong with the value.
    for secret in ("in the clear", BCRYPT):
        assert secret not in problem.message + problem.hint


async def test_a_password_cannot_be_guessed_at_leisure(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SOCKETIO = {
        "ADMIN_UI": {"USERNAME": "root", "PASSWORD": BCRYPT, "MAX_FAILURES": 3},
    }
    limited = counters.limits[attempts.TOO_MANY]

    async def enter(**auth: str) -> Any:
        communicator = page(auth)
        answer = await communicator.connect(timeout=5)
        await communicator.disconnect()
        return True if answer else answer[1]["message"]

    # The right password begins the count anew.
    assert await enter(username="root", password="wrong") == "invalid credentials"
    communicator = page({"username": "root", "password": "right"})
    assert await communicator.connect(timeout=5)
    (token,) = (await events(communicator, "session"))["session"]
    await communicator.disconnect()
    for _ in range(3):
        assert await enter(username="root", password="wrong") == "invalid credentials"
    for _ in range(2):
        assert await enter(username="root", password="right") == attempts.TOO_MANY
    assert counters.limits[attempts.TOO_MANY] == limited + 2
    assert caplog.text.count("too many wrong passwords from 127.0.0.1") == 1
    # Who has been let in before comes back without the password.
    assert await enter(sessionId=token) is True


def test_failures_are_counted_by_address_and_forgotten() -> None:
    now = 0.0
    counted = Attempts(clock=lambda: now)

    def may_try(address: str) -> bool:
        try:
            counted.begin(address, 2)
        except LimitExceeded:
            return False
        return True

    assert [may_try("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert may_try("10.0.0.2")
    assert not may_try("::ffff:10.0.0.1")
    # All addresses of an IPv6 network are one subscriber's.
    assert [may_try(f"2001:db8::{number}") for number in (1, 2, 3)] == [True, True, False]
    assert may_try("2001:db8:0:1::1")
    now = attempts.WINDOW - 0.1
    assert not may_try("10.0.0.1")
    now = attempts.WINDOW
    assert may_try("10.0.0.1")
    for number in range(attempts.MAX_ADDRESSES + 100):
        may_try(f"10.{number // 256}.{number % 256}.9")
    assert len(counted._failures) == attempts.MAX_ADDRESSES
