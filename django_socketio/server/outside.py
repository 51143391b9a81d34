"""``io`` in a process without clients: a Celery task, a management command, the shell, WSGI.

It has one event loop in a background thread, started when it is first needed, and one connection to
the channel layer. To send blocks until the layer has taken the message, so that a short-lived
process loses nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import Any

from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from ..cluster.layer import is_shared, shared_layer
from ..conf import get_settings, is_debug
from ..logs import logger
from ..runtime.awaitables import DONE, Posted
from .hub import Hub

# Seconds that a plain call waits for the channel layer.
TAKE_TIMEOUT = 10.0
# Seconds that the process gets at its end to send what is left.
EXIT_TIMEOUT = 5.0
NOT_SHARED = (
    "To send from a process that serves no clients, CHANNEL_LAYERS needs a channel layer that "
    "processes share, such as channels_redis.pubsub.RedisPubSubChannelLayer."
)


class Outside:
    """The hub of a background thread."""

    def __init__(self) -> None:
        made: Future[Hub] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(made,), name="django_socketio", daemon=True
        )
        self._thread.start()
        self.hub = made.result()

    def _run(self, made: Future[Hub]) -> None:
        asyncio.run(self._live(made))

    async def _live(self, made: Future[Hub]) -> None:
        self._ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        try:
            hub = Hub(loop, get_settings(), shared_layer(), serves=False)
        except Exception as error:  # the layer's class does not take its CONFIG, for example
            made.set_exception(error)
            return
        made.set_result(hub)
        await self._ended.wait()
        await hub.others.stop(EXIT_TIMEOUT)

    def end(self) -> None:
        """Send what is left, and end the thread."""
        if self._thread.is_alive():
            self.hub.runtime.loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(EXIT_TIMEOUT + 1)


_lock = threading.Lock()
_outside: Outside | None = None
# Whether the log says already that nothing is sent.
_warned = False


def outside_hub() -> Hub | None:
    """Return the hub for a process without clients; None in Django's test environment.

    Raises ImproperlyConfigured if the channel layer does not reach other processes, since what is
    sent would be lost without a word. With ``DEBUG`` it says so once instead, and returns None: a
    receiver that emits must not break ``loaddata`` or the shell on a developer's machine.
    """
    global _outside, _warned
    if not is_shared():
        if hasattr(mail, "outbox"):  # Django's test environment
            return None
        if not is_debug():
            raise ImproperlyConfigured(NOT_SHARED)
        if not _warned:
            _warned = True
            logger.warning(
                "nothing is sent from this process. %s Without DEBUG this is an error.", NOT_SHARED
            )
        return None
    with _lock:
        if _outside is None:
            _outside = Outside()
            atexit.register(_outside.end)
        return _outside.hub


def wait_until_taken(posted: Posted) -> Awaitable[Any]:
    """Wait until the channel layer has taken what was handed to :func:`outside_hub`.

    On an event loop's thread it does not wait, but returns what the caller may await. Raises
    ConnectionError when the layer has not taken it within :data:`TAKE_TIMEOUT`.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            posted.wait(TAKE_TIMEOUT)
        except TimeoutError:
            raise ConnectionError("the channel layer is down") from None
        return DONE
    return posted


def forget_outside() -> None:
    """Forget the hub, in a forked process, which starts a thread of its own."""
    global _outside, _lock
    _outside, _lock = None, threading.Lock()
