"""A handshake whose session cannot be looked up, since the database is down: "come again"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import override_settings

from django_socketio import register
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, Frames, nothing_else
from tests.server.consumers import Base

ORIGIN = "https://page.example"
HEADERS = [
    (b"host", b"testserver"),
    (b"origin", ORIGIN.encode()),
    (b"cookie", f"{settings.SESSION_COOKIE_NAME}={'a' * 32}".encode()),
]


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The database is down, until this is undone."""

    def load(self: Any) -> Any:
        raise OperationalError('connection to server at "database" failed: Connection refused\n')

    options = {"CORS_ALLOWED_ORIGINS": [ORIGIN], "CORS_ALLOW_CREDENTIALS": True}
    with override_settings(SOCKETIO=options), monkeypatch.context() as patched:
        patched.setattr(SessionStore, "load", load)
        yield patched


@pytest.mark.django_db(transaction=True)
async def test_a_handshake_without_a_database(
    down: pytest.MonkeyPatch, application: Any, errors: Any
) -> None:
    counted = counters.handler_errors["middleware"]
    register()(Base)
    for _ in range(20):
        answer = await Exchange(application, headers=HEADERS).run()
        assert (answer.status, answer.body) == (503, b"")
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
    refusal = await Frames(application, headers=HEADERS).refused()
    assert (refusal["type"], refusal["status"]) == ("websocket.http.response.start", 503)
    assert counters.handler_errors["middleware"] == counted + 21
    (record,) = errors()
    assert "OperationalError" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert record.exc_info is None
    assert not current_hub().clients
    # Who has no session needs no database, and it comes back.
    assert (await Exchange(application, headers=HEADERS[:2]).run()).status == 200
    down.undo()
    assert (await Exchange(application, headers=HEADERS).run()).status == 200


async def test_a_mistake_in_a_middleware(errors: Any) -> None:
    def middleware(inner: Any) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            raise LookupError("on purpose")

        return application

    application = SocketIOApplication(nothing_else, middleware=middleware)
    for _ in range(3):
        assert (await Exchange(application).run()).status == 503
    refusal = await Frames(application, extensions={}).refused()
    assert refusal["type"] == "websocket.close"
    assert {record.exc_info[0] for record in errors()} == {LookupError}
