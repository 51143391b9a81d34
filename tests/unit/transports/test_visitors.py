"""Session and user of a handshake: Channels' own middleware, but not for who cannot be known."""

from __future__ import annotations

from typing import Any

import pytest
from channels import auth
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from django_socketio.transports.auth import VisitorMiddleware


async def visit(**scope: Any) -> dict[str, Any]:
    """The scope that the middleware makes of one."""
    found: list[dict[str, Any]] = []

    async def inner(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found.append(scope)

    await VisitorMiddleware(inner)({"type": "http", "headers": [], **scope}, None, None)
    return found[0]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The scopes for which Channels has asked for the user, which it does in a thread."""
    scopes: list[dict[str, Any]] = []

    async def get_user(scope: dict[str, Any]) -> Any:
        scopes.append(scope)
        return "somebody"

    monkeypatch.setattr(auth, "get_user", get_user)
    return scopes


@pytest.mark.parametrize("cookie", [b"", b"theme=dark", b"a=b; csrftoken=x"])
async def test_who_has_no_sessions_cookie_is_anonymous(asked: list[Any], cookie: bytes) -> None:
    scope = await visit(headers=[(b"host", b"localhost"), (b"cookie", cookie)])
    assert scope["user"] == AnonymousUser()
    assert scope["session"].session_key is None
    assert asked == []


async def test_who_has_one_is_looked_up(asked: list[Any]) -> None:
    cookie = f"theme=dark; {settings.SESSION_COOKIE_NAME}=abc".encode()
    scope = await visit(headers=[(b"cookie", b"a=b"), (b"cookie", cookie)])
    assert scope["user"] == "somebody"
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["user", "session"])
async def test_what_another_middleware_has_found_is_kept(asked: list[Any], name: str) -> None:
    found = auth.UserLazyObject()
    scope = await visit(**{name: found})
    assert scope[name] is found
    assert len(asked) == 1
