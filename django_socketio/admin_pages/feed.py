"""The namespace that feeds the page "Live": staff with the permission may enter, nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

from ..exceptions import ConnectionRefused
from ..logs import logger
from ..server.consumers import SocketIOConsumer
from ..server.hub import Hub
from ..server.hubs import current_hub
from ..server.operators import io
from ..stats.gather import agather
from ..stats.reports import PROCESS
from . import live

NAMESPACE = "/django-socketio/live"
PERMISSION = "django_socketio.view_serverprocess"
# Seconds between two looks, while somebody looks.
INTERVAL = 2.0
# The same while a process does not answer: it comes back, or is soon known to be dead.
INTERVAL_IN_DOUBT = 0.5

# The hubs of this process whose pages are fed by a task.
_feeding: set[Hub] = set()


class LiveFeed(SocketIOConsumer):
    """A page that is open. It is sent the part that moves as HTML, and sends nothing."""

    login_required = True
    permission_required = PERMISSION

    async def connect(self, auth: Any) -> None:
        if not (self.user.is_active and self.user.is_staff):
            raise ConnectionRefused("Permission denied")
        hub = current_hub()
        if hub not in _feeding:
            _feeding.add(hub)
            hub.runtime.spawn(_feed(hub))


async def _feed(hub: Hub) -> None:
    """Look at all processes and show what is seen, until nobody in this process watches."""
    interval = INTERVAL
    try:
        while True:
            await asyncio.sleep(interval)
            if NAMESPACE not in hub.local.namespaces:
                return
            try:
                gathered = await agather(PROCESS)
                interval = INTERVAL_IN_DOUBT if gathered.missing else INTERVAL
                html = await hub.runtime.in_thread(live.fragment, gathered)
                io.of(NAMESPACE).local.volatile.emit("live", html)
            except Exception:
                logger.exception("the admin's live page could not be fed")
    finally:
        _feeding.discard(hub)
