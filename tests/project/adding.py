"""The project inside a middleware that adds a header and cookies to the answers to handshakes."""

from __future__ import annotations

from typing import Any

from django_socketio.asgi import SocketIOApplication

from .asgi import django_application


def adding(inner: Any) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def send_more(message: Any) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                more = [(b"x-seen", b"yes"), (b"set-cookie", b"a=b"), (b"set-cookie", b"c=d")]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await inner(scope, receive, send_more)

    return application


application = SocketIOApplication(django_application, middleware=adding)
