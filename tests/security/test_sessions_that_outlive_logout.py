"""After a logout no connection of that session lives, whatever its key, its state or its process.

tests/cluster/test_logouts.py has the same with several processes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

import channels.auth
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user, update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from django.test import Client as DjangoClient

from django_socketio import SocketIOConsumer, event
from django_socketio.addressing.logins import Login
from django_socketio.asgi import AuthMiddlewareStack, SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.sockets import logins
from django_socketio.stats import counters
from tests.harness.inprocess import Frames, Poller, make_scope, nothing_else, start
from tests.harness.protocol import WEBSOCKET
from tests.harness.waiting import DEADLINE, eventually

from .inprocess import HOST, registered

pytestmark = pytest.mark.django_db(transaction=True)

BACKENDS = ["db", "cache", "cached_db", "signed_cookies"]

Middleware = Callable[..., Awaitable[None]]


class Browser(DjangoClient):
    """A browser; its methods are called in a thread. Its cookie changes with its session's key."""

    def start_as_visitor(self, engine: str) -> None:
        session = import_module(engine).SessionStore()
        session["cart"] = 1
        self.keep(session)

    def keep(self, session: Any) -> None:
        session.save()
        self.cookies["sessionid"] = session.session_key

    def log_in(self, name: str = "ada") -> None:
        self.post("/login/", {"username": name}, content_type="application/json")

    def log_out(self) -> None:
        self.post("/logout/")

    def change_password(self) -> None:
        request = HttpRequest()
        request.session = self.session
        user = request.user = get_user(request)
        assert isinstance(user, User)
        user.set_password("another")
        user.save()
        update_session_auth_hash(request, user)
        self.keep(request.session)

    def save(self) -> None:
        session = self.session
        session["cart"] = 2
        self.keep(session)

    def forget_login(self) -> None:
        """As a session that is older than this app."""
        session = self.session
        del session["_socketio"]
        self.keep(session)

    @property
    def sends(self) -> list[tuple[bytes, bytes]]:
        return [HOST, (b"cookie", f"sessionid={self.cookies['sessionid'].value}".encode())]


@pytest.fixture
def backend(settings: Any) -> str:
    """The backend of sessions, where no test says which."""
    engine: str = settings.SESSION_ENGINE
    return engine


@pytest.fixture
def application(backend: str) -> SocketIOApplication:
    return SocketIOApplication(nothing_else)


class Member(SocketIOConsumer):
    login_required = True

    @event
    async def me(self) -> Any:
        return self.user.username


class Open(SocketIOConsumer):
    pass


@pytest.fixture(autouse=True)
def consumers() -> Iterator[None]:
    with registered(Member), registered(Open, "/open"):
        yield


async def browser_of(name: str = "ada") -> Browser:
    browser = Browser()
    await sync_to_async(browser.log_in)(name)
    return browser


async def opened(application: Any, browser: Browser) -> Frames:
    client = Frames(application, headers=browser.sends)
    await client.open()
    return client


async def joined(application: Any, browser: Browser, namespace: str = "/") -> Frames:
    client = await opened(application, browser)
    await client.enter(namespace)
    return client


async def is_served(client: Frames) -> bool:
    await client.send('421["me"]')
    return (await client.receive()) == '431["ada"]'


def nothing_is_left() -> bool:
    hub = current_hub()
    return not hub.clients and not hub.local.namespaces


async def ended(*clients: Frames) -> None:
    """Wait until the server has closed these, and nobody else is there."""
    for client in clients:
        assert await client.rest() in (["41"], ["41/open,"]), client
        await client.drop()
    assert nothing_is_left()


# The key changes


def as_it_was(browser: Browser) -> None:
    pass


