"""What a test sees of the server process from outside. The views run on the loop of the sockets."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from django.http import HttpRequest, JsonResponse

from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters

from . import consumers

COUNTERS = ("violations", "refusals", "limits", "events_refused", "handler_errors")


async def collect(request: HttpRequest) -> JsonResponse:
    """Free what the server's own objects keep by referring to each other."""
    return JsonResponse({"found": gc.collect()})


async def state(request: HttpRequest) -> JsonResponse:
    """How much the server holds, what it has counted, and what became of each sid."""
    hub = current_hub()
    # As many timers as the sessions need; the loop's own list is out of reach.
    timers = sum(len(slot) for slot in hub.clients.wheel._slots.values())
    counted: dict[str, Any] = {name: dict(getattr(counters, name)) for name in COUNTERS}
    held = {
        "clients": len(hub.clients),
        "pending": hub.clients.pending,
        "namespaces": len(hub.local.namespaces),
        "timers": timers,
        "hub_tasks": len(hub.runtime.tasks),
        "tasks": len(asyncio.all_tasks()),
        "buffered": sum(client.session.buffered for client in hub.clients.values()),
        "queued": sum(client.backlog.size for client in hub.clients.values() if client.backlog),
        "pending_acks": sum(client.pending_acks for client in hub.clients.values()),
    }
    polled = [
        client.session.sid
        for client in hub.clients.values()
        if getattr(client.transport, "poll", None) is not None
    ]
    posting = [
        client.session.sid
        for client in hub.clients.values()
        if getattr(client.transport, "posting", False)
    ]
    return JsonResponse(
        {
            "held": held,
            "counted": counted,
            "journal": consumers.journal,
            "polled": polled,
            "posting": posting,
        }
    )


async def release(request: HttpRequest) -> JsonResponse:
    """Let everyone go on who waits at the gate of this name."""
    consumers.gate(request.GET["gate"]).set()
    return JsonResponse({})
