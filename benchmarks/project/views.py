from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from django.http import HttpRequest, JsonResponse

from django_socketio.server.hubs import current_hub


async def holdings(request: HttpRequest) -> JsonResponse:
    """What this process holds: everything that sessions which are gone must not have left."""
    hub = current_hub()
    links = _open_files()
    return JsonResponse(
        {
            "sessions": len(hub.clients),
            "tasks": len(asyncio.all_tasks()),
            "hub tasks": len(hub.runtime.tasks),
            "timers": len(hub.clients.wheel),
            "namespaces": len(hub.local.namespaces),
            "sockets": sum(link.startswith("socket:") for link in links),
            "other files": sum(not link.startswith("socket:") for link in links),
        }
    )


def _open_files() -> list[str]:
    """What the file descriptors are: paths, "socket:[number]", "pipe:[number]"."""
    links = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one with which the directory was read
            links.append(os.readlink(link))
    return links
