"""Which requests are Socket.IO's, and the middleware they pass."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import channel_layers
from channels.routing import ProtocolTypeRouter, URLRouter
from django.apps import apps
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from django_socketio import event, register
from django_socketio.asgi import SocketIOApplication
from tests.harness.inprocess import Frames, Poller, nothing_else
from tests.harness.waiting import DEADLINE
from tests.server.consumers import Base
from tests.server.users import make_user

Refused = Callable[..., Awaitable[Any]]


class Whoami(Base):
    @event
    async def whoami(self) -> Any:
        return getattr(self.user, "username", None)


def hello(request: HttpRequest, rest: str) -> HttpResponse:
    return HttpResponse("Django at " + request.path)


urlpatterns = [path("<path:rest>", hello)]


class Rest:
    """The rest of a project: notes what it is handed."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await receive()
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"rest"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})


async def knock(application: Any, kind: str, url: str, **scope: Any) -> str:
    """Who answers: "socket.io" or "rest"."""
    communicator = ApplicationCommunicator(
        application,
        {
            "type": kind,
            "path": url,
            "root_path": "",
            "query_string": b"EIO=4&transport=" + (b"polling" if kind == "http" else b"websocket"),
            "headers": [],
            "method": "GET",
            **scope,
        },
    )
    first = {"http": "http.request", "websocket": "websocket.connect"}[kind]
    await communicator.send_input({"type": first})
    message = await communicator.receive_output(DEADLINE)
    communicator.stop()
    ours = message["type"] == "websocket.accept" or message.get("status") == 200
    if not ours:
        assert message["type"] == "websocket.close" or message["status"] == 418
    return "socket.io" if ours else "rest"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("/socket.io/", "socket.io"),
        ("/socket.io", "socket.io"),
        ("/", "rest"),
        ("/socket.iox/", "rest"),
        ("/other/socket.io/", "rest"),
        ("/Socket.IO/", "rest"),
    ],
)
async def test_paths(kind: str, url: str, who: str) -> None:
    rest = Rest()
    assert await knock(SocketIOApplication(rest), kind, url) == who
    assert len(rest.scopes) == (who == "rest")
    if rest.scopes:
        assert (rest.scopes[0]["type"], rest.scopes[0]["path"]) == (kind, url)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("wanted", ["/live/", "/live", "/a/b/"])
async def test_a_path_of_ones_own(kind: str, wanted: str) -> None:
    by_argument = SocketIOApplication(Rest(), path=wanted)
    assert await knock(by_argument, kind, wanted) == "socket.io"
    assert await knock(by_argument, kind, "/socket.io/") == "rest"
    by_setting = SocketIOApplication(Rest())
    with override_settings(SOCKETIO={"PATH": wanted}):
        assert await knock(by_setting, kind, wanted) == "socket.io"
        assert await knock(by_setting, kind, "/socket.io/") == "rest"


async def test_the_argument_is_preferred_to_the_setting() -> None:
    with override_settings(SOCKETIO={"PATH": "/by-setting/"}):
        application = SocketIOApplication(Rest(), path="/by-argument/")
        assert await knock(application, "http", "/by-argument/") == "socket.io"
        assert await knock(application, "http", "/by-setting/") == "rest"


async def test_below_a_root_path() -> None:
    application = SocketIOApplication(Rest())
    assert await knock(application, "http", "/app/socket.io/", root_path="/app") == "socket.io"
    assert await knock(application, "http", "/app/other/", root_path="/app") == "rest"


