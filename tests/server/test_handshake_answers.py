"""What a middleware adds to the answer to a handshake reaches the client."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import override_settings

from django_socketio import register
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from django_socketio.transports.auth import VisitorMiddleware
from tests.harness.inprocess import Exchange, Frames, Poller, nothing_else
from tests.server.consumers import Base

Middleware = Any
STARTS = ("http.response.start", "websocket.accept")


def serve(middleware: Middleware) -> SocketIOApplication:
    register()(Base)
    return SocketIOApplication(nothing_else, middleware=middleware)


def adding(journal: list[Any] | None = None) -> Middleware:
    """A middleware that adds a header and a cookie to each answer."""

    def middleware(inner: Any) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            async def send_more(message: Any) -> None:
                if journal is not None:
                    journal.append((message["type"], len(current_hub().clients)))
                if message["type"] in STARTS:
                    headers = [*message.get("headers", ()), (b"x-seen", b"yes")]
                    message = {**message, "headers": [*headers, (b"set-cookie", b"a=b")]}
                await send(message)

            if journal is not None:
                hub = current_hub()
                journal.append(("begins", len(hub.clients), hub.clients.places.taken))
            await inner(scope, receive, send_more)
            if journal is not None:
                journal.append("ends")

        return application

    return middleware


async def test_over_polling() -> None:
    journal: list[Any] = []
    application = serve(adding(journal))
    answer = await Exchange(application).run()
    assert answer.status == 200
    assert (answer.headers["x-seen"], answer.headers["set-cookie"]) == ("yes", "a=b")
    began = [("begins", 0, 1), ("http.response.start", 1), ("http.response.body", 1), "ends"]
    assert journal == began

    # The rest of the session pays nothing, and has nothing added.
    poller = Poller(application)
    poller.sid = json.loads(answer.body[1:])["sid"]
    await poller.send("40")
    polled = await poller.poll()
    assert polled.status == 200
    assert "x-seen" not in polled.headers
    websocket = Frames(application, f"EIO=4&transport=websocket&sid={poller.sid}")
    websocket.put("connect")
    assert await websocket.receive_message() == {"type": "websocket.accept"}
    assert journal == began


async def test_a_middleware_around_it_sees_each_request() -> None:
    """Node's engine has an event for the headers of each answer."""
    register()(Base)
    poller = Poller(adding()(SocketIOApplication(nothing_else)))
    answer = await Exchange(poller.application).run()
    poller.sid = json.loads(answer.body[1:])["sid"]
    await poller.send("40")
    polled = await poller.poll()
    assert (answer.headers["x-seen"], polled.headers["x-seen"]) == ("yes", "yes")


async def test_beside_the_cookie_of_the_settings() -> None:
    with override_settings(SOCKETIO={"COOKIE": True}):
        sent: list[Any] = []
        exchange = Exchange(serve(adding()))
        receive, send = exchange._receive, exchange._send

        async def note(message: Any) -> None:
            sent.append(message)
            await send(message)

        await exchange.application(exchange.scope, receive, note)
    cookies = [value for name, value in sent[0]["headers"] if name == b"set-cookie"]
    assert [cookie[:3] for cookie in cookies] == [b"io=", b"a=b"]


async def test_over_a_websocket() -> None:
    journal: list[Any] = []
    frames = Frames(serve(adding(journal)))
    frames.put("connect")
    assert await frames.receive_message() == {
        "type": "websocket.accept",
        "headers": [(b"x-seen", b"yes"), (b"set-cookie", b"a=b")],
    }
    assert (await frames.receive())[:1] == "0"
    assert await frames.enter()
    assert journal == [("begins", 0, 1), ("websocket.accept", 0), "ends"]
    await frames.drop()


