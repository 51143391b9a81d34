"""The two ports between this process and the others.

:class:`Members` is what others may ask of this process, :class:`Others` what this process tells or
asks them. ``sockets/`` implements the first, :mod:`.cluster` and :mod:`.alone` the second; the hub
joins them, and neither side knows more of the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from ..addressing.delivery import Action, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.headcount import Headcount
from ..addressing.outcomes import Answered, Outcome
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..packets import EncodedPacket
from .presence import Presence
from .tunnels import Tunnels


class Members(Protocol):
    """What may be asked of the sockets of this process. Called on the loop's own thread.

    ``origin`` is the process whose packet is delivered now, and the number that it gave it, where
    packets are kept; else None.
    """

    origin: tuple[str, int] | None

    def deliver(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> Awaitable[None]:
        """Write an event to the target's sockets; await the result until buffers have drained."""

    def act(self, target: Target, action: Action, rooms: list[Room]) -> None:
        """Make the target's sockets join or leave ``rooms``, or end their connections."""

    def log_out(self, logins: list[str], user: str) -> None:
        """End the connections of logins, and of a user; see :mod:`~..sockets.logins`."""

    def describe(self, target: Target) -> list[SocketDescription]:
        """Describe the target's sockets."""

    def count(self, target: Target, users: bool) -> Headcount:
        """Count the target's sockets; with ``users`` say whose they are."""

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        asked: Callable[[int], None] | None = None,
        answered: Answered | None = None,
    ) -> Outcome:
        """Ask the target's clients with an event that was encoded with the id 0.

        ``asked`` is told how many sockets are asked, ``answered`` gets each sid and answer as it
        comes, in place of the outcome.
        """

    def report(self, subject: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """Report on this process, see :mod:`~..stats.reports`; None if it serves nobody."""

    async def server_event(self, namespace: str, event: str, args: list[Any]) -> list[Any]:
        """Send the signal ``server_event``. Returns what its receivers returned."""


class Watch(Protocol):
    """Who wants to know of each socket of this process. Called on the loop's own thread."""

    def came(self, rooms: Iterable[Room]) -> None:
        """Note a new socket; ``rooms`` has that of its user, if it has one."""

    def went(self, rooms: Iterable[Room]) -> None:
        """Note that a socket has gone."""


class Keeper(Protocol):
    """What waits in this process for clients that have lost their connection.

    Sessions are JSON texts here, packets are lists of plain values; :mod:`~..sockets.handover` has
    their form. Called on the loop's own thread.
    """

    @property
    def position(self) -> int:
        """How many packets were kept so far."""

    def show(self, namespace: str, pid: str) -> str:
        """Return a session that waits here, MOVING if it is on its way, else ""."""

    def give(self, pids: list[str], offset: str | None, all: bool) -> tuple[str, list[list[Any]]]:
        """Give sessions away. Returns them, and the packets that they miss.

        ``offset`` is the last one that the client of the one session has seen, and ``all`` is True
        where nobody knows, because the process hands over all that it has.
        """

    def inherit(self, sender: str, sessions: str, more: bool) -> None:
        """Take over the sessions of a process that ends; ``more``: others follow."""


class Others(Protocol):
    """The other processes. Called on the loop's own thread.

    Nothing here raises because one of them is gone, or because the channel layer is down.
    """

    @property
    def shared(self) -> bool:
        """Whether a channel layer leads to other processes."""

    @property
    def layer_up(self) -> bool | None:
        """Whether the channel layer works; None where none is shared."""

    @property
    def tunnels(self) -> Tunnels:
        """Requests that are carried between processes."""

    def owner(self, sid: str) -> str | None:
        """Return the other process that a session's id names; None if it names none."""

    # Life

    def take_part(self, presence: Presence) -> None:
        """Have the others tell of their users, and tell them of ours."""

    async def greeted(self) -> None:
        """Wait until the others can have heard of this process, but not for long."""

    def successor(self) -> str | None:
        """Return a process that may take a new client in place of this one, which ends."""

    async def stop(self, timeout: float = 1.0) -> None:
        """Say goodbye and send what waits, for at most ``timeout`` seconds."""

    # What is told

    def room_opened(self, namespace: str, room: Room | None, sid: str) -> Awaitable[None] | None:
        """Say that a room has its first local socket; None stands for the whole namespace.

        ``sid`` is that socket's: sockets that join many rooms at a time take turns.
        Returns an awaitable: what others send there arrives here from then on.
        """

    def room_closed(self, namespace: str, room: Room | None, sid: str) -> None:
        """Say that the last local socket has left a room, or (None) the namespace."""

    def emit(
        self, target: Target, packet: EncodedPacket, delivery: Delivery
    ) -> Awaitable[None] | None:
        """Send an event to the target's sockets in other processes.

        Returns an awaitable: the layer has taken it. None means that there is nothing to wait for.
        """

    def act(self, target: Target, action: Action, rooms: list[Room]) -> Awaitable[None] | None:
        """Make the target's sockets in other processes do something. Returns as :meth:`emit`."""

    def log_out(self, logins: list[str], user: str) -> Awaitable[None] | None:
        """End connections in other processes, as above. Returns as :meth:`emit`."""

    def server_emit(self, namespace: str, packet: EncodedPacket) -> Awaitable[None] | None:
        """Send the signal ``server_event`` in the other processes."""

    # What is asked; the sets hold the processes that did not answer

    async def fetch(self, target: Target) -> tuple[list[SocketDescription], set[str]]:
        """Fetch descriptions of the target's sockets elsewhere."""

    async def count(self, target: Target, users: bool) -> Headcount:
        """Count the target's sockets elsewhere, in the processes that answer."""

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        answered: Answered | None = None,
    ) -> Outcome:
        """Put a question, encoded with the id 0, to the target's clients elsewhere.

        ``answered`` is as in :class:`Members`.
        """

    async def server_call(
        self, namespace: str, packet: EncodedPacket, timeout: float
    ) -> tuple[list[Any], set[str]]:
        """As :meth:`server_emit`; returns what the receivers returned."""

    async def seek(self, namespace: str, pid: str) -> tuple[str, str]:
        """Ask all for a session that waits. Returns its process and what that one shows.

        Both are "" where nobody has it; the process alone is where it is on its way. When this
        returns, what others send to the session's sid comes here, too, until :meth:`sought` is
        called, if this process is in the sid's room.
        """

    def sought(self, namespace: str, pid: str) -> None:
        """Note that a search is over."""

    async def take(
        self, node: str, pids: list[str], offset: str | None, all: bool
    ) -> tuple[str, list[list[Any]], int]:
        """Take sessions from a process; see :meth:`Keeper.give`.

        Returns also the position here when the answer came. The text is "" if there was none.
        """

    def bequeath(self, node: str, sessions: str, more: bool) -> None:
        """Ask a process to take over sessions of this one, which ends."""

    def keep_with(self, keeper: Keeper) -> None:
        """Let ``keeper`` answer what others ask for."""

    async def gather(
        self, subject: str, params: dict[str, Any], timeout: float
    ) -> tuple[dict[str, Any], set[str]]:
        """Return what the other processes report, by process."""
