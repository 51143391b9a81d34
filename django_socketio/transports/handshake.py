"""One handshake, while the middleware runs around it.

The middleware is an ASGI application that calls another one, and that other one is us: we decide,
make the client, and answer with the ``send`` that the middleware gives us. So whatever it adds to
an answer (headers, the cookie of a session that it saves) reaches the client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db import Error as DatabaseError
from django.utils.functional import Promise

from ..addressing.handshake import address_of
from ..engineio import ErrorCode, HandshakeRefused
from ..runtime.interruptions import is_cut_off
from ..stats import counters
from .closing import GONE
from .request import Request

Scope = dict[str, Any]
# Makes the client with the middleware's scope, and answers with its ``send``.
Answer = Callable[[Scope, Any], Awaitable[None]]

HANDSHAKE = "django_socketio.handshake"


class Handshake:
    """What becomes of a handshake.

    ``begun`` is the type of the first message that has reached the server, None before it;
    ``answered`` says that ours is complete, ``gone`` that the client has left before it had it.
    """

    __slots__ = ("_answer", "_request", "_send", "answered", "begun", "gone", "refused")

    def __init__(self, request: Request, send: Any, answer: Answer) -> None:
        self._request = request
        self._send = send
        self._answer = answer
        self.begun: str | None = None
        self.answered = self.gone = False
        self.refused: HandshakeRefused | None = None

    async def send(self, message: dict[str, Any]) -> None:
        """Pass on what comes out of the middleware."""
        if self.begun is None:
            self.begun = message["type"]
        try:
            await self._send(message)
        except GONE:
            self.gone = True

    async def run(self, application: Any, scope: Scope, receive: Any) -> None:
        """Run the middleware.

        Raises HandshakeRefused for a handshake that is refused, with status 503 where the
        middleware fails: the database may be down, and the client comes again.
        """
        request = self._request
        request.began = request.hub.runtime.loop.time()
        try:
            await application({**scope, HANDSHAKE: self}, receive, self.send)
        except BaseException as error:
            if is_cut_off(error):
                raise
            if self.begun and not self.answered:
                raise  # the server ends the connection
            counters.handler_errors.add("middleware")
            self._report(error, "the middleware failed, handshakes get status 503: %s: %s")
            if not self.begun:
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503) from None
        if self.refused is not None and not self.begun:
            raise self.refused

    async def proceed(self, scope: Scope, send: Any) -> None:
        """Decide and answer: this is what the middleware runs."""
        if "django_socketio.user" in scope:  # django_socketio.testing
            scope["user"] = scope["django_socketio.user"]
        try:
            allow = self._request.hub.settings.request_filter
            if allow is not None:
                await self._ask(allow, scope)
            if has_logged_out(self._request, scope):
                raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
        except HandshakeRefused as refused:
            # Answered outside: no middleware need know this exception.
            self.refused = refused
            return
        await self._answer(scope, send)
        self.answered = True

    async def _ask(self, allow: Callable[[Scope], Any], scope: Scope) -> None:
        """Raise HandshakeRefused unless ALLOW_REQUEST allows the handshake."""
        try:
            if iscoroutinefunction(allow) or iscoroutinefunction(type(allow).__call__):
                answer = await allow(scope)
            else:
                answer = await self._request.hub.runtime.in_thread(
                    allow,
                    scope,
                    owner=address_of(scope),
                    sensitive=bool(scope.get("django_socketio.thread_sensitive")),
                    hook=True,
                )
            if not isinstance(answer, (bool, str, Promise)):
                raise TypeError(f"it returned {answer!r}; return True, or a reason to refuse")
        except BaseException as error:
            if is_cut_off(error):
                raise
            counters.handler_errors.add("ALLOW_REQUEST")
            self._report(error, "ALLOW_REQUEST failed, handshakes get status 503: %s: %s")
            raise HandshakeRefused(ErrorCode.BAD_REQUEST, status=503) from None
        if answer is not True:
            reason = str(answer or "")
            detail = f"ALLOW_REQUEST: {reason}" if reason else "ALLOW_REQUEST"
            raise HandshakeRefused(ErrorCode.FORBIDDEN, detail=detail, message=reason)

    def _report(self, error: BaseException, text: str) -> None:
        """Log why the project's code fails; a mistake in it with its traceback."""
        log, kind = self._request.hub.runtime.log, type(error).__name__
        if isinstance(error, (DatabaseError, OSError)):  # what it needs is down
            log.error(text, kind, error, kind=text + kind)
        else:
            log.failure(error, text, kind, error, kind=text + kind)


def has_logged_out(request: Request, scope: Scope) -> bool:
    """Whether the session in ``scope`` has logged out while the middleware ran, or just before.

    The middleware may have read the session before that, and have found a user in it.
    """
    ended = request.hub.local.logins.has_ended(scope.get("session"), request.began)
    if ended:
        counters.refusals.add("logged out")
    return ended
