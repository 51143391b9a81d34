"""Lets the events of a client wait while it does not read what it was sent.

An event of 40 bytes may make a handler send a megabyte. So while more than the low-water mark waits
for a client, no further event of it is handled; acknowledgements and pongs are. Whoever reads goes
on at once; who does not times out, for it cannot answer a ping that it has not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from .connection import Connection


class Turn:
    """Where a handler that overlaps with others stands in its socket's queue. Await it to let it
    go on.
    """

    __slots__ = ("given",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.given = loop.create_future()

    def give(self) -> None:
        """Let the handler go on."""
        _release(self.given)

    def __await__(self) -> Generator[Any, Any, None]:
        self.give()
        # It may send so much that all behind it wait again.
        yield from asyncio.sleep(0).__await__()


def stall(client: Connection) -> None:
    """Let the events of all sockets wait: too much was sent that the client has not read."""
    client.stalled = {}
    if client.session.paused:
        # It is the client's own fault from now on that nothing of it is read.
        client.session.resume(client.loop.time())
    for socket in client.sockets.values():
        stall_socket(client, socket)


def stall_socket(client: Connection, socket: Any) -> None:
    """Let the events of a socket wait with those of the client's other sockets."""
    if client.stalled is not None:
        waiter = client.stalled[socket] = client.loop.create_future()
        socket.wait_for(waiter)


def is_stalled(client: Connection, socket: Any) -> bool:
    """Return whether the events of a socket wait."""
    return client.stalled is not None and socket in client.stalled


def note_poll(client: Connection) -> None:
    """Note that the client, which polls, has read everything that it was sent."""
    client.session.heard()
    go_on_if_read(client)


def go_on_if_read(client: Connection) -> None:
    """Let the events of all sockets go on if the client has read what it was sent.

    What a poll was answered is not read until the next poll shows it.
    """
    session = client.session
    unread = session.buffered + (session.unheard if session.transport == "polling" else 0)
    if client.stalled is not None and unread <= session.options.low_water:
        session.paused = client.backlog is not None and client.backlog.awaited
        go_on(client)


def go_on(client: Connection) -> None:
    """Let the events of all sockets go on."""
    stalled, client.stalled = client.stalled, None
    for waiter in (stalled or {}).values():
        _release(waiter)


def go_on_without(client: Connection, socket: Any) -> None:
    """Let the last events of a socket go on that leaves: nothing is sent to it any more."""
    if client.stalled:
        _release(client.stalled.pop(socket, None))


def _release(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
