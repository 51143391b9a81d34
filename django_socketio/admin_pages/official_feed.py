"""What a page of the official Admin UI is shown: sockets, rooms and processes, as they change.

Unlike the Node server, this one never shows what is in an event, in ``socket.data`` or in a cookie.
The page is sent the changes every two seconds, not each as it happens, so that an open page costs
the same whatever the traffic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from django.db import DatabaseError

from ..conf import get_settings
from ..server.consumers import SocketIOConsumer
from ..server.hub import Hub
from ..server.hubs import current_hub
from ..sockets.socket import Socket
from ..stats.gather import agather
from ..stats.reports import PROCESS, SOCKETS
from ..stats.shapes import WITHOUT_RECENT, ProcessReport, SocketRow, SocketsParams
from .rights import CHECK_INTERVAL

# Seconds between two updates while a page is open.
INTERVAL = 2.0
# The most sockets that the page shows; the pages of Django's admin find more by filters.
MAX_SOCKETS = 1000


class _Page:
    """A page that is open, and what it has been told."""

    def __init__(
        self,
        consumer: SocketIOConsumer,
        is_entitled: Callable[[], bool],
        sockets: dict[str, SocketRow],
    ) -> None:
        self.consumer = consumer
        self._is_entitled = is_entitled
        self._sockets = sockets
        # What each process had counted when the page was last told, by the page's names.
        self._sums: dict[str, dict[str, int]] = {}

    def is_open(self, hub: Hub) -> bool:
        """Return whether the page is in its namespace."""
        return self._socket(hub) is not None

    def _socket(self, hub: Hub) -> Socket | None:
        namespace = hub.local.namespaces.get(self.consumer.namespace.name)
        return None if namespace is None else namespace.sockets.get(self.consumer.sid)

    async def close_unless_entitled(self, hub: Hub) -> None:
        """Close the page of who may not see it any more."""
        socket = self._socket(hub)
        # A database that is down takes nobody's rights away: staff may want the page just then.
        with suppress(DatabaseError):
            if socket is not None and not await socket.in_thread(self._is_entitled):
                socket.close(transport=False)

    def tell_sockets(self, sockets: dict[str, SocketRow]) -> None:
        """Tell the page which sockets came and left, and what has changed of the others."""
        now = datetime.now(timezone.utc).isoformat()
        emit = self.consumer.emit
        before, self._sockets = self._sockets, sockets
        for sid, row in sockets.items():
            old, namespace = before.get(sid), row["namespace"]
            if old is None:
                emit("socket_connected", _shown(row), now)
                continue
            if old["transport"] != row["transport"]:
                changed = {"id": sid, "nsp": namespace, "transport": row["transport"]}
                emit("socket_updated", changed)
            for room in sorted({*row["rooms"]} - {*old["rooms"]}):
                emit("room_joined", namespace, room, sid, now)
            for room in sorted({*old["rooms"]} - {*row["rooms"]}):
                emit("room_left", namespace, room, sid, now)
        for sid, row in before.items():
            if sid not in sockets:
                emit("socket_disconnected", row["namespace"], sid, "gone", now)

    def tell_processes(self, reports: dict[str, ProcessReport]) -> None:
        """Tell the page each process's state, and what it has counted since the last time."""
        now = time.time()
        before = self._sums
        self._sums = {node: _sums(report) for node, report in reports.items()}
        for node, report in reports.items():
            sums = self._sums[node]
            old = before.get(node, sums)
            sessions, sockets = report["counters"]["sessions"], report["counters"]["sockets"]
            self.consumer.emit(
                "server_stats",
                {
                    "serverId": node,
                    "hostname": report["host"],
                    "pid": report["pid"],
                    "uptime": now - datetime.fromisoformat(report["started"]).timestamp(),
                    "clientsCount": sessions["total"],
                    "pollingClientsCount": sessions["now"].get("polling", 0),
                    "aggregatedEvents": [
                        {"timestamp": int(now) * 1000, "type": name, "count": number - old[name]}
                        for name, number in sums.items()
                        if number > old[name]
                    ],
                    "namespaces": [
                        {"name": name, "socketsCount": number}
                        for name, number in sockets["now"].items()
                    ],
                },
            )


# The open pages by the hub that serves them; a task feeds those of each hub.
_pages: dict[Hub, list[_Page]] = {}


async def feed(consumer: SocketIOConsumer, is_entitled: Callable[[], bool]) -> None:
    """Tell a page of all sockets, and then of every change until it is closed.

    Called at the end of its ``connect``, on the loop of its hub. ``is_entitled``, called in a
    worker thread, says whether the page may still be open.
    """
    sockets = await _find_sockets()
    consumer.emit("all_sockets", [_shown(row) for row in sockets.values()])
    hub, page = current_hub(), _Page(consumer, is_entitled, sockets)
    if hub in _pages:
        _pages[hub].append(page)
    else:
        _pages[hub] = [page]
        hub.runtime.spawn(_feed(hub))


async def _feed(hub: Hub) -> None:
    """Tell the pages of a hub what is new, until the last one is closed."""
    loop = hub.runtime.loop
    checked = loop.time()
    try:
        while True:
            await asyncio.sleep(INTERVAL)
            pages = [page for page in _pages[hub] if page.is_open(hub)]
            if not pages:
                return
            # A copy: a page that enters while we ask has newer data, and is told next time.
            _pages[hub] = list(pages)
            try:
                if loop.time() - checked >= CHECK_INTERVAL:
                    checked = loop.time()
                    for page in pages:
                        await page.close_unless_entitled(hub)
                processes = (await agather(PROCESS, WITHOUT_RECENT)).reports
                sockets = await _find_sockets()
                for page in pages:
                    if page.is_open(hub):
                        page.tell_sockets(sockets)
                        page.tell_processes(processes)
            except Exception as error:
                hub.runtime.log.failure(error, "the Admin UI could not be fed")
    finally:
        del _pages[hub]


async def _find_sockets() -> dict[str, SocketRow]:
    gathered = await agather(SOCKETS, SocketsParams(limit=MAX_SOCKETS))
    rows = [row for report in gathered.reports.values() for row in report["rows"]]
    return {row["sid"]: row for row in rows[:MAX_SOCKETS]}


def _shown(row: SocketRow) -> dict[str, Any]:
    """Return a socket in the form that the page expects."""
    since = datetime.fromisoformat(row["since"])
    return {
        "id": row["sid"],
        "clientId": row["session"],
        "transport": row["transport"],
        "nsp": row["namespace"],
        "data": {"user": row["username"]} if row["username"] else {},
        "handshake": {
            "address": row["address"],
            "headers": {"user-agent": row["user_agent"]},
            "query": {},
            "issued": int(since.timestamp() * 1000),
            "secure": row["secure"],
            "time": since.strftime("%a %b %d %Y %H:%M:%S GMT+0000"),
            "url": get_settings().path,
            "xdomain": False,
        },
        "rooms": [row["sid"], *row["rooms"]],
    }


def _sums(report: ProcessReport) -> dict[str, int]:
    """Return what a process has counted since it started, by the page's names."""
    traffic, sessions = report["counters"]["traffic"], report["counters"]["sessions"]
    return {
        "packetsIn": traffic["packets_in"],
        "packetsOut": traffic["packets_out"],
        "bytesIn": traffic["bytes_in"],
        "bytesOut": traffic["bytes_out"],
        "rawConnection": sessions["opened"],
        "rawDisconnection": sessions["opened"] - sessions["total"],
    }