async def test_lifespan_is_the_apps(application: Any) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        while True:
            message = await receive()
            seen.append(message["type"])
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    communicator = ApplicationCommunicator(SocketIOApplication(app), {"type": "lifespan"})
    for step in ("startup", "shutdown"):
        await communicator.send_input({"type": f"lifespan.{step}"})
        answer = await communicator.receive_output(DEADLINE)
        assert answer == {"type": f"lifespan.{step}.complete"}
    await communicator.wait(DEADLINE)
    assert seen == ["lifespan", "lifespan.startup", "lifespan.shutdown"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"SOCKETIO": {"PING_INTERVALL": 5}}, r"SOCKETIO has an unknown key .*PING_INTERVAL"),
        ({"SOCKETIO": {"CHANNEL_LAYER": "chat"}}, r"SOCKETIO.*'chat', which is not in"),
        ({"CHANNEL_LAYERS": {"default": {"BACKEND": "no.Layer"}}}, r"(?s)Traceback.*no\.Layer"),
    ],
)
async def test_the_start_fails_with_bad_settings(
    settings: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of an application that was made before Django was set up."""
    rest = Rest()
    monkeypatch.setattr(apps, "ready", False)
    application = SocketIOApplication(rest)
    monkeypatch.undo()
    monkeypatch.setattr(channel_layers, "backends", {})
    with override_settings(**settings):
        communicator = ApplicationCommunicator(application, {"type": "lifespan"})
        await communicator.send_input({"type": "lifespan.startup"})
        answer = await communicator.receive_output(DEADLINE)
        await communicator.wait(DEADLINE)
    assert answer["type"] == "lifespan.startup.failed"
    assert re.match(expected, answer["message"])
    assert rest.scopes == []


def test_it_is_not_made_with_bad_settings() -> None:
    with override_settings(SOCKETIO={"PING_INTERVALL": 5}), pytest.raises(ImproperlyConfigured):
        SocketIOApplication(Rest())


async def test_what_lifespan_state_holds_reaches_the_app() -> None:
    rest = Rest()
    application = SocketIOApplication(rest)
    await knock(application, "http", "/", state={"pool": 1})
    assert rest.scopes[0]["state"] == {"pool": 1}


@pytest.mark.urls(__name__)
async def test_around_django() -> None:
    register()(Whoami)
    application = SocketIOApplication(get_asgi_application())
    communicator = ApplicationCommunicator(
        application,
        {
            "type": "http",
            "method": "GET",
            "path": "/some/page",
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
        },
    )
    await communicator.send_input({"type": "http.request"})
    assert (await communicator.receive_output(DEADLINE))["status"] == 200
    assert (await communicator.receive_output(DEADLINE))["body"] == b"Django at /some/page"
    await communicator.wait(DEADLINE)
    client = Frames(application)
    await client.open()
    await client.enter("/")
    await client.drop()


async def test_around_a_router_of_channels() -> None:
    class Echo(AsyncWebsocketConsumer):
        async def receive(self, text_data: Any = None, bytes_data: Any = None) -> None:
            await self.send(text_data=text_data)

    register()(Whoami)
    router = ProtocolTypeRouter({"websocket": URLRouter([path("echo/", Echo.as_asgi())])})
    application = SocketIOApplication(router)
    plain = Frames(application, path="/echo/", query="")
    await plain.accept()
    await plain.send("hello")
    assert await plain.receive() == "hello"
    client = Frames(application)
    await client.open()
    await client.enter("/")
    await client.drop()
    await plain.drop()


# Middleware


class Counting:
    """Puts a user into the scope, and counts how often it runs."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.runs: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.runs.append((scope["type"], scope["path"]))
        await self.inner({**scope, "user": make_user(5, username="ada")}, receive, send)


async def test_a_middleware_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Counting] = []

    def middleware(inner: Any) -> Counting:
        made.append(Counting(inner))
        return made[-1]

    register()(Whoami)
    application = SocketIOApplication(nothing_else, middleware=middleware)
    poller = Poller(application)
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('421["whoami"]')
    assert await poller.receive() == ['431["ada"]']
    websocket = await poller.upgrade()
    await websocket.send('422["whoami"]')
    assert await websocket.receive() == '432["ada"]'
    await websocket.drop()
    # Once per session, at the handshake.
    assert len(made) == 1
    assert made[0].runs == [("http", "/socket.io/")]
    second = Frames(application)
    await second.open()
    await second.enter("/")
    await second.drop()
    assert made[0].runs[1:] == [("websocket", "/socket.io/")]


async def test_middleware_runs_for_our_path_only() -> None:
    made: list[Counting] = []

    def middleware(inner: Any) -> Counting:
        made.append(Counting(inner))
        return made[-1]

    application = SocketIOApplication(Rest(), middleware=middleware)
    assert await knock(application, "http", "/") == "rest"
    assert not any(one.runs for one in made)


async def test_a_middleware_that_answers_itself() -> None:
    def middleware(inner: Any) -> Any:
        async def closed(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b"closed"})
            else:
                await send({"type": "websocket.close"})

        return closed

    application = SocketIOApplication(nothing_else, middleware=middleware)
    answer = await Poller(application).request("GET", "EIO=4&transport=polling")
    assert (answer.status, answer.body) == (503, b"closed")
    assert await Frames(application).refused() == {"type": "websocket.close"}


async def test_no_middleware(connect: Any, refused: Refused) -> None:
    seen: list[Any] = []

    @register("/open")
    class Open(Whoami):
        async def connect(self, auth: Any) -> None:
            seen.append((self.user, self.session))

    @register("/members")
    class Members(Whoami):
        login_required = True

    application = SocketIOApplication(nothing_else, middleware=None)
    client = await connect("/open", application=application)
    assert seen == [(None, None)]
    assert await client.call("whoami") is None
    assert await refused("/members", application=application) == {"message": "Login required"}
    # A token in `auth` needs no session.
    ada = make_user(1, username="ada")

    @register("/token")
    class Token(Members):
        async def authenticate(self, auth: Any) -> Any:
            return ada

    assert await (await connect("/token", application=application)).call("whoami") == "ada"
