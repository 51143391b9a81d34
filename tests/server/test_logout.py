"""Django's session: its user connects, and takes the sockets along when it logs out."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser

from django_socketio import event, register
from django_socketio.exceptions import Disconnected
from tests.server.clients import Client
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async  # type: ignore[untyped-decorator]
def log_in(username: str) -> Browser:
    """A browser with a session."""
    browser = Browser()
    browser.force_login(User.objects.get_or_create(username=username)[0])
    return browser


def headers(browser: Browser) -> list[tuple[bytes, bytes]]:
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"cookie", f"other=1; {settings.SESSION_COOKIE_NAME}={cookie}".encode())]


async def closed(client: Client) -> bool:
    """Whether the server has closed the connection."""
    with pytest.raises(Disconnected):
        await client.receive_event()
    message = await client.receive_output(5)
    return message["type"] == "websocket.close"


class Member(Base):
    reasons: list[str]

    @event
    async def me(self) -> str:
        return self.user.username

    async def disconnect(self, reason: str) -> None:
        type(self).reasons.append(reason)


@pytest.fixture(autouse=True)
def consumer() -> Any:
    register()(type("Consumer", (Member,), {"reasons": [], "login_required": True}))
    register("/open")(type("Open", (Member,), {"reasons": []}))


async def test_the_sessions_user_connects(connect: Connect) -> None:
    client = await connect(headers=headers(await log_in("ada")))
    assert await client.call("me") == "ada"


async def test_a_session_that_has_ended_is_anonymous(connect: Connect) -> None:
    browser = await log_in("ada")
    old = headers(browser)
    await database_sync_to_async(browser.logout)()
    client = Client(connect_application(), headers=old)
    assert await client.connect() == (False, {"message": "Login required"})
    await client.disconnect()


def connect_application() -> Any:
    from django_socketio.asgi import SocketIOApplication
    from tests.harness.inprocess import nothing_else

    return SocketIOApplication(nothing_else)


@pytest.mark.parametrize("through_a_view", [False, True])
async def test_logging_out_closes_the_sockets_of_the_session(
    connect: Connect, through_a_view: bool
) -> None:
    browser, other_browser = await log_in("ada"), await log_in("ada")
    one, two = [await connect(headers=headers(browser)) for _ in range(2)]
    elsewhere = await connect("/open", headers=headers(browser))
    other = await connect(headers=headers(other_browser))
    stranger = await connect("/open")
    if through_a_view:
        await database_sync_to_async(browser.post)("/logout/")
    else:
        await database_sync_to_async(browser.logout)()
    for client in (one, two, elsewhere):
        assert await closed(client)
    assert await other.call("me") == "ada"
    assert await stranger.call("me") == ""


async def test_all_namespaces_of_the_connection_are_closed(frames: OpenFrames) -> None:
    browser = await log_in("ada")
    client = await frames(headers=headers(browser))
    await client.enter("/")
    await client.enter("/open")
    await database_sync_to_async(browser.logout)()
    assert await client.rest() == ["41", "41/open,"]


async def test_the_reason_is_the_servers(connect: Connect) -> None:
    seen: list[str] = []

    @register("/reasons")
    class Reasons(Base):
        async def disconnect(self, reason: str) -> None:
            seen.append(reason)

    browser = await log_in("ada")
    client = await connect("/reasons", headers=headers(browser))
    await database_sync_to_async(browser.logout)()
    assert await closed(client)
    await client.disconnect()
    assert seen == ["server namespace disconnect"]


async def test_another_users_logout_touches_nobody(connect: Connect) -> None:
    ada, bob = await log_in("ada"), await log_in("bob")
    client = await connect(headers=headers(ada))
    await database_sync_to_async(bob.logout)()
    assert await client.call("me") == "ada"


async def test_the_session_is_django_s(connect: Connect) -> None:
    seen: dict[str, Any] = {}

    @register("/session")
    class Session(Base):
        async def connect(self, auth: Any) -> None:
            seen["async"] = self.session["cart"]

        @event
        def put(self, value: Any) -> str:
            self.session["cart"] = value
            self.session.save()
            return self.session.session_key

    browser = await log_in("ada")

    def fill() -> None:
        session = browser.session
        session["cart"] = [1]
        session.save()

    await database_sync_to_async(fill)()
    client = await connect("/session", headers=headers(browser))
    assert seen == {"async": [1]}
    key = await client.call("put", [1, 2])
    assert key == browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert await database_sync_to_async(lambda: browser.session["cart"])() == [1, 2]