@pytest.mark.parametrize("change", [as_it_was, Browser.change_password, Browser.save])
@pytest.mark.parametrize("backend", BACKENDS)
async def test_sessions_that_outlive_logout_by_another_key(
    settings: Any, backend: str, change: Callable[[Browser], None]
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{backend}"
    application = SocketIOApplication(nothing_else)
    browser = await browser_of()
    first = await joined(application, browser)
    await sync_to_async(change)(browser)
    second = await joined(application, browser)
    await sync_to_async(browser.log_out)()
    await ended(first, second)


@pytest.mark.parametrize("backend", BACKENDS)
async def test_what_was_opened_before_the_login_ends_too(settings: Any, backend: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{backend}"
    application = SocketIOApplication(nothing_else)
    browser = Browser()
    await sync_to_async(browser.start_as_visitor)(settings.SESSION_ENGINE)
    before = await joined(application, browser, "/open")
    await sync_to_async(browser.log_in)()
    after = await joined(application, browser)
    await sync_to_async(browser.log_out)()
    await ended(before, after)


async def test_other_sessions_of_the_user_stay(application: Any) -> None:
    here, elsewhere, bob = await browser_of(), await browser_of(), await browser_of("bob")
    mine, mine_too, his = [await joined(application, one) for one in (here, elsewhere, bob)]
    await sync_to_async(here.change_password)()
    await sync_to_async(here.log_out)()
    assert await mine.rest() == ["41"]
    await mine.drop()
    assert await is_served(mine_too)
    await his.send('421["me"]')
    assert await his.receive() == '431["bob"]'
    for client in (mine_too, his):
        await client.drop()


async def test_the_browser_may_come_again(application: Any) -> None:
    browser = await browser_of()
    first = await joined(application, browser)
    await sync_to_async(browser.log_out)()
    await ended(first)
    await sync_to_async(browser.log_in)()
    second = await joined(application, browser)
    assert await is_served(second)
    await second.drop()


# The state of the connection


async def test_sessions_that_outlive_logout_without_a_namespace(application: Any) -> None:
    browser = await browser_of()
    client = await opened(application, browser)
    await sync_to_async(browser.log_out)()
    await client.send("40")
    assert await client.rest() == []
    await client.drop()
    assert nothing_is_left()


async def test_sessions_that_outlive_logout_without_a_namespace_over_polling(
    application: Any,
) -> None:
    browser = await browser_of()
    poller = Poller(application, browser.sends)
    await poller.open()
    waiting = start(poller.poll())
    await sync_to_async(browser.log_out)()
    assert (await waiting).packets == ["1"]
    assert (await poller.request("POST", poller.query, b"40")).status == 400
    assert nothing_is_left()


@pytest.mark.parametrize("goes_on", [False, True])
async def test_sessions_that_outlive_logout_in_an_upgrade(application: Any, goes_on: bool) -> None:
    browser = await browser_of()
    poller = Poller(application, browser.sends)
    await poller.open()
    await poller.send("40")
    assert (await poller.receive())[0].startswith("40")
    prober = Frames(application, f"{WEBSOCKET}&sid={poller.sid}", browser.sends)
    await prober.accept()
    await prober.send("2probe")
    assert await prober.receive() == "3probe"
    await sync_to_async(browser.log_out)()
    if goes_on:
        await prober.send("5")
        assert await prober.rest() == ["41"]
    else:
        assert await poller.receive() == ["41"]
        assert await poller.receive() == ["1"]
        assert await prober.rest() == []
    await prober.drop()
    assert nothing_is_left()


@pytest.mark.parametrize("hook", ["authenticate", "connect"])
async def test_sessions_that_outlive_logout_while_a_hook_runs(application: Any, hook: str) -> None:
    running, gate, admitted = asyncio.Event(), asyncio.Event(), []

    async def wait(self: Any, auth: Any) -> Any:
        running.set()
        await gate.wait()
        return self.user if hook == "authenticate" else None

    async def ready(self: Any, *args: Any) -> None:
        admitted.append(self.sid)

    attributes = {hook: wait, "login_required": True, "on_barrier": event("barrier")(ready)}
    with registered(type("Slow", (SocketIOConsumer,), attributes), "/slow"):
        browser = await browser_of()
        client = await opened(application, browser)
        await client.send("40/slow,")
        await asyncio.wait_for(running.wait(), DEADLINE)
        await sync_to_async(browser.log_out)()
        refused = await client.rest()
        assert [packet.partition("{")[0] for packet in refused] == ["44/slow,"]
        gate.set()
        await client.send('42/slow,["barrier"]')
        await client.drop()
        await eventually(nothing_is_left, "the socket to be gone")
        assert admitted == []


# The handshake is under way


class Gate:
    """Middleware that has read the session, and holds the handshake back."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self.application = SocketIOApplication(nothing_else, middleware=self.middleware)

    def middleware(self, inner: Middleware) -> Middleware:
        async def wait(scope: Any, receive: Any, send: Any) -> None:
            assert scope["user"].username == "ada"
            self.reached.set()
            await self.opened.wait()
            await inner(scope, receive, send)

        return AuthMiddlewareStack(wait)


async def test_sessions_that_outlive_logout_in_a_polling_handshake() -> None:
    gate, browser = Gate(), await browser_of()
    poller = Poller(gate.application, browser.sends)
    handshake = start(poller.poll())
    await gate.reached.wait()
    before = counters.refusals["logged out"]
    await sync_to_async(browser.log_out)()
    gate.opened.set()
    answer = await handshake
    assert (answer.status, answer.body) == (503, b"")
    assert counters.refusals["logged out"] == before + 1
    assert nothing_is_left()


async def test_sessions_that_outlive_logout_in_a_websocket_s_handshake() -> None:
    gate, browser = Gate(), await browser_of()
    client = Frames(gate.application, headers=browser.sends)
    client.put("connect")
    await gate.reached.wait()
    await sync_to_async(browser.log_out)()
    gate.opened.set()
    assert (await client.receive_message())["status"] == 503
    await client.ended()
    assert nothing_is_left()


async def test_sessions_that_outlive_logout_while_the_websocket_is_accepted(
    application: Any,
) -> None:
    browser = await browser_of()
    client = Frames(application, headers=browser.sends)
    accepting, go_on = asyncio.Event(), asyncio.Event()
    keep = client._send

    async def send(message: Any) -> None:
        if message["type"] == "websocket.accept":
            accepting.set()
            await go_on.wait()
        await keep(message)

    client.task.cancel()
    client.task = start(application(scope_of(browser), client._receive, send))
    client.put("connect")
    await accepting.wait()
    await sync_to_async(browser.log_out)()
    go_on.set()
    assert (await client.receive_message())["type"] == "websocket.accept"
    await client.send("40")
    assert [packet[:1] for packet in await client.rest()] == ["0"]
    await client.drop()
    assert nothing_is_left()


def scope_of(browser: Browser) -> dict[str, Any]:
    return make_scope("websocket", WEBSOCKET, browser.sends, scheme="ws", extensions={})


async def test_sessions_that_outlive_logout_before_the_session_is_deleted(
    application: Any,
) -> None:
    """The signal comes first: until the session is deleted, a handshake still finds it."""
    current_hub()  # a server has it from its start
    browser = await browser_of()
    headers = browser.sends
    signalled, go_on = threading.Event(), threading.Event()

    def hold(**kwargs: Any) -> None:
        signalled.set()
        go_on.wait(DEADLINE)

    user_logged_out.connect(hold)
    try:
        logging_out = asyncio.ensure_future(asyncio.to_thread(browser.log_out))
        await eventually(signalled.is_set, "the signal")
        assert (await Poller(application, headers).poll()).status == 503
    finally:
        go_on.set()
        user_logged_out.disconnect(hold)
    await logging_out
    assert nothing_is_left()


# Where it cannot be known which clients they are


async def lost(*clients: Frames) -> None:
    """Wait until these have lost their connection without a word, so that they come again."""
    for client in clients:
        assert await client.rest() == []
        await client.drop()


@pytest.mark.parametrize("again", [False, True], ids=["once", "logged in again"])
@pytest.mark.parametrize("backend", BACKENDS)
async def test_sessions_that_are_older_than_the_app(
    settings: Any, backend: str, again: bool
) -> None:
    """They have nothing but their key, so all clients of that user come again."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{backend}"
    application = SocketIOApplication(nothing_else)
    browser, other, bob = await browser_of(), await browser_of(), await browser_of("bob")
    await sync_to_async(browser.forget_login)()
    first = await joined(application, browser)
    idle = await opened(application, browser)
    elsewhere = await joined(application, other)
    his = await joined(application, bob)
    await sync_to_async(browser.change_password)()
    if again:
        await sync_to_async(browser.log_in)()
    await sync_to_async(browser.log_out)()
    await lost(first, idle, elsewhere)
    await his.send('421["me"]')
    assert await his.receive() == '431["bob"]'
    await his.drop()
    assert nothing_is_left()


async def test_sessions_that_a_consumer_logs_out(application: Any) -> None:
    """``channels.auth.logout`` says who has logged out, but not where."""

    class Leaver(SocketIOConsumer):
        @event
        async def leave_all(self) -> None:
            await channels.auth.logout(self.scope)

    with registered(Leaver, "/leaver"):
        browser = await browser_of()
        one = await joined(application, browser)
        two = await joined(application, browser, "/leaver")
        await two.send('42/leaver,["leave_all"]')
        await lost(one, two)
        await eventually(nothing_is_left, "the sockets to be gone")
        third = await opened(application, browser)
        await third.send("40")
        assert (await third.receive()).startswith("44")
        await third.drop()


# What is remembered


class Leaving:
    """A client of a login."""

    def __init__(self, login: str, user: str = "1") -> None:
        self.login: Login | None = None
        data = {"_socketio": [login], "_auth_user_id": user}
        self.scope = {"session": type("Session", (), {"_session_cache": data})}
        self.left: list[str] = []

    def disconnect(self) -> None:
        self.left.append("disconnect")

    def close(self, reason: Any) -> None:
        self.left.append("close")


async def test_an_error_with_one_client_keeps_no_other_one(caplog: Any) -> None:
    known: logins.Logins[Leaving] = logins.Logins(asyncio.get_running_loop())
    clients = [Leaving("a") for _ in range(3)]
    for client in clients:
        known.add(client)

    def fail() -> None:
        raise ValueError

    clients[0].disconnect = fail  # type: ignore[method-assign]
    known.end(["a"], "")
    assert [client.left for client in clients] == [[], ["disconnect"], ["disconnect"]]
    assert "could not be closed" in caplog.text


async def test_logouts_are_remembered_for_a_while_and_up_to_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logins, "MAX_REMEMBERED", 10)
    loop = asyncio.get_running_loop()
    now = 1000.0
    monkeypatch.setattr(loop, "time", lambda: now)
    known: logins.Logins[Leaving] = logins.Logins(loop)

    def ended(login: str, user: str = "1") -> bool:
        return known.has_ended(Leaving(login, user).scope["session"], now)

    known.end(["a"], "")
    assert ended("a")
    assert not ended("b")
    now += logins.LOGIN_MEMORY
    assert not ended("a")
    known.end([f"login {number}" for number in range(11)], "")
    assert len(known._ended) == 10
    assert [ended("login 0"), ended("login 1")] == [False, True]
    known.end([], "7")
    assert [ended("x", "7"), ended("x", "8")] == [True, False]
    began = now
    now += logins.USER_MEMORY
    assert not ended("x", "7")
    assert known.has_ended(Leaving("x", "7").scope["session"], began)
    now += logins.MEMORY * 2
    known.end(["late"], "")
    assert list(known._ended) == ["late"]


async def test_nothing_is_kept_of_a_client_that_has_gone(application: Any) -> None:
    browser = await browser_of()
    client = await joined(application, browser)
    known = current_hub().local.logins
    assert len(known._clients) == 1
    await client.drop()
    assert known._clients == {}
