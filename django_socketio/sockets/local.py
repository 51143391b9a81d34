"""The sockets of one event loop, by namespace and by room.

It tells the other processes when a room gets its first socket here and when it loses its last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from typing import Any, Generic, TypeVar

from ..addressing.ids import new_id
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..cluster.ports import Others, Watch
from ..conf import Settings
from ..runtime.announcer import Announcer
from ..runtime.runtime import Runtime
from ..signals import room_created, room_deleted, room_joined, room_left
from ..stats import counters
from .announcing import tell_joined, tell_left
from .backlog import TotalBacklog
from .frames import frame_maker
from .logins import Logins
from .namespace import HasSid, LocalNamespace

M = TypeVar("M", bound=HasSid)


class Local(Generic[M]):
    """See the module's docstring. Its methods are called on the loop's own thread.

    ``others`` is told of the first and of the last socket in a room: between the two, other
    processes send here what they emit to the room.

    ``family_of`` returns the family of a namespace, "" for one that has none; see Target.
    """

    def __init__(self, runtime: Runtime, settings: Settings, node: str, others: Others) -> None:
        self.runtime = runtime
        self.settings = settings
        self.encoder = settings.encoder
        self.make_frames = frame_maker(settings)
        self.node = node
        self.others = others
        self.namespaces: dict[str, LocalNamespace[M]] = {}
        self.family_of: Callable[[str], str] = _no_family
        # What waits for clients that have lost their connection; None where the setting is off. It
        # has a claim to the messages of rooms (None: of the namespace) that have no socket here.
        self.recovery: Any = None
        self.awaits: Callable[[str, Room | None], bool] = _awaits_nothing
        # By family, the names of its namespaces that are in ``namespaces``.
        self._families: dict[str, dict[str, None]] = {}
        self.logins: Logins[Any] = Logins(runtime.loop)
        # Is told of each socket that comes and goes, where somebody wants to know.
        self.watch: Watch | None = None
        self.backlog = TotalBacklog(settings.max_pending_events_total_size)
        # Send the signals of rooms, and of events that are sent.
        self.room_news = Announcer(runtime)
        self.sent_news = Announcer(runtime)
        # Numbers of questions to clients.
        self.ack_ids = count()
        # ``leaving``: the process was told to end, and no client may begin to upgrade.
        # ``closing``: it ends, and no new session is admitted.
        self.leaving = False
        self.closing = False

    def new_id(self) -> str:
        """Make an id for a session or a socket of this process."""
        return new_id(self.node)

    def _namespace(self, name: str, sid: str) -> LocalNamespace[M]:
        """Return this loop's part of a namespace; ``sid`` is that of its first socket, perhaps."""
        found = self.namespaces.get(name)
        return self._open(name, sid) if found is None else found

    def _open(self, name: str, sid: str) -> LocalNamespace[M]:
        family = self.family_of(name)
        found = self.namespaces[name] = LocalNamespace(name, family)
        if family:
            names = self._families.setdefault(family, {})
            names[name] = None
            if len(names) == 1:
                self.others.room_opened(family, None, sid)
        return found

    def _close(self, found: LocalNamespace[M], sid: str) -> None:
        del self.namespaces[found.name]
        if found.family:
            names = self._families[found.family]
            del names[found.name]
            if not names:
                del self._families[found.family]
                self.others.room_closed(found.family, None, sid)

    def add(self, socket: M, namespace: str) -> Awaitable[None] | None:
        """Add a socket to its namespace.

        Returns an awaitable: other processes send here what they emit to the namespace. None means
        that they do so already, or that there are none.
        """
        found = self._namespace(namespace, socket.sid)
        found.sockets[socket.sid] = socket
        found.counted = counters.sockets.enter(namespace)
        counters.connects.add(found.counted)
        if len(found.sockets) > 1:
            return None
        return self.others.room_opened(namespace, None, socket.sid)

    def remove(self, socket: M, namespace: str, rooms: Iterable[Room]) -> bool:
        """Remove a socket from its namespace and from ``rooms``, which are all of its rooms.

        Returns False where it was not in the namespace.
        """
        for room in rooms:
            self.leave_room(socket, namespace, room)
        found = self.namespaces.get(namespace)
        if found is None:
            return False  # it was refused before it was in any room
        there = found.sockets.get(socket.sid) is socket  # a client 2.x uses an id again
        if there:
            del found.sockets[socket.sid]
            counters.sockets.leave(found.counted)
            if not found.sockets and not self.awaits(namespace, None):
                self.others.room_closed(namespace, None, socket.sid)
        self._close_if_empty(found, socket.sid)
        return there

    def join_room(self, socket: M, namespace: str, room: Room) -> Awaitable[None] | None:
        """Add a socket to a room. Returns what :meth:`add` returns."""
        first = self._namespace(namespace, socket.sid).join(socket, room)
        if room_joined.receivers or room_created.receivers:
            tell_joined(self.room_news, socket, namespace, room, created=first)
        return self.others.room_opened(namespace, room, socket.sid) if first else None

    def leave_room(self, socket: M, namespace: str, room: Room) -> None:
        """Remove a socket from a room."""
        found = self.namespaces.get(namespace)
        if found is None or socket not in found.rooms.get(room, ()):
            return
        last = found.leave(socket, room)
        if room_left.receivers or room_deleted.receivers:
            tell_left(self.room_news, socket, namespace, room, deleted=last)
        if last and not self.awaits(namespace, room):
            self.others.room_closed(namespace, room, socket.sid)

    def hold(self, namespace: str, room: Room | None, sid: str) -> Awaitable[None] | None:
        """Have other processes send here what is for a room, whether a socket is in it or not.

        It is called when :attr:`awaits` has become true of the room. Returns what :meth:`add`
        returns.
        """
        found = self._namespace(namespace, sid)
        if found.sockets if room is None else room in found.rooms:
            return None
        return self.others.room_opened(namespace, room, sid)

    def release(self, namespace: str, room: Room | None, sid: str) -> None:
        """Undo :meth:`hold`: :attr:`awaits` has become false of the room."""
        found = self.namespaces.get(namespace)
        if found is None:
            return
        if not (found.sockets if room is None else room in found.rooms):
            self.others.room_closed(namespace, room, sid)
        self._close_if_empty(found, sid)

    def _close_if_empty(self, found: LocalNamespace[M], sid: str) -> None:
        if found.sockets or found.rooms or self.awaits(found.name, None):
            return
        if self.namespaces.get(found.name) is found:
            self._close(found, sid)

    def spread(self, target: Target) -> list[Target]:
        """Return the targets in one namespace each that a wide one stands for here."""
        wanted = target.namespace
        names = self._families.get(wanted, ()) if wanted else self.namespaces
        return [target._replace(namespace=name) for name in names]

    def select(self, target: Target) -> list[M]:
        """Return the local sockets of a target."""
        if target.is_wide:
            return [socket for one in self.spread(target) for socket in self.select(one)]
        found = self.namespaces.get(target.namespace)
        return [] if found is None else found.select(target.rooms, target.exclude)


def _no_family(namespace: str) -> str:
    return ""


def _awaits_nothing(namespace: str, room: Room | None) -> bool:
    return False
