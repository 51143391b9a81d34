"""The namespace that feeds the page "Live". Only staff with the permission may enter."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from django.db import DatabaseError

from ..exceptions import ConnectionRefused
from ..server.consumers import SocketIOConsumer
from ..server.hub import Hub
from ..server.hubs import current_hub
from ..server.operators import io
from ..stats.gather import agather
from ..stats.reports import PROCESS
from . import live
from .rights import CHECK_INTERVAL, VIEW, current_user, still_may_view

NAMESPACE = "/django-socketio/live"
PERMISSION = VIEW
# Seconds between two updates while a page is open.
INTERVAL = 2.0
# The same while a process does not answer: soon it either answers or is known to be dead.
INTERVAL_IN_DOUBT = 0.5

# The hubs whose pages a task feeds now.
_feeding: set[Hub] = set()


class LiveFeed(SocketIOConsumer):
    """An open page "Live". It is sent its changing part as HTML, and sends nothing."""

    typed = False
    login_required = True
    permission_required = PERMISSION

    def authenticate(self, auth: Any) -> Any:
        return current_user(self.user, self.session)

    async def connect(self, auth: Any) -> None:
        if not (self.user.is_active and self.user.is_staff):
            raise ConnectionRefused("Permission denied")
        hub = current_hub()
        if hub not in _feeding:
            _feeding.add(hub)
            hub.runtime.spawn(_feed(hub))


async def _feed(hub: Hub) -> None:
    """Send the state of all processes to the hub's open pages, until the last one is closed."""
    interval = INTERVAL
    checked = hub.runtime.loop.time()
    try:
        while True:
            await asyncio.sleep(interval)
            if NAMESPACE not in hub.local.namespaces:
                return
            try:
                if hub.runtime.loop.time() - checked >= CHECK_INTERVAL:
                    checked = hub.runtime.loop.time()
                    await _dismiss(hub)
                gathered = await agather(PROCESS)
                interval = INTERVAL_IN_DOUBT if gathered.missing else INTERVAL
                html = await hub.runtime.in_thread(live.fragment, gathered, hook=True)
                io.of(NAMESPACE).local.volatile.emit("live", html)
            except Exception as error:
                hub.runtime.log.failure(error, "the admin's live page could not be fed")
    finally:
        _feeding.discard(hub)


async def _dismiss(hub: Hub) -> None:
    """Close the open pages of who may not see them any more."""
    for socket in list(hub.local.namespaces[NAMESPACE].sockets.values()):
        # A database that is down takes nobody's rights away: staff may want the page just then.
        with suppress(DatabaseError):
            if not await socket.in_thread(still_may_view, socket.user, socket.session):
                socket.close(transport=False)
