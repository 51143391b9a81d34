"""Counts what is held for a client, and lets go on reading, pause or end.

Events that wait, and large ones that are being handled; attachments of a packet that is not
complete. A client costs nothing of this before its first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from typing import Any

from ..packets import (
    LARGE,
    CheckedDecoder,
    Decoder,
    Packet,
    PacketError,
    PacketLimitExceeded,
    weigh,
)
from ..runtime.awaitables import DONE
from ..stats import counters
from .backlog import TOO_MUCH_IN_ALL, Backlog
from .connection import Connection
from .endpoint import CONNECTING


def queued(client: Connection, packet: Packet) -> None:
    """Count an event that waits for the handler before it, or runs beside it."""
    backlog = _backlog(client)
    packet.weight = weigh(packet)
    backlog.add(packet.weight)
    _check(client, backlog, client.local.backlog.overflows)


def dequeued(client: Connection, packet: Packet) -> None:
    """Count an event that waits no more."""
    backlog = _backlog(client)
    backlog.add(packet.weight, -1)
    client.crowded = backlog.excess is not None


def wait_until_caught_up(client: Connection) -> Awaitable[None]:
    """Wait until so few events wait that reading may go on."""
    backlog, session = client.backlog, client.session
    client.crowded = backlog is not None and backlog.excess is not None
    if backlog is None or not client.crowded or client.pending_acks:
        return DONE  # in the last case a handler waits for the client's answer
    session.paused = client.stalled is None
    waiter = backlog.wait(client.loop)
    waiter.add_done_callback(lambda _: session.resume(client.loop.time()))
    return waiter


def hold(client: Connection, weight: int) -> None:
    """Count bytes that are held besides; fewer where ``weight`` is negative."""
    backlog = _backlog(client)
    backlog.hold(weight)
    if weight > 0 and backlog.takes_others_room:
        _check(client, backlog)
    else:
        client.crowded = backlog.excess is not None


def may_decode(client: Connection) -> bool:
    """Return whether there is room for a large event; else end the session."""
    if client.local.backlog.overflows:
        client.violation(PacketLimitExceeded(TOO_MUCH_IN_ALL))
        return False
    return True


def _check(client: Connection, backlog: Backlog, hopeless: bool = False) -> None:
    """Let reading pause where too much is held, or end the session where that cannot help."""
    excess = backlog.excess
    client.crowded = excess is not None
    if excess is not None and (
        # A handler may wait for the client's answer, or the transport reads on.
        client.pending_acks or not client.transport.pausable or hopeless
    ):
        client.violation(PacketLimitExceeded(excess))


def make_room(client: Connection, queue: deque[Any]) -> None:
    """Drop the last waiting events of a client that has gone, as many as take others' room."""
    backlog = _backlog(client)
    dropped = 0
    while (
        queue
        and isinstance(queue[-1], Packet)
        and client.local.backlog.full
        and backlog.size > LARGE
    ):
        dequeued(client, queue.pop())
        dropped += 1
    if dropped:
        counters.limits.add("events of clients that had gone were dropped", dropped)
        log = client.local.runtime.log
        log.warning("%d events of a client that has gone were dropped", dropped)


def await_attachments(client: Connection, decoder: Decoder | CheckedDecoder) -> None:
    """Note that a packet waits for attachments, or for more of them: for how long, and its size."""
    packet = decoder.pending
    if packet is None:
        # Its namespace is known when it is complete: any that is connected will do till then.
        sockets = list(client.sockets.values())
    else:
        sockets = [client.sockets[packet.namespace]] if packet.namespace in client.sockets else []
    if all(socket.state is CONNECTING for socket in sockets):
        client.violation(PacketError("attachments for a namespace that is not connected"))
        return
    if client.attachments_deadline is None:
        client.attachments_deadline = client.loop.time() + client.settings.attachments_timeout
        client.clients.wheel.hasten(client, client.attachments_deadline)
    if decoder.held > LARGE:
        hold_incomplete(client, decoder.held)
        if _backlog(client).takes_others_room:
            # To pause would keep the rest of the packet back, and hold what has come for as long.
            client.violation(PacketLimitExceeded(TOO_MUCH_IN_ALL))


def hold_incomplete(client: Connection, weight: int) -> None:
    """Count the bytes of a packet that is not complete, 0 when there is none."""
    if client.backlog is not None or weight:
        _backlog(client).hold_incomplete(weight)


def _backlog(client: Connection) -> Backlog:
    if client.backlog is None:
        client.backlog = Backlog(client.settings, client.local.backlog)
    return client.backlog
