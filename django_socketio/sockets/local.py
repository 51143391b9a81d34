"""The sockets of one event loop, by namespace and by room.

It tells the other processes when a room gets its first socket here and when it loses its last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from itertools import count
from typing import Any, Generic, TypeVar

from ..addressing.ids import new_id
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..cluster.ports import Others
from ..conf import Settings
from ..runtime.runtime import Runtime
from ..stats import counters
from .backlog import TotalBacklog
from .frames import frame_maker
from .logins import Logins
from .namespace import HasSid, LocalNamespace

M = TypeVar("M", bound=HasSid)


class Local(Generic[M]):
    """See the module's docstring. Its methods are called on the loop's own thread.

    ``others`` is told of the first and of the last socket in a room: between the two, other
    processes send here what they emit to the room.
    """

    def __init__(self, runtime: Runtime, settings: Settings, node: str, others: Others) -> None:
        self.runtime = runtime
        self.settings = settings
        self.encoder = settings.encoder
        self.make_frames = frame_maker(settings)
        self.node = node
        self.others = others
        self.namespaces: dict[str, LocalNamespace[M]] = {}
        self.logins: Logins[Any] = Logins(runtime.loop)
        self.backlog = TotalBacklog(settings.max_pending_events_total_size)
        # Numbers of questions to clients.
        self.ack_ids = count()
        # ``leaving``: the process was told to end, and no client may begin to upgrade.
        # ``closing``: it ends, and no new session is admitted.
        self.leaving = False
        self.closing = False

    def new_id(self) -> str:
        """Make an id for a session or a socket of this process."""
        return new_id(self.node)

    def namespace(self, name: str) -> LocalNamespace[M]:
        """Return this loop's part of a namespace; it is made here where it has no sockets yet."""
        found = self.namespaces.get(name)
        if found is None:
            found = self.namespaces[name] = LocalNamespace(name)
        return found

    def add(self, socket: M, namespace: str) -> Awaitable[None] | None:
        """Add a socket to its namespace.

        Returns an awaitable: other processes send here what they emit to the namespace. None means
        that they do so already, or that there are none.
        """
        found = self.namespace(namespace)
        found.sockets[socket.sid] = socket
        found.counted = counters.sockets.enter(namespace)
        counters.connects.add(found.counted)
        if len(found.sockets) > 1:
            return None
        return self.others.room_opened(namespace, None, socket.sid)

    def remove(self, socket: M, namespace: str, rooms: Iterable[Room]) -> None:
        """Remove a socket from its namespace and from ``rooms``, which are all of its rooms."""
        for room in rooms:
            self.leave_room(socket, namespace, room)
        found = self.namespace(namespace)
        if found.sockets.pop(socket.sid, None) is not None:
            counters.sockets.leave(found.counted)
            if not found.sockets:
                self.others.room_closed(namespace, None, socket.sid)
        if not found.sockets and not found.rooms:
            del self.namespaces[namespace]

    def join_room(self, socket: M, namespace: str, room: Room) -> Awaitable[None] | None:
        """Add a socket to a room. Returns what :meth:`add` returns."""
        first = self.namespace(namespace).join(socket, room)
        return self.others.room_opened(namespace, room, socket.sid) if first else None

    def leave_room(self, socket: M, namespace: str, room: Room) -> None:
        """Remove a socket from a room."""
        if self.namespace(namespace).leave(socket, room):
            self.others.room_closed(namespace, room, socket.sid)

    def select(self, target: Target) -> list[M]:
        """Return the local sockets of a target."""
        if not target.namespace:
            return [
                socket
                for namespace in list(self.namespaces.values())
                for socket in namespace.select(target.rooms, target.exclude)
            ]
        found = self.namespaces.get(target.namespace)
        return [] if found is None else found.select(target.rooms, target.exclude)
