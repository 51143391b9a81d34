"""uvicorn's ``--ws-ping-interval`` and ``--ws-ping-timeout``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from os import urandom


class KeepAlive:
    """Pings a client every ``interval`` seconds, and says when no pong came for ``timeout``.

    None or 0 for ``interval`` means no pings, None for ``timeout`` no end. ``ping`` sends a payload
    of four bytes. ``deaf`` says whether the server does not read at present: then no pong is
    missed; nor is it where it has only begun again, which sets ``excused``. ``expired`` ends the
    connection.
    """

    __slots__ = (
        "_deaf",
        "_expired",
        "_interval",
        "_loop",
        "_payload",
        "_ping",
        "_timeout",
        "_timer",
        "excused",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        interval: float | None,
        timeout: float | None,
        ping: Callable[[bytes], None],
        deaf: Callable[[], bool],
        expired: Callable[[], None],
    ) -> None:
        self._loop, self._interval, self._timeout = loop, interval or 0, timeout
        self._ping, self._deaf, self._expired = ping, deaf, expired
        # The payload of the ping that has not been answered.
        self._payload: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.excused = False
        self._rest()

    def _rest(self) -> None:
        if self._interval > 0:
            self._timer = self._loop.call_later(self._interval, self._send)

    def _send(self) -> None:
        self._payload = urandom(4)
        self.excused = False
        self._ping(self._payload)
        if self._timeout is None:
            self._rest()
        else:
            self._timer = self._loop.call_later(self._timeout, self._check)

    def _check(self) -> None:
        if (self.excused or self._deaf()) and self._timeout is not None:
            self.excused = False
            self._timer = self._loop.call_later(self._timeout, self._check)
        else:
            self._expired()

    def pong(self, payload: bytes) -> None:
        """Take a pong. One that answers no ping of ours, or an older one, changes nothing."""
        if payload == self._payload:
            self._payload = None
            if self._timeout is not None:
                self.stop()
                self._rest()

    def stop(self) -> None:
        """Ping no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
