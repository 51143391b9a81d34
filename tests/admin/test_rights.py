"""Staff whose rights are taken away: an open page ends, and does nothing more for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bcrypt
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client as Browser

from django_socketio import SocketIOConsumer, register
from django_socketio.admin_pages import feed, official, official_feed, rights
from django_socketio.admin_pages.attempts import Attempts
from django_socketio.server.registry import registry
from django_socketio.testing import SocketIOCommunicator
from tests.harness.waiting import soon
from tests.project.asgi import application

BCRYPT = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    settings.SOCKETIO = {"ADMIN_UI": True}
    for module in (feed, official_feed):
        monkeypatch.setattr(module, "INTERVAL", 0.02)
        monkeypatch.setattr(module, "CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(official, "password_attempts", Attempts())
    register("/admin")(official.AdminUI)
    register("/target")(type("Target", (SocketIOConsumer,), {}))
    yield
    registry.unregister("/admin")
    registry.unregister("/target")


def set_up() -> tuple[User, tuple[bytes, bytes]]:
    """A clerk who may do everything, and the cookie of a session that has logged in."""
    user = User.objects.create_user("clerk", password="secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="django_socketio"))
    browser = Browser()
    browser.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    return user, (b"cookie", f"{name}={browser.cookies[name].value}".encode())


# Ways to lose the right.


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def dismiss(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False)


def forbid(user: User) -> None:
    user.user_permissions.clear()


def delete(user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


def change_password(user: User) -> None:
    user.set_password("another")
    user.save()


def end_session(user: User) -> None:
    Session.objects.all().delete()


BY_USER = [deactivate, dismiss, forbid, delete]
BY_SESSION = [*BY_USER, change_password, end_session]


async def open_page(namespace: str, *, user: Any = None, cookie: Any = None) -> Any:
    """An open page, of a session or of a user that something else has found."""
    headers = [] if cookie is None else [cookie]
    page = SocketIOCommunicator(application, namespace, user=user, headers=headers)
    connected, details = await page.connect(timeout=5)
    assert connected, details
    return page


async def receives(page: Any, name: str) -> None:
    while (await page.receive_event(timeout=5))[0] != name:
        pass


async def ends(page: Any) -> None:
    """Wait until the server has closed a page."""

    async def everything() -> None:
        while True:
            await page.receive_event(timeout=5)

    with pytest.raises(Exception, match="ended"):
        await soon(everything())
    await page.disconnect()


@pytest.mark.parametrize("lose", BY_SESSION)
@pytest.mark.parametrize(
    ("namespace", "told"), [(feed.NAMESPACE, "live"), ("/admin", "server_stats")]
)
async def test_a_page_of_a_session_ends(lose: Any, namespace: str, told: str) -> None:
    user, cookie = await sync_to_async(set_up)()
    page = await open_page(namespace, cookie=cookie)
    for _ in range(5):
        await receives(page, told)  # checks make no difference to who may look
    await sync_to_async(lose)(user)
    await ends(page)
    refused = SocketIOCommunicator(application, namespace, headers=[cookie])
    connected, _ = await refused.connect(timeout=5)
    assert not connected
    await refused.disconnect()


@pytest.mark.parametrize("lose", BY_USER)
@pytest.mark.parametrize("namespace", [feed.NAMESPACE, "/admin"])
async def test_a_page_of_a_user_without_a_session_ends(lose: Any, namespace: str) -> None:
    user, _ = await sync_to_async(set_up)()
    page = await open_page(namespace, user=user)
    await sync_to_async(lose)(user)
    await ends(page)


@pytest.mark.parametrize("lose", BY_SESSION)
async def test_nothing_is_done_for_who_has_lost_the_right(
    lose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each action asks, however long ago the page was checked."""
    monkeypatch.setattr(official_feed, "CHECK_INTERVAL", 1000.0)
    user, cookie = await sync_to_async(set_up)()
    target = await open_page("/target")
    page = await open_page("/admin", cookie=cookie)
    await page.emit("emit", "/target", None, "before")
    assert await target.receive_event(timeout=5) == ("before", [])
    await sync_to_async(lose)(user)
    await page.emit("emit", "/target", None, "after")
    await page.emit("_disconnect", "/target", False, target.sid)
    await ends(page)
    assert await target.receive_nothing()
    await target.disconnect()


async def test_a_single_permission_is_taken_away() -> None:
    """The page stays, without that action."""
    user, cookie = await sync_to_async(set_up)()
    target = await open_page("/target")
    page = await open_page("/admin", cookie=cookie)

    def forbid_to_send() -> None:
        user.user_permissions.remove(Permission.objects.get(codename="send_events"))

    await sync_to_async(forbid_to_send)()
    await page.emit("emit", "/target", None, "news")
    await page.emit("join", "/target", "room", target.sid)
    await receives(page, "room_joined")
    assert await target.receive_nothing()
    await page.disconnect()
    await target.disconnect()


@pytest.mark.parametrize(
    ("namespace", "told"), [(feed.NAMESPACE, "live"), ("/admin", "server_stats")]
)
async def test_a_database_that_is_down_takes_no_page_away(
    namespace: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staff may want it just then."""
    user, cookie = await sync_to_async(set_up)()
    page = await open_page(namespace, cookie=cookie)
    asked = 0

    def fail(*args: Any) -> bool:
        nonlocal asked
        asked += 1
        raise DatabaseError("on purpose")

    with monkeypatch.context() as patched:
        for module in (feed, official):
            patched.setattr(module, "still_may_view", fail)
        while asked < 3:
            await receives(page, told)
    assert await sync_to_async(rights.still_may_view)(user, None)
    await receives(page, told)
    await page.disconnect()


async def test_who_knows_the_password_is_no_staff(settings: Any) -> None:
    """A visitor's account has nothing to do with it."""
    settings.SOCKETIO = {"ADMIN_UI": {"USERNAME": "root", "PASSWORD": make_password("right")}}
    user, cookie = await sync_to_async(set_up)()
    await sync_to_async(dismiss)(user)
    page = SocketIOCommunicator(
        application,
        "/admin",
        auth={"username": "root", "password": "right"},
        headers=[cookie],
    )
    assert (await page.connect(timeout=5))[0]
    await sync_to_async(delete)(user)
    for _ in range(8):
        await receives(page, "server_stats")
    await page.disconnect()


@pytest.mark.parametrize("key", ["sessionId", "username", "password"])
@pytest.mark.parametrize(
    "text",
    ["\ud800", "a:b:\ud800" * 10, "x" * 15_000, "\0", 7, None, ["a"]],
    ids=["half", "halves", "long", "NUL", "number", "none", "list"],
)
async def test_made_up_secrets_cost_no_traceback(
    settings: Any, caplog: pytest.LogCaptureFixture, key: str, text: Any
) -> None:
    """Half of a surrogate pair used to: 95 bytes of log per byte that was sent."""
    settings.SOCKETIO = {"ADMIN_UI": {"USERNAME": "root", "PASSWORD": BCRYPT}}
    auth = {"username": "root", "password": "wrong", key: text}
    page = SocketIOCommunicator(application, "/admin", auth=auth)
    connected, details = await page.connect(timeout=5)
    assert not connected
    assert details == {"message": "invalid credentials"}
    await page.disconnect()
    assert "Traceback" not in caplog.text
    assert len(caplog.text) < 500
