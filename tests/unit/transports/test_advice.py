"""What the log is told of a server that is set up less safely than it can be, each thing once."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from django_socketio.conf import get_settings
from django_socketio.runtime.log import BurstLog
from django_socketio.transports.advice import Advice
from django_socketio.transports.request import Request

PROXY, DEFLATE = "TRUSTED_PROXIES", "--ws-per-message-deflate false"


class Protocol:
    """What uvicorn's ``receive`` is bound to."""

    def __init__(self, **options: Any) -> None:
        self.config = uvicorn.Config("app:app", **options)

    async def receive(self) -> None: ...


@pytest.fixture
async def said(settings: Any, caplog: pytest.LogCaptureFixture) -> Any:
    """Look at the same handshake twice. Returns what the log was told."""
    log = BurstLog(asyncio.get_running_loop())

    def look(
        forwarded: str | None = None,
        client: Any = ("127.0.0.1", 5),
        kind: str = "http",
        receive: Any = None,
        debug: bool = False,
        **options: Any,
    ) -> list[str]:
        settings.DEBUG, settings.SOCKETIO = debug, options
        hub: Any = SimpleNamespace(settings=get_settings(), runtime=SimpleNamespace(log=log))
        headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
        scope = {"type": kind, "headers": headers, "client": client}
        advice = Advice()
        with caplog.at_level(logging.WARNING, "django_socketio"):
            for _ in range(2):
                advice.look_at(scope, receive, Request(hub, "GET", dict(headers)))
        return [record.getMessage() for record in caplog.records]

    yield look
    log.close()


@pytest.mark.parametrize(
    "client", [("127.0.0.1", 5), ("10.0.0.9", 5), ("::1", 5), ("::ffff:10.0.0.9", 5), None]
)
def test_a_proxy_that_nobody_trusts(said: Any, client: Any) -> None:
    (line,) = said("203.0.113.1, 8.8.8.8", client)
    assert PROXY in line


@pytest.mark.parametrize(
    "case",
    [
        {"forwarded": None},
        {"forwarded": "8.8.8.8", "TRUSTED_PROXIES": 1},
        {"forwarded": "8.8.8.8", "TRUSTED_PROXIES": ["10.0.0.0/8"]},
        {"forwarded": "8.8.8.8", "debug": True},
        # A client that makes the header up.
        {"forwarded": "10.0.0.1", "client": ("8.8.4.4", 5)},
        # The server has believed it: a client in the same network.
        {"forwarded": "8.8.8.8, 10.0.0.9", "client": ("10.0.0.9", 0)},
        {"forwarded": "[fd00::9]:80", "client": ("fd00::9", 0)},
    ],
)
def test_nothing_is_said_of_others(said: Any, case: dict[str, Any]) -> None:
    assert said(**case) == []


def test_uvicorn_that_inflates_more_than_we_take(said: Any) -> None:
    (line,) = said(kind="websocket", receive=Protocol().receive)
    assert DEFLATE in line
    assert "16777216" in line
    assert "--ws-max-size 1000000" in line


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"ws_per_message_deflate": False}, 1_000_000),
        ({"ws_max_size": 1_000_000}, 1_000_000),
        ({}, 16 * 1024 * 1024),
    ],
)
def test_uvicorn_that_does_not(said: Any, options: dict[str, Any], limit: int) -> None:
    receive = Protocol(**options).receive
    assert said(kind="websocket", receive=receive, MAX_HTTP_BUFFER_SIZE=limit) == []


@pytest.mark.parametrize("receive", [None, lambda: None, Protocol().receive])
def test_nothing_is_said_of_a_poll(said: Any, receive: Any) -> None:
    assert said(receive=receive) == []
