"""Tunnels: how a process carries what reached it by mistake to the process that it belongs to.

The process that a client has reached (the *gate*) opens a tunnel to the one that owns the session
(the *owner*). What goes through it is not known here: :mod:`django_socketio.transports.forwarding`
carries HTTP requests and WebSockets.

A loss on the layer shows in the bus's sequence numbers, and breaks all tunnels between the two
processes: their sessions are closed and the clients reconnect, rather than miss a message. So that
no client can cause one, all tunnels together take up half of the bus's queue: an end that wants to
send more waits, and does not read from its client meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from .ends import (
    Exit,
    HasRoom,
    IncomingEnd,
    LastSign,
    Message,
    OutgoingEnd,
    OwnerGone,
    SendOperation,
)
from .messages import Kind

# An owner that cannot answer at once says that it is alive after so many seconds.
ALIVE_AFTER = 0.2

# Starts to serve what has come through a tunnel; the awaitable ends when that is done. Raises
# ValueError for a head that it does not understand.
Accept = Callable[[IncomingEnd], Awaitable[None]]


class Tunnels:
    """All tunnels of this process: those that it has opened, and those opened to it.

    ``send`` sends an operation to a process, ``has_room`` tells whether one of so many bytes may be
    sent now; if not, :meth:`go_on` is to be called later. ``meet`` tells whether a process is known
    or becomes known in time, ``last_sign`` when it last said something. ``spawn`` starts a task.
    ``accept`` serves tunnels that other processes open; without it they are told that they are
    over.
    """

    def __init__(
        self,
        send: SendOperation,
        has_room: HasRoom,
        meet: Callable[[str], Awaitable[bool]],
        last_sign: LastSign,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        accept: Accept | None = None,
    ) -> None:
        self._send = send
        self._exit = Exit(send, has_room)
        self.go_on = self._exit.go_on
        self._meet = meet
        self._last_sign = last_sign
        self._spawn = spawn
        self._accept = accept
        self._numbers = count(1)
        self._outgoing: dict[int, OutgoingEnd] = {}
        self._incoming: dict[tuple[str, int], IncomingEnd] = {}
        # Whether this process ends; the event is set when a tunnel that it has opened is over.
        self._closing = False
        self._outgoing_ended = asyncio.Event()
        # What to do with the operations of other processes, by their kind.
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.OPEN: self._on_open,
            Kind.IN: self._on_in,
            Kind.OUT: self._on_out,
            Kind.CREDIT: self._on_credit,
            Kind.RECEIPT: self._on_receipt,
            Kind.ALIVE: self._on_alive,
            Kind.ABORT: self._on_abort,
            Kind.OVER: self._on_over,
        }

    def __len__(self) -> int:
        return len(self._outgoing) + len(self._incoming)

    def nodes(self) -> set[str]:
        """Return the processes at the other ends."""
        return {end.node for end in self._outgoing.values()} | {node for node, _ in self._incoming}

    @property
    def upgrading(self) -> bool:
        """Whether a client is about to go on over one of the tunnels that were opened here."""
        return any(end.upgrading for end in self._outgoing.values())

    @asynccontextmanager
    async def open_tunnel(
        self, node: str, head: dict[str, Any], size: int, is_request: bool
    ) -> AsyncIterator[OutgoingEnd]:
        """Open a tunnel to a process; it is over when the block ends.

        ``head`` holds plain values, of about ``size`` bytes. ``is_request`` says that the owner
        sends one answer; when this process ends, the owner is asked to send it now. Raises
        OwnerGone for an unknown process.
        """
        if not await self._meet(node):
            raise OwnerGone
        number = next(self._numbers)
        end = OutgoingEnd(self._exit, node, number, self._last_sign, is_request)
        self._outgoing[number] = end
        try:
            await self._exit.wait_for_room(end, size)
            if self._send(node, [Kind.OPEN, number, head], size) is None:
                raise OwnerGone
            end.finished = False
            if self._closing and is_request:
                end.release()
            yield end
        finally:
            del self._outgoing[number]
            self._exit.forget(end)
            self._outgoing_ended.set()
            if not end.finished:
                self._send(node, [Kind.ABORT, number], 0)

    # Ends that come from elsewhere

    def break_tunnels(self, node: str) -> None:
        """Break all tunnels to a process: it is gone, or messages of it are missing."""
        for outgoing in self._outgoing.values():
            if outgoing.node == node:
                outgoing.break_off()
        for (other, _), incoming in self._incoming.items():
            if other == node:
                incoming.break_off()

    def break_all_tunnels(self) -> None:
        """Break every tunnel: this process ends, or the others have given it up."""
        for node in self.nodes():
            self.break_tunnels(node)

    def release_requests(self) -> None:
        """This process ends: have waiting requests answered, so that clients go elsewhere."""
        self._closing = True
        for end in self._outgoing.values():
            if end.is_request:
                end.release()

    async def wait_until_released(self) -> None:
        """Wait until no request of this process waits for its owner."""
        while any(end.is_request for end in self._outgoing.values()):
            self._outgoing_ended.clear()
            await self._outgoing_ended.wait()

    # Operations of the gate, for the owner

    def _on_open(self, sender: str, number: int, head: dict[str, Any]) -> None:
        end = IncomingEnd(self._exit, sender, number, head)
        if self._accept is None:
            self._say_over(sender, number)
            return
        serving = self._accept(end)
        self._incoming[sender, number] = end
        self._spawn(self._serve(end, serving))

    async def _serve(self, end: IncomingEnd, serving: Awaitable[None]) -> None:
        timer = asyncio.get_running_loop().call_later(ALIVE_AFTER, end.say_alive)
        try:
            await serving
        except ConnectionError:
            pass  # the gate is gone, and the session knows by what it reads
        finally:
            timer.cancel()
            self._exit.forget(end)
            self._incoming.pop((end.node, end.number), None)
            if end.broken:
                # Whatever broke it here, the gate may not know.
                self._say_over(end.node, end.number)

    def _on_in(self, sender: str, number: int, message: Message) -> None:
        end = self._incoming.get((sender, number))
        if end is None:
            self._say_over(sender, number)
        else:
            end.message_arrived(message)

    def _on_receipt(self, sender: str, number: int, size: int) -> None:
        end = self._incoming.get((sender, number))
        if end is not None:
            end.credit_arrived(size)

    def _on_abort(self, sender: str, number: int) -> None:
        end = self._incoming.get((sender, number))
        if end is not None:
            end.break_off()

    def _say_over(self, node: str, number: int) -> None:
        """Tell a gate that this process has nothing more to do with a tunnel."""
        self._send(node, [Kind.OVER, number], 0)

    # Operations of the owner, for the gate

    def _outgoing_to(self, node: str, number: int) -> OutgoingEnd | None:
        """A tunnel's number means nothing without the process at its other end."""
        end = self._outgoing.get(number)
        return end if end is not None and end.node == node else None

    def _on_out(self, sender: str, number: int, message: Message) -> None:
        end = self._outgoing_to(sender, number)
        if end is not None:
            end.message_arrived(message)

    def _on_credit(self, sender: str, number: int, size: int) -> None:
        end = self._outgoing_to(sender, number)
        if end is not None:
            end.credit_arrived(size)

    def _on_alive(self, sender: str, number: int) -> None:
        end = self._outgoing_to(sender, number)
        if end is not None:
            end.owner_is_alive()

    def _on_over(self, sender: str, number: int) -> None:
        end = self._outgoing_to(sender, number)
        if end is not None:
            end.break_off()
