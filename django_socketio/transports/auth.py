"""The middleware that puts Django's session and user into a handshake's scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels import auth
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from ..server.hubs import current_hub

ASGIApp = Callable[..., Awaitable[None]]

# Where a scope has the ``send`` outside Channels' session middleware.
_SEND = "django_socketio.send"


class UserMiddleware(auth.AuthMiddleware):
    """Channels' ``AuthMiddleware``, in threads that the visitors of other addresses share fairly.

    Channels would look up one user at a time, in the one thread that asgiref has for the whole
    process.
    """

    async def resolve_scope(self, scope: dict[str, Any]) -> None:
        """Find the user of the scope's session."""
        plain = getattr(auth.get_user, "func", None)
        if plain is None:  # a project has put its own in place
            await super().resolve_scope(scope)
            return
        address = scope.get("client")
        scope["user"]._wrapped = await current_hub().runtime.in_thread(
            plain,
            scope,
            owner=address[0] if address else "",
            sensitive=bool(scope.get("django_socketio.thread_sensitive")),
            hook=True,
        )


class VisitorMiddleware:
    """Channels' ``AuthMiddlewareStack``, without a thread for requests without a session cookie."""

    def __init__(self, inner: ASGIApp) -> None:
        async def anonymous(scope: dict[str, Any], receive: Any, send: Any) -> None:
            await inner({**scope, "user": AnonymousUser()}, receive, send)

        self._known: ASGIApp = SessionMiddlewareStack(_sparing(UserMiddleware(inner)))
        self._unknown: ASGIApp = SessionMiddlewareStack(_sparing(anonymous))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        cookie = settings.SESSION_COOKIE_NAME.encode()
        known = (
            "session" in scope
            or "user" in scope
            or any(name == b"cookie" and cookie in value for name, value in scope["headers"])
        )
        stack = self._known if known else self._unknown
        await stack({**scope, _SEND: send}, receive, send)


def _sparing(inner: ASGIApp) -> ASGIApp:
    """Wrap an application, so that Channels looks at the session only where there is one to save.

    With SESSION_SAVE_EVERY_REQUEST it would save one for each visitor; Django does not.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        plain, session = scope.pop(_SEND), scope["session"]

        def send_sparingly(message: dict[str, Any]) -> Awaitable[None]:
            saves = message["type"] == "http.response.start" and (
                session.modified or (settings.SESSION_SAVE_EVERY_REQUEST and not session.is_empty())
            )
            result: Awaitable[None] = (send if saves else plain)(message)
            return result

        await inner(scope, receive, send_sparingly)

    return application
