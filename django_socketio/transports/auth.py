"""The middleware that puts Django's session and user into a handshake's scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

ASGIApp = Callable[..., Awaitable[None]]


class VisitorMiddleware:
    """Channels' ``AuthMiddlewareStack``, without a thread for requests without a session cookie."""

    def __init__(self, inner: ASGIApp) -> None:
        async def anonymous(scope: dict[str, Any], receive: Any, send: Any) -> None:
            await inner({**scope, "user": AnonymousUser()}, receive, send)

        self._known: ASGIApp = AuthMiddlewareStack(inner)
        self._unknown: ASGIApp = SessionMiddlewareStack(anonymous)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        cookie = settings.SESSION_COOKIE_NAME.encode()
        known = (
            "session" in scope
            or "user" in scope
            or any(name == b"cookie" and cookie in value for name, value in scope["headers"])
        )
        await (self._known if known else self._unknown)(scope, receive, send)
