"""The sockets and the rooms of a process, as it lists them for the admin's pages."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from ..addressing.ids import shortened
from ..server.hub import Hub
from ..sockets.endpoint import CONNECTED
from ..sockets.socket import Socket
from .identity import process_name
from .shapes import RoomsParams, RoomsReport, SocketRow, SocketsParams, SocketsReport

# How much of one socket, and how many sockets or rooms, one answer holds at most.
MAX_SHOWN_ROOMS = 20
MAX_TEXT = 300
MAX_ROWS = 5000
MAX_CHOICES = 200
# The newest first.
DEFAULT_ORDER = "-since"


def describe_sockets(hub: Hub, params: SocketsParams) -> SocketsReport:
    """Return the sockets that pass the filters, in the order, and how many there are."""
    found = [socket for socket in _candidates(hub, params) if _passes(socket, params)]
    limit = min(int(params.get("limit", 100)), MAX_ROWS)
    order = params.get("order") or DEFAULT_ORDER
    take: Any = heapq.nlargest if order.startswith("-") else heapq.nsmallest
    first = take(limit, found, key=_ORDERS.get(order.removeprefix("-"), _ORDERS["since"])[0])
    choices = bool(params.get("choices"))
    return {
        "total": len(found),
        "rows": [describe_socket(socket) for socket in first],
        "namespaces": _namespaces(hub) if choices else {},
        "rooms": _rooms(hub, params.get("namespace", "")) if choices else {},
        "name": process_name(),
    }


def _namespaces(hub: Hub) -> dict[str, int]:
    """Return the sizes of the largest namespaces."""
    sizes = {name[:MAX_TEXT]: len(one.sockets) for name, one in hub.local.namespaces.items()}
    return dict(heapq.nlargest(MAX_CHOICES, sizes.items(), key=itemgetter(1)))


def _rooms(hub: Hub, wanted: str) -> dict[str, int]:
    """Return the sizes of the largest rooms of a namespace, "" for all."""
    report = describe_rooms(hub, RoomsParams(namespace=wanted, limit=MAX_CHOICES))
    return {row["room"][:MAX_TEXT]: row["members"] for row in report["rows"]}


def describe_socket(socket: Socket) -> SocketRow:
    """Return what is shown of one socket."""
    client = socket.client
    session = client.session
    handshake = socket.handshake
    rooms = sorted(socket.room_names() - {socket.sid})
    return {
        "sid": socket.sid,
        "node": socket.local.node,
        # Only a part: whoever knows the whole id could take the session over.
        "session": shortened(session.sid),
        "namespace": socket.namespace[:MAX_TEXT],
        "user_id": _user_id(socket),
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


def describe_rooms(hub: Hub, params: RoomsParams) -> RoomsReport:
    """Return the rooms that pass the filters, the largest first, and how many there are."""
    wanted, search = params.get("namespace", ""), params.get("q", "").lower()
    found = [
        (len(members), namespace.name, room)
        for namespace in hub.local.namespaces.values()
        if not wanted or namespace.name == wanted
        for room, members in namespace.rooms.items()
        if isinstance(room, str) and (not search or search in room.lower())
    ]
    largest = heapq.nlargest(min(int(params.get("limit", 1000)), MAX_ROWS), found)
    return {
        "total": len(found),
        "rows": [
            {"namespace": namespace, "room": room, "members": size}
            for size, namespace, room in largest
        ],
        "name": process_name(),
    }


def _candidates(hub: Hub, params: SocketsParams) -> Iterable[Socket]:
    """Yield the sockets of the namespace and the room that are asked for."""
    wanted, room = params.get("namespace", ""), params.get("room", "")
    sids = params.get("sids")
    for namespace in list(hub.local.namespaces.values()):
        if not wanted or namespace.name == wanted:
            if sids:
                yield from filter(None, map(namespace.sockets.get, sids))
            else:
                yield from namespace.select((room,) if room else (), ())


def _passes(socket: Socket, params: SocketsParams) -> bool:
    """Return whether a socket passes the filters for session, transport, user and text."""
    session = params.get("session", "")
    transport, user = params.get("transport", ""), params.get("user", "")
    text = params.get("q", "").lower()
    return (
        socket.state is CONNECTED
        and (not session or shortened(socket.client.session.sid) == session)
        and (not transport or socket.client.session.transport == transport)
        and (not user or _is_of(socket, user))
        and (not text or _is_found(socket, text))
    )


def _is_of(socket: Socket, user: str) -> bool:
    return user == _user_id(socket) or user.lower() in _username(socket).lower()


def _is_found(socket: Socket, text: str) -> bool:
    handshake = socket.handshake
    searched = socket.sid, handshake.address, handshake.headers.get("user-agent", "")
    return any(text in part.lower() for part in (*searched, _username(socket)))


def _user_id(socket: Socket) -> str:
    pk: Any = getattr(socket.user, "pk", None)
    return "" if pk is None else str(pk)


def _username(socket: Socket) -> str:
    user = socket.user
    if getattr(user, "pk", None) is None:
        return ""
    return str(user.get_username() if hasattr(user, "get_username") else user)[:MAX_TEXT]


# How sockets and their rows are sorted, by column.
_ORDERS: dict[str, tuple[Callable[[Socket], Any], Callable[[SocketRow], Any]]] = {
    "since": (lambda socket: socket.client.connected_at, itemgetter("since")),
    "user": (lambda socket: _username(socket).lower(), lambda row: row["username"].lower()),
    "namespace": (lambda socket: socket.namespace, itemgetter("namespace")),
    "transport": (lambda socket: socket.client.session.transport, itemgetter("transport")),
    "agent": (
        lambda socket: socket.handshake.headers.get("user-agent", ""),
        itemgetter("user_agent"),
    ),
    "packets": (
        lambda socket: socket.client.session.packets_in + socket.client.session.packets_out,
        lambda row: row["packets_in"] + row["packets_out"],
    ),
}


def row_key(column: str) -> Callable[[SocketRow], Any]:
    """Return what rows are sorted by for a column. Raises KeyError for one that cannot be."""
    return _ORDERS[column][1]
