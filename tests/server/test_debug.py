"""Mistakes that DEBUG names in the log: each is made on purpose, and the message has the cure."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.http import HttpResponseNotFound
from django.test import AsyncClient, override_settings
from django.urls import path

from django_socketio import event, process, register
from django_socketio.asgi import SocketIOApplication
from django_socketio.server import misdirected, watching
from django_socketio.server.forgotten import show_forgotten_awaits
from django_socketio.sockets.behaviour import Handlers
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, nothing_else
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

Said = Callable[[], list[str]]

urlpatterns = [path("missing/", lambda request: HttpResponseNotFound())]


@pytest.fixture
def debug() -> Iterator[None]:
    before = warnings.showwarning
    with override_settings(DEBUG=True):
        yield
    warnings.showwarning = before


@pytest.fixture
def said(logged: Any) -> Said:
    return lambda: [record.getMessage() for record in logged(logging.WARNING)]


class Chat(Base):
    @event
    async def save(self, text: str, tags: list[str] | None = None) -> None: ...

    @event("chat message")
    async def chat_message(self) -> None: ...


CHAT = "tests.server.test_debug.Chat"


async def test_an_event_without_a_handler(debug: None, connect: Connect, said: Said) -> None:
    register()(Chat)
    client = await connect()
    before = counters.events_refused["no handler"]
    for _ in range(2):
        await client.emit("safe", 1)
    await client.emit("100%")
    await client.call("barrier")
    assert counters.events_refused["no handler"] == before + 3
    assert said() == [
        f"event {name} has no handler in {CHAT}; there are: barrier, chat message, save{hint}. "
        'Write a method with @event("..."), or with @event("*") for all others'
        for name, hint in (("safe", "; did you mean 'save'?"), ("100%", ""))
    ]


async def test_a_handler_for_all_others_is_one(debug: None, connect: Connect, said: Said) -> None:
    seen: list[str] = []

    @register()
    class Consumer(Base):
        @event("*")
        async def rest(self, name: str, *args: Any) -> None:
            seen.append(name)

    client = await connect()
    await client.emit("any")
    await client.call("barrier")
    assert (seen, said()) == (["any"], [])


async def test_one_who_invents_events_is_not_named_for_ever(
    debug: None, connect: Connect, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()(Chat)
    monkeypatch.setattr(watching, "MOST", 3)
    client = await connect()
    for n in range(6):
        await client.emit(f"event {n}")
    await client.call("barrier")
    assert len(said()) == 3


async def test_a_namespace_that_nobody_serves(debug: None, refused: Any, said: Said) -> None:
    register("/chat")(Chat)
    for _ in range(2):
        assert await refused("/chatt") == {"message": "Invalid namespace"}
    (text,) = said()
    assert text.startswith("no consumer serves namespace /chatt; served are: ")
    assert "served are: /chat, " in text
    assert "the module “consumers” of each app in INSTALLED_APPS" in text


@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_a_coroutine_that_is_returned(
    debug: None, connect: Connect, said: Said, plain: bool
) -> None:
    class Consumer(Base):
        @event
        async def ask(self) -> Any:
            return self.acall("question")

        @event("ask plainly")
        def ask_plainly(self) -> Any:
            return self.acall("question")

    register()(Consumer)
    client = await connect()
    await client.emit("ask plainly" if plain else "ask")
    await client.call("barrier")
    assert "returned a coroutine that nobody awaits: did you forget “await”?" in said()[0]
    assert f"Consumer.{'ask_plainly' if plain else 'ask'} returned" in said()[0]


async def test_an_await_that_is_forgotten(debug: None, connect: Connect, said: Said) -> None:
    @register()
    class Consumer(Base):
        async def notify(self) -> None: ...

        @event
        async def save(self) -> None:
            self.notify()  # type: ignore[unused-coroutine]

    silent: list[Any] = []
    # As daphne: it gives warnings to Twisted's log, and that to nobody.
    warnings.showwarning = lambda *args, **kwargs: silent.append(args)
    show_forgotten_awaits()
    show_forgotten_awaits()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning, ours = warnings.showwarning, warnings.showwarning
        client = await connect()
        await client.emit("save")
        await client.call("barrier")
        gc.collect()
        warnings.warn("another one", UserWarning, stacklevel=1)
        assert warnings.showwarning is ours
    (text,) = said()
    assert "notify' was never awaited: did you forget “await”?" in text
    assert "test_debug.py" in text
    assert [str(args[0]) for args in silent] == ["another one"]


async def test_a_handler_that_holds_the_loop(debug: None, connect: Connect, said: Said) -> None:
    @register()
    class Consumer(Base):
        @event
        async def slow(self) -> str:
            await asyncio.sleep(0)
            time.sleep(0.15)  # noqa: ASYNC251 (the mistake)
            return "done"

        @event
        def thread(self) -> None:
            time.sleep(0.15)

        @event
        async def patient(self) -> None:
            await asyncio.sleep(0.15)

    client = await connect()
    assert await client.call("slow") == "done"
    await client.call("thread")
    await client.call("patient")
    # On a busy machine the others may be held up as well; they do not do it themselves.
    text = next(text for text in said() if "Consumer.slow blocked" in text)
    assert "blocked the event loop for 0." in text
    assert "make it a plain def, which runs in a thread" in text


@pytest.mark.parametrize("hook", ["connect", "ready", "disconnect", "authenticate"])
async def test_a_hook_that_holds_the_loop(
    debug: None, connect: Connect, said: Said, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BLOCKED", -1.0)

    hooks = {
        "connect": "async def connect(self, auth): ...",
        "ready": "async def ready(self): ...",
        "disconnect": "async def disconnect(self, reason): ...",
        "authenticate": "async def authenticate(self, auth): ...",
    }
    scope: dict[str, Any] = {}
    exec(hooks[hook], scope)
    register()(type("Consumer", (Base,), {hook: scope[hook]}))
    client = await connect()
    await client.disconnect()
    await asyncio.sleep(0)
    assert any(f"Consumer.{hook} blocked" in text for text in said())


async def test_a_watched_handler_behaves_as_one_that_is_not(
    debug: None, connect: Connect, errors: Any
) -> None:
    """It is awaited, cancelled and fails as before, and its time is counted."""

    @register()
    class Consumer(Base):
        @event
        async def fail(self) -> None:
            await asyncio.sleep(0)
            raise ValueError("mine")

        @event
        async def ask(self) -> Any:
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 0.01)
            except asyncio.TimeoutError:
                return "timed out"

    client = await connect()
    assert await client.call("ask") == "timed out"
    await client.emit("fail")
    await client.call("barrier")
    (error,) = errors()
    assert error.exc_info[0] is ValueError
    behaviour = vars(Consumer)["_SocketIOConsumer__behaviour"]
    assert behaviour.handlers["fail"].timing.errors == 1
    assert behaviour.handlers["ask"].timing.count == 1


async def test_without_debug_nothing_is_wrapped(connect: Connect, said: Said) -> None:
    sockets: list[Any] = []

    @register()
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            sockets.append(vars(self)["_SocketIOConsumer__socket"])

    client = await connect()
    await client.emit("nobody's")
    await client.call("barrier")
    (socket,) = sockets
    assert type(socket.handlers) is Handlers
    assert socket.behaviour is vars(Consumer)["_SocketIOConsumer__behaviour"]
    assert said() == []


async def test_wrong_arguments_are_shown_beside_the_signature(connect: Connect, said: Said) -> None:
    register()(Chat)
    client = await connect()
    await client.emit("save", 1, 2, 3)
    await client.call("barrier")
    (text,) = said()
    assert text == (
        "event save of namespace /: 3 argument(s) do not fit "
        f"{CHAT}.save(self, text: 'str', tags: 'list[str] | None' = None) -> 'None'"
    )


@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
async def test_rows_that_are_returned(frames: OpenFrames, errors: Any, plain: bool) -> None:
    class Consumer(Base):
        @event
        async def load(self) -> Any:
            return User.objects.all()

        @event("load plainly")
        def load_plainly(self) -> Any:
            return User.objects.all()

    register()(Consumer)
    client = await frames()
    await client.enter("/")
    name = "load plainly" if plain else "load"
    await client.send(f'421["{name}"]', '422["barrier"]')
    assert await client.receive() == "432[true]"
    (error,) = errors()
    assert error.getMessage() == f"the handler of event {name} in namespace / failed"
    assert str(error.exc_info[1]) == (
        "the acknowledgement cannot be sent: args[0] is of type QuerySet, which JSON cannot hold: "
        "send rows, list(queryset.values(...))"
    )


async def test_an_application_without_the_app(monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    installed = apps.is_installed
    monkeypatch.setattr(
        apps, "is_installed", lambda name: name != "django_socketio" and installed(name)
    )
    application = SocketIOApplication(nothing_else)
    for _ in range(2):
        await Exchange(application).run()
    (text,) = said()
    assert text == (
        "django_socketio is not in INSTALLED_APPS: no consumers are looked for, no checks run and "
        "no statistics are kept; add it there"
    )


# A client that Django answers


@pytest.fixture
def watched_requests() -> Iterator[None]:
    log = logging.getLogger("django.request")
    before = list(log.filters)
    log.filters = [one for one in before if not isinstance(one, misdirected.Misdirected)]
    misdirected.watch_for_misdirected()
    misdirected.watch_for_misdirected()
    assert len(log.filters) == len(before) + 1
    yield
    log.filters = before


@pytest.mark.parametrize(
    ("serving", "url", "expected"),
    [
        (False, "/socket.io/?EIO=4&transport=polling", "this process does not serve Socket.IO"),
        (False, "/socket.io/socket.io.js", "SocketIOApplication(get_asgi_application())"),
        (True, "/ws/?EIO=4&transport=polling", 'SOCKETIO["PATH"] is /socket.io/'),
        (True, "/missing/", None),
        (False, "/missing/", None),
        (True, "/socket.io/other.js", None),
        (True, "/socket.io/?EIO=4&transport=polling", None),  # path=... of the application
    ],
)
@override_settings(ROOT_URLCONF="tests.server.test_debug")
async def test_a_client_that_reaches_djangos_404(
    watched_requests: None,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
    serving: bool,
    url: str,
    expected: str | None,
) -> None:
    monkeypatch.setattr(process, "serving", serving)
    for _ in range(2):
        response = await AsyncClient().get(url)
        assert response.status_code == 404
    if expected is None:
        assert said() == []
    else:
        (text,) = said()
        assert text.startswith("a Socket.IO client asks for /")
        assert expected in text


@override_settings(ROOT_URLCONF="tests.server.test_debug", SOCKETIO={"PATH": "x"})
async def test_bad_settings_do_not_break_the_404(watched_requests: None, said: Said) -> None:
    response = await AsyncClient().get("/socket.io/?EIO=4&transport=polling")
    assert response.status_code == 404
    assert said() == []