def writing(inner: Any) -> Any:
    """Writes into the session, as a visit's counter does."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["visited"] = True
        await inner(scope, receive, send)

    return application


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stack", [SessionMiddlewareStack, VisitorMiddleware])
async def test_channels_saves_a_session_that_was_changed(stack: Any) -> None:
    answer = await Exchange(serve(lambda inner: stack(writing(inner)))).run()
    assert answer.status == 200
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[settings.SESSION_COOKIE_NAME]
    session = SessionStore(cookie.value)
    assert await database_sync_to_async(session.load)() == {"visited": True}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cookie", [(), [(b"cookie", b"sessionid=" + b"a" * 32)]])
async def test_no_visitor_gets_an_empty_session(cookie: Any) -> None:
    register()(Base)
    application = SocketIOApplication(nothing_else)
    with override_settings(SESSION_SAVE_EVERY_REQUEST=True):
        answer = await Exchange(application, headers=cookie).run()
    assert answer.status == 200
    assert not await database_sync_to_async(Session.objects.count)()


@pytest.mark.django_db(transaction=True)
async def test_a_session_that_cannot_be_saved(monkeypatch: pytest.MonkeyPatch, errors: Any) -> None:
    def save(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("read-only")

    async def asave(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("read-only")

    application = serve(lambda inner: SessionMiddlewareStack(writing(inner)))
    counted = counters.handler_errors["middleware"]
    with monkeypatch.context() as patched:
        patched.setattr(SessionStore, "save", save)
        patched.setattr(SessionStore, "asave", asave, raising=False)
        for _ in range(3):
            answer = await Exchange(application).run()
            assert (answer.status, answer.body) == (503, b"")
    assert counters.handler_errors["middleware"] == counted + 3
    assert not current_hub().clients
    assert not current_hub().clients.places.taken
    assert len(errors()) == 1
    assert (await Exchange(application).run()).status == 200


def failing_late(inner: Any) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)
        raise LookupError("on purpose")

    return application


async def test_a_middleware_that_fails_when_all_is_said(errors: Any) -> None:
    """The client has its answer, so it is served."""
    application = serve(failing_late)
    poller = Poller(application)
    await poller.open()
    await poller.send("40")
    assert (await poller.receive())[0].startswith("40")
    frames = Frames(application)
    await frames.open()
    assert await frames.enter()
    assert {record.exc_info[0] for record in errors()} == {LookupError}


async def test_a_middleware_that_fails_within_the_answer() -> None:
    def middleware(inner: Any) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            async def send_half(message: Any) -> None:
                if message["type"] == "http.response.body":
                    raise LookupError("on purpose")
                await send(message)

            await inner(scope, receive, send_half)

        return application

    with pytest.raises(LookupError):  # for the server, which ends the connection
        await Exchange(serve(middleware)).run()
    assert not current_hub().clients


def answering(inner: Any) -> Any:
    """Answers itself."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4000})
            return
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b"teapot"})

    return application


async def test_a_middleware_that_answers_itself() -> None:
    application = serve(answering)
    answer = await Exchange(application).run()
    assert (answer.status, answer.body) == (418, b"teapot")
    assert await Frames(application).refused() == {"type": "websocket.close", "code": 4000}
    assert not current_hub().clients
    assert not current_hub().clients.places.taken


async def test_a_middleware_that_keeps_the_answer() -> None:
    """No session without a client that knows of it."""

    def middleware(inner: Any) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            async def keep(message: Any) -> None:
                pass

            await inner(scope, receive, keep)

        return application

    application = serve(middleware)
    assert (await Exchange(application).run()).status == 0
    frames = Frames(application)
    frames.put("connect")
    await frames.ended()
    assert frames.messages == []
    assert not current_hub().clients


async def test_a_client_that_leaves_before_its_answer() -> None:
    application = serve(adding())
    frames = Frames(application)
    frames.broken = True
    frames.put("connect")
    await frames.ended()

    exchange = Exchange(application)

    async def broken(message: Any) -> None:
        raise BrokenPipeError

    await application(exchange.scope, exchange._receive, broken)
    assert not current_hub().clients
    assert not current_hub().clients.places.taken
