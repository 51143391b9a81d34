"""Requests of Socket.IO clients that reach Django's 404: with ``DEBUG`` the log says why.

Django logs each 404 with its request, so a filter of that logger sees them without a middleware.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .. import process
from ..conf import get_settings
from ..logs import logger, safe

# Seconds between two lines: a client that is not served tries again and again.
PERIOD = 10.0

NOT_SERVED = (
    "a Socket.IO client asks for %s, but this process does not serve Socket.IO: make "
    "SocketIOApplication(get_asgi_application()) the application in asgi.py, and start an ASGI "
    'server with it; for runserver put "daphne" first into INSTALLED_APPS and set ASGI_APPLICATION'
)
OTHER_PATH = (
    'a Socket.IO client asks for %s, but SOCKETIO["PATH"] is %s: give the client that path, '
    "io({path: ...})"
)


class Misdirected(logging.Filter):
    """Lets every record through, and logs a hint behind a 404 that a Socket.IO client gets."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """See :meth:`logging.Filter.filter`."""
        request = getattr(record, "request", None)
        if getattr(record, "status_code", None) == 404 and request is not None:
            self._look_at(request)
        return True

    def _look_at(self, request: Any) -> None:
        try:
            path, wanted = request.path, get_settings().path
        except ImproperlyConfigured:
            return  # which is said elsewhere, and must not break the answer
        asks = "EIO=" in request.META.get("QUERY_STRING", "")
        if process.serving:
            concerns = asks and path.rstrip("/") != wanted.rstrip("/")
        else:
            concerns = asks or path.startswith(wanted.rstrip("/") + "/")
        if not concerns or monotonic() < self._next:
            return
        self._next = monotonic() + PERIOD
        if process.serving:
            logger.warning(OTHER_PATH, safe(path), wanted)
        else:
            logger.warning(NOT_SERVED, safe(path))


def watch_for_misdirected() -> None:
    """Begin to look at Django's 404s. Safe to call again."""
    log = logging.getLogger("django.request")
    if not any(isinstance(one, Misdirected) for one in log.filters):
        log.addFilter(Misdirected())
