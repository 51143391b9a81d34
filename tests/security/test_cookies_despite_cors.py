"""A page that is allowed without credentials is anonymous, whatever cookies its browser sends.

A browser holds back the answer to a request with cookies, but lets any page use a WebSocket.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client as Browser

from django_socketio import SocketIOConsumer, event
from django_socketio.asgi import SocketIOApplication
from tests.harness.inprocess import Frames, Poller, nothing_else

from .inprocess import HOST, registered

pytestmark = pytest.mark.django_db(transaction=True)

Header = tuple[bytes, bytes]

application = SocketIOApplication(nothing_else)
# A project may have its middleware around everything.
wrapped = AuthMiddlewareStack(SocketIOApplication(nothing_else))

TRANSPORTS = ["websocket", "polling"]


class Witness(SocketIOConsumer):
    """Says as whom a client has come, and what of its headers was seen."""

    @event
    async def who(self) -> list[Any]:
        seen = self.handshake.headers
        return [
            getattr(self.user, "username", None) or "anonymous",
            *sorted({"cookie", "authorization"} & seen.keys()),
            *(["a session"] if self.session is not None and self.session.session_key else []),
        ]


@pytest.fixture
async def cookie() -> Header:
    """The cookie of a session that has logged in."""

    def log_in() -> str:
        browser = Browser()
        browser.force_login(User.objects.create(username="ada"))
        return browser.cookies[django_settings.SESSION_COOKIE_NAME].value

    value = await database_sync_to_async(log_in)()
    return b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={value}".encode()


async def who(
    transport: str, origin: str, *headers: Header, served_by: Any = application, **scope: Any
) -> Any:
    """As whom a page's request is served, None where it is refused."""
    sent = [HOST, *headers, *([(b"origin", origin.encode())] if origin else [])]
    with registered(Witness):
        if transport == "polling":
            poller = Poller(served_by, sent, **scope)
            if (await poller.request("GET", "EIO=4&transport=polling")).status == 403:
                return None
            await poller.open()
            await poller.send("40")
            await poller.receive()
            await poller.send('421["who"]')
            (packet,) = await poller.receive()
            await poller.send("1")
        else:
            frames = Frames(served_by, headers=sent, **scope)
            frames.put("connect")
            message = await frames.receive_message()
            if message["type"] != "websocket.accept":
                await frames.ended()
                return None
            await frames.receive()
            await frames.enter()
            await frames.send('421["who"]')
            packet = await frames.receive()
            await frames.drop()
    return [*map(str, json.loads(packet[3:])[0])]


ADA = ["ada", "cookie", "a session"]
NOBODY = ["anonymous"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("served_by", [application, wrapped], ids=["inside", "around"])
@pytest.mark.parametrize("listed", ["*", ["https://foreign.example"]], ids=["any", "listed"])
async def test_cookies_despite_cors_of_a_foreign_page(
    settings: Any, cookie: Header, transport: str, served_by: Any, listed: Any
) -> None:
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": listed}
    found = await who(transport, "https://foreign.example", cookie, served_by=served_by)
    assert found == NOBODY


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_cookies_despite_cors_where_they_are_wanted(
    settings: Any, cookie: Header, transport: str
) -> None:
    settings.SOCKETIO = {
        "CORS_ALLOWED_ORIGINS": ["https://foreign.example"],
        "CORS_ALLOW_CREDENTIALS": True,
    }
    assert await who(transport, "https://foreign.example", cookie) == ADA
    assert await who(transport, "https://other.example", cookie) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "origin",
    ["http://testserver", "https://testserver", "http://localhost", "https://trusted.example", ""],
)
@pytest.mark.parametrize(
    "listed", ["*", ["https://trusted.example", "http://testserver"], []], ids=repr
)
async def test_cookies_despite_cors_of_pages_of_ours(
    settings: Any, cookie: Header, transport: str, origin: str, listed: Any
) -> None:
    """Whatever CORS says; and of clients that are no browsers, and name no origin."""
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": listed}
    assert await who(transport, origin, cookie) == ADA


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "origin", ["http://testserver:5173", "http://localhost:3000", "ftp://testserver"]
)
@pytest.mark.parametrize(
    ("cors", "credentials", "trusted", "expected"),
    [
        ([], False, False, None),
        ("*", False, False, NOBODY),
        ("origin", False, False, NOBODY),
        ("origin", True, False, ADA),
        ([], False, True, ADA),
    ],
    ids=["default", "any", "listed", "with credentials", "trusted"],
)
async def test_cookies_despite_cors_of_our_host_under_another_port_or_scheme(
    settings: Any,
    cookie: Header,
    transport: str,
    origin: str,
    cors: Any,
    credentials: bool,
    trusted: bool,
    expected: Any,
) -> None:
    """Another origin: it is refused, and can be allowed, without cookies or with them."""
    settings.SOCKETIO = {
        "CORS_ALLOWED_ORIGINS": [origin] if cors == "origin" else cors,
        "CORS_ALLOW_CREDENTIALS": credentials,
    }
    settings.CSRF_TRUSTED_ORIGINS = [origin] if trusted else []
    assert await who(transport, origin, cookie) == expected


async def test_cookies_despite_cors_over_tls(settings: Any, cookie: Header) -> None:
    """A page that came in the clear may be anybody's who sits on the line."""
    assert await who("websocket", "http://testserver", cookie, scheme="wss") is None
    assert await who("websocket", "https://testserver", cookie, scheme="wss") == ADA
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    proxied = b"x-forwarded-proto", b"https"
    assert await who("websocket", "http://testserver", cookie, proxied) is None
    assert await who("websocket", "https://testserver", cookie, proxied) == ADA


async def test_cookies_despite_cors_nor_a_password_that_the_browser_knows(
    settings: Any, cookie: Header
) -> None:
    """Of a WebSocket's headers a page writes none; over HTTP it writes this one after asking us."""
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": "*"}
    basic = b"authorization", b"Basic YTpi"
    assert await who("websocket", "https://foreign.example", cookie, basic) == NOBODY
    found = await who("polling", "https://foreign.example", cookie, basic)
    assert found == ["anonymous", "authorization"]


async def test_cookies_despite_cors_is_said_with_the_setting(
    settings: Any, cookie: Header, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "django_socketio")
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": "*"}
    await who("websocket", "https://foreign.example")
    assert "CORS_ALLOW_CREDENTIALS" not in caplog.text
    await who("websocket", "https://foreign.example", cookie)
    assert "SOCKETIO['CORS_ALLOW_CREDENTIALS'] is off" in caplog.text


async def test_cookies_despite_cors_a_refusal_names_the_settings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_socketio")
    await who("websocket", "http://testserver:5173")
    assert "origin http://testserver:5173 refused for host testserver" in caplog.text
    assert "CORS_ALLOWED_ORIGINS" in caplog.text
    assert "CSRF_TRUSTED_ORIGINS" in caplog.text
    assert "a request of 127.0.0.1 was refused: origin http://testserver:5173" in caplog.text
