"""ALLOW_REQUEST: the project decides who may begin a session."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import override_settings
from django.utils.translation import gettext_lazy

from django_socketio import register
from django_socketio.conf import get_settings
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, Frames, Poller
from tests.harness.protocol import POLLING, WEBSOCKET
from tests.server.consumers import Base

asked: list[tuple[dict[str, Any], str]] = []


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    asked.clear()


def allow(scope: dict[str, Any]) -> Any:
    asked.append((scope, threading.current_thread().name))
    return "not today" if b"refuse" in scope["query_string"] else True


async def allow_async(scope: dict[str, Any]) -> Any:
    await asyncio.sleep(0)
    return allow(scope)


class Allowing:
    """An object that is called, plain or not."""

    def __call__(self, scope: dict[str, Any]) -> Any:
        return allow(scope)


class AllowingAsync:
    async def __call__(self, scope: dict[str, Any]) -> Any:
        return await allow_async(scope)


ALLOWING = [
    allow,
    allow_async,
    Allowing(),
    AllowingAsync(),
    f"{__name__}.allow",
    f"{__name__}.allow_async",
]


@pytest.mark.parametrize(
    "function", ALLOWING, ids=["def", "async", "object", "async object", "path", "async path"]
)
async def test_it_decides_about_handshakes(application: Any, function: Any) -> None:
    refused = {"code": 4, "message": "not today"}
    before = counters.requests_refused["FORBIDDEN"]
    with override_settings(SOCKETIO={"ALLOW_REQUEST": function}):
        assert (await Exchange(application).run()).status == 200
        answer = await Exchange(application, f"{POLLING}&refuse=1").run()
        assert (answer.status, answer.json) == (403, refused)
        await Frames(application).open()
        frames = Frames(application, f"{WEBSOCKET}&refuse=1")
        start = await frames.refused()
        (body,) = frames.messages
        assert (start["status"], body["body"]) == (403, answer.body)
        assert len(current_hub().clients) == 2
    assert counters.requests_refused["FORBIDDEN"] == before + 2
    assert len(asked) == 4
    threads = {name for _, name in asked}
    if function in (ALLOWING[1], ALLOWING[3], ALLOWING[5]):
        assert threads == {threading.current_thread().name}
    else:
        assert all(name.startswith("django_socketio_hooks") for name in threads)


async def test_it_sees_what_the_middleware_has_found(application: Any) -> None:
    with override_settings(SOCKETIO={"ALLOW_REQUEST": allow, "TRUSTED_PROXIES": 1}):
        headers = [(b"x-forwarded-for", b"192.0.2.7")]
        assert (await Exchange(application, headers=headers).run()).status == 200
    ((scope, _),) = asked
    assert scope["user"] == AnonymousUser()
    assert scope["session"].is_empty()
    assert scope["client"][0] == "192.0.2.7"


async def test_only_handshakes_are_asked_about(application: Any) -> None:
    """As in Node: no poll, no POST, no upgrade, nothing that is refused anyway."""
    register()(Base)
    with override_settings(SOCKETIO={"ALLOW_REQUEST": allow}):
        poller = Poller(application)
        await poller.open()
        await poller.send("40")
        await poller.receive()
        await (await poller.upgrade()).drop()
        for method, query in (("POST", POLLING), ("GET", "EIO=4&transport=x"), ("GET", "EIO=4")):
            assert (await Exchange(application, query, method).run()).status == 400
        page = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
        assert (await Exchange(application, headers=page).run()).status == 403
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (False, "Forbidden"),
        ("", "Forbidden"),
        (gettext_lazy("Enter a valid value."), "Enter a valid value."),
        ("naïve ☃\n", "naïve ☃\n"),
    ],
)
async def test_how_it_refuses(application: Any, said: Any, message: str) -> None:
    with override_settings(SOCKETIO={"ALLOW_REQUEST": lambda scope: said}):
        answer = await Exchange(application).run()
    assert (answer.status, answer.json) == (403, {"code": 4, "message": message})


@pytest.mark.parametrize("said", [None, 1, {}, [], b"no"])
async def test_what_is_neither_true_nor_a_reason_lets_nobody_in(
    application: Any, errors: Any, said: Any
) -> None:
    with override_settings(SOCKETIO={"ALLOW_REQUEST": lambda scope: said}):
        assert (await Exchange(application).run()).status == 503
    (record,) = errors()
    assert f"it returned {said!r}; return True, or a reason to refuse" in record.getMessage()


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("error", [LookupError("on purpose"), SystemExit("on purpose")], ids=repr)
async def test_its_mistakes_refuse(
    application: Any, errors: Any, plain: bool, error: BaseException
) -> None:
    def fail(scope: Any) -> bool:
        raise error

    async def fail_async(scope: Any) -> bool:
        raise error

    counted = counters.handler_errors["ALLOW_REQUEST"]
    with override_settings(SOCKETIO={"ALLOW_REQUEST": fail if plain else fail_async}):
        for _ in range(30):
            answer = await Exchange(application).run()
            assert (answer.status, answer.body) == (503, b"")
        assert (await Frames(application).refused())["status"] == 503
        assert not current_hub().clients
        assert not current_hub().clients.places.taken
    assert counters.handler_errors["ALLOW_REQUEST"] == counted + 31
    assert 0 < len(errors()) <= 10
    assert "ALLOW_REQUEST failed" in errors()[0].getMessage()
    assert "on purpose" in errors()[0].exc_text or errors()[0].exc_info


async def test_a_database_that_is_down_is_one_line(application: Any, errors: Any) -> None:
    def fail(scope: Any) -> bool:
        raise OperationalError("no database")

    with override_settings(SOCKETIO={"ALLOW_REQUEST": fail}):
        for _ in range(30):
            assert (await Exchange(application).run()).status == 503
    (record,) = errors()
    assert record.exc_info is None


def test_a_bad_value_is_found_at_the_start() -> None:
    bad = {"ALLOW_REQUEST": f"{__name__}.disallow"}
    with (
        override_settings(SOCKETIO=bad),
        pytest.raises(ImproperlyConfigured, match="ALLOW_REQUEST"),
    ):
        get_settings()
