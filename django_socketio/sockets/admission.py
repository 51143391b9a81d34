"""How a socket enters its namespace: authenticate(), connect(), CONNECT or CONNECT_ERROR, ready().

https://socket.io/docs/v4/socket-io-protocol/#connection-to-a-namespace
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from django.core.exceptions import PermissionDenied

from ..addressing.rooms import user_room
from ..engineio import Reason
from ..exceptions import ConnectionRefused, LimitExceeded
from ..packets import AuthTooLarge, Packet, PacketLimitExceeded
from ..runtime.interruptions import is_cut_off
from ..signals import socket_connected
from ..stats import counters
from .connection import Connection
from .endpoint import CONNECTED, LEFT
from .socket import Socket
from .stalls import stall_socket


def begin(client: Connection, packet: Packet) -> Coroutine[Any, Any, None] | None:
    """Take a CONNECT. Returns what :meth:`.client.Client.receive` returns."""
    name = packet.namespace
    found = client.clients.find(name)
    if found is None:
        counters.refusals.add("invalid namespace")
        client.refuse(name, {"message": "Invalid namespace"})
        return None
    if client.living >= client.settings.max_namespaces:
        client.violation(PacketLimitExceeded("too many namespaces"))
        return None
    behaviour, kwargs = found
    local = client.clients.local
    recovery = local.recovery if client.protocol.recovers else None
    make = Socket if recovery is None else recovery.make_socket
    socket: Socket = make(client, local, name, packet.data, kwargs, behaviour)
    client.sockets[name] = socket
    client.living += 1
    if client.place is not None:
        client.place.enter()
    return enter(socket)


async def enter(socket: Socket) -> None:
    """Admit the client to the socket's namespace, or refuse it."""
    try:
        await _admit(socket)
        if socket.reason is None:
            room = user_room(socket.user)
            socket.add_to_index(() if room is None else (room,))
            await socket.wait_until_joined()
    except ConnectionRefused as refused:
        data = {"message": refused.message}
        if refused.data is not None:
            data["data"] = refused.data
        _refuse(socket, data)
        return
    except PermissionDenied as denied:
        _refuse(socket, {"message": str(denied) or "Permission denied"})
        return
    except LimitExceeded as limit:
        counters.limits.add(str(limit))
        _refuse(socket, {"message": str(limit)})
        return
    except BaseException as error:
        if is_cut_off(error):
            # The server ends the task in which connect() runs.
            socket.reason = socket.reason or Reason.TRANSPORT_CLOSE
            socket.state = LEFT
            socket.remove_from_index()
            socket.local.runtime.spawn(socket.run_disconnect(socket.reason), socket.client)
            raise
        counters.handler_errors.add("connect")
        socket.log.failure(
            error,
            "connect() of namespace %s failed",
            socket.namespace,
            kind=socket.behaviour.name,
        )
        _refuse(socket, {"message": "Internal server error"})
        return
    held = socket.release_held()
    if socket.reason is not None:
        # It left while connect() ran; the project undoes in disconnect() what connect() did.
        socket.state = LEFT
        socket.remove_from_index()
        await socket.run_disconnect(socket.reason)
        return
    socket.state = CONNECTED
    ready = socket.behaviour.ready
    if ready is not None:
        socket.hold_events()
    client = socket.client
    client.admitted()
    counters.traffic.control_out += 1
    encoder = socket.local.encoder
    admitted = client.protocol.connect(encoder, socket.namespace, socket.names)
    client.send(socket.local.make_frames(admitted))
    for frames in held:
        client.send(frames)
    stall_socket(client, socket)
    if ready is not None:
        await socket.get_ready(ready)
    elif socket_connected.receivers:
        await socket.announce(socket_connected, socket.consumer)


def refuse_auth(client: Connection, error: AuthTooLarge) -> None:
    """Refuse a namespace to a client that sends too much with CONNECT."""
    if error.namespace in client.sockets:
        client.violation(error)
        return
    counters.limits.add(str(error))
    client.refuse(error.namespace, {"message": str(error)})


async def _admit(socket: Socket) -> None:
    behaviour = socket.behaviour
    consumer = socket.consumer = behaviour.make(socket)
    if behaviour.authenticate is not None:
        socket.user = await socket.run(behaviour.authenticate, consumer, socket.auth, hook=True)
    login_required, permissions = behaviour.options(consumer)
    if login_required and not getattr(socket.user, "is_authenticated", False):
        raise ConnectionRefused("Login required")
    if permissions and not (
        socket.user is not None
        and await socket.in_thread(socket.user.has_perms, permissions, hook=True)
    ):
        raise ConnectionRefused("Permission denied")
    await socket.restore()
    if behaviour.connect is not None:
        result = await socket.run(behaviour.connect, consumer, socket.auth, hook=True)
        if result is not None:
            raise TypeError(
                f"connect() of {behaviour.name} returned {result!r}: it lets a client in by "
                "returning None, and refuses it by raising ConnectionRefused"
            )
    if socket.reason == Reason.SERVER_DISCONNECT:
        raise ConnectionRefused


def _refuse(socket: Socket, data: dict[str, Any]) -> None:
    counters.refusals.add("refused")
    socket.state = LEFT
    socket.reason = socket.reason or "refused"
    socket.release_held()
    socket.remove_from_index()
    socket.abandon_questions()
    socket.release_consumer()
    client = socket.client
    if client.sockets.get(socket.namespace) is not socket:
        return
    try:
        client.refuse(socket.namespace, data)
    except (TypeError, ValueError) as error:
        socket.log.failure(error, "the data of a ConnectionRefused cannot be sent")
        client.refuse(socket.namespace, {"message": data["message"]})
