"""What a process tells about itself: its counters, its sockets, its rooms.

Asked by the admin's pages, here or over the bus; answers are plain values. Nothing that a client
has sent in an event is ever in them.
"""

from __future__ import annotations

import heapq
import os
import socket as sockets_of_the_system
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

from .. import __version__
from ..addressing.ids import shortened
from ..server.classes import behaviour_of
from ..server.hub import Hub
from ..server.registry import registry
from ..sockets.behaviour import ANY_EVENT
from ..sockets.endpoint import CONNECTED
from ..sockets.socket import Socket
from . import counters

STARTED = datetime.now(timezone.utc)
HOST = sockets_of_the_system.gethostname()[:200]

# How much of one socket, and how many sockets or rooms, one answer holds at most.
MAX_SHOWN_ROOMS = 20
MAX_TEXT = 300
MAX_ROWS = 5000


def make_report(hub: Hub, subject: str, params: dict[str, Any]) -> dict[str, Any]:
    """Answer a question about this process. Raises KeyError for an unknown subject."""
    return {**_SUBJECTS[subject](hub, params), "name": f"{HOST}:{os.getpid()}"}


def count_all(hub: Hub) -> dict[str, Any]:
    """Everything that was counted since the process started. O(sessions) and small."""
    timings = list(handler_timings())
    traffic = counters.traffic.with_sessions(client.session for client in hub.clients.values())
    return {
        "sessions": counters.sessions.as_dict(),
        "sockets": counters.sockets.as_dict(),
        "traffic": {
            **traffic,
            "events_in": sum(timing["count"] for timing in timings),
            "events_out": max(
                0, traffic["packets_out"] - traffic["acks_out"] - traffic["control_out"]
            ),
        },
        "lag": {"last": counters.lag.last, "highest": counters.lag.highest},
        "handlers": timings,
        **{name: dict(tally) for name, tally in counters.TALLIES.items()},
    }


def handler_timings() -> Iterator[dict[str, Any]]:
    """The timings of every registered handler, a row for each consumer class and event."""
    for consumer, namespaces in registry.consumers().items():
        behaviour = behaviour_of(consumer)
        handlers = behaviour.handlers
        for event, handler in [*handlers.items(), (ANY_EVENT, handlers.rest)]:
            unhandled = handler is handlers.rest and handlers.refuses_rest
            if unhandled and not handler.timing.count:
                continue
            yield {
                "consumer": behaviour.name,
                "namespaces": namespaces,
                "event": event,
                "kind": "" if unhandled else "async" if handler.is_async else "thread",
                **handler.timing.as_dict(),
            }


def describe_process(hub: Hub, params: dict[str, Any]) -> dict[str, Any]:
    """This process: who it is, how it is, what it has counted, and the last minutes."""
    return {
        "node": hub.node,
        "host": HOST,
        "pid": os.getpid(),
        "version": __version__,
        "started": STARTED.isoformat(),
        "layer_up": hub.others.layer_up,
        "lost": counters.layer["lost"] + counters.layer["dropped"],
        "counters": count_all(hub),
        "recent": hub.record.recent_since(params.get("since", 0)) if hub.record else [],
    }


def describe_sockets(hub: Hub, params: dict[str, Any]) -> dict[str, Any]:
    """Sockets that pass the filters, the newest first, and how many there are.

    ``params``: namespace, room, transport, user, q (all text, "" for any) and limit.
    """
    transport, user, search = (params.get(name, "") for name in ("transport", "user", "q"))
    found = [
        socket
        for socket in _candidates(hub, params)
        if socket.state is CONNECTED
        and (not transport or socket.client.session.transport == transport)
        and (not user or _is_of(socket, user))
        and (not search or _is_found(socket, search.lower()))
    ]
    limit = min(int(params.get("limit", 100)), MAX_ROWS)
    newest = heapq.nlargest(limit, found, key=lambda socket: socket.client.connected_at)
    return {"total": len(found), "rows": [describe_socket(socket) for socket in newest]}


def describe_socket(socket: Socket) -> dict[str, Any]:
    """One socket."""
    client = socket.client
    session = client.session
    handshake = socket.handshake
    rooms = sorted(socket.room_names() - {socket.sid})
    return {
        "sid": socket.sid,
        "node": socket.local.node,
        # A part that tells sessions apart; the whole would let its reader take the session over.
        "session": shortened(session.sid),
        "namespace": socket.namespace[:MAX_TEXT],
        "user_id": _text(getattr(socket.user, "pk", None)),
        "username": _username(socket),
        "rooms": [room[:MAX_TEXT] for room in rooms[:MAX_SHOWN_ROOMS]],
        "more_rooms": max(0, len(rooms) - MAX_SHOWN_ROOMS),
        "transport": session.transport,
        "secure": handshake.secure,
        "address": handshake.address[:MAX_TEXT],
        "user_agent": handshake.headers.get("user-agent", "")[:MAX_TEXT],
        "since": client.connected_at.isoformat(),
        "packets_in": session.packets_in,
        "packets_out": session.packets_out,
    }


def describe_rooms(hub: Hub, params: dict[str, Any]) -> dict[str, Any]:
    """The rooms of this process with their members, the largest first, and how many there are."""
    wanted, search = params.get("namespace", ""), params.get("q", "").lower()
    found = [
        (len(members), namespace.name, room)
        for namespace in hub.local.namespaces.values()
        if not wanted or namespace.name == wanted
        for room, members in namespace.rooms.items()
        if isinstance(room, str) and (not search or search in room.lower())
    ]
    rows = heapq.nlargest(min(int(params.get("limit", 1000)), MAX_ROWS), found)
    return {
        "total": len(found),
        "rows": [{"namespace": name, "room": room, "members": size} for size, name, room in rows],
    }


def _candidates(hub: Hub, params: dict[str, Any]) -> Iterator[Socket]:
    wanted, room = params.get("namespace", ""), params.get("room", "")
    for namespace in list(hub.local.namespaces.values()):
        if not wanted or namespace.name == wanted:
            yield from namespace.select((room,) if room else (), ())


def _is_of(socket: Socket, user: str) -> bool:
    own = _text(getattr(socket.user, "pk", None))
    return user == own or user.lower() in _username(socket).lower()


def _is_found(socket: Socket, search: str) -> bool:
    handshake = socket.handshake
    text = (socket.sid, handshake.address, handshake.headers.get("user-agent", ""))
    return any(search in part.lower() for part in (*text, _username(socket)))


def _username(socket: Socket) -> str:
    user = socket.user
    if getattr(user, "pk", None) is None:
        return ""
    return str(user.get_username() if hasattr(user, "get_username") else user)[:MAX_TEXT]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


_SUBJECTS: dict[str, Callable[[Hub, dict[str, Any]], dict[str, Any]]] = {
    "process": describe_process,
    "sockets": describe_sockets,
    "rooms": describe_rooms,
}
