"""The sessions of clients that have lost their connection and may come again. Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ..addressing.logins import Login
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..conf import RecoveryOptions
from ..packets import EncodedPacket
from .missed import Kept, Missed, Origin, position_in
from .namespace import LocalNamespace

# Why a session is given up; the keys of the counter ``limits``.
TOO_MANY = "too many sessions wait to be recovered"
TOO_MUCH = "a session has missed too much to be recovered"
TOO_MUCH_IN_ALL = "too much is kept for sessions that wait to be recovered"


class Part:
    """What another process had kept, for one session or for several that it handed over.

    ``packets`` are in its order. ``giver`` is that process. ``asked_at`` and ``given_at`` are the
    positions here when it was asked and when it answered: with ``origins``, the packets of third
    processes among ``packets``, they tell which packets have come both ways. ``floor`` is a
    position of the giver: what it has sent before is not among ``packets``.
    """

    __slots__ = ("asked_at", "floor", "given_at", "giver", "origins", "packets", "users", "weight")

    def __init__(
        self, giver: str, packets: list[Kept], asked_at: int, given_at: int, floor: int = 0
    ) -> None:
        self.giver = giver
        self.packets = packets
        self.asked_at, self.given_at = asked_at, given_at
        self.floor = floor
        self.origins = {kept.origin for kept in packets if kept.origin is not None}
        self.weight = sum(kept.weight for kept in packets)
        self.users = 0

    def behind(self, offset: str | None, base: str | None, start: int) -> list[Kept] | None:
        """Return the packets behind an offset; None where it is unknown, or some are missing.

        ``base`` stands for all packets behind the position ``start``.
        """
        for index, kept in enumerate(self.packets):
            if kept.offset == offset:
                return self.packets[index + 1 :]
        position = start if offset == base else position_in(self.giver, offset)
        if position is None or position < self.floor:
            return None
        return [kept for kept in self.packets if kept.position > position]

    def has(self, kept: Kept) -> bool:
        """Return whether a packet that was kept here is among those of this part.

        What a process says comes in the order in which it was said. So the giver had what was sent
        here before it was asked, and what it had sent itself before it answered.
        """
        if kept.origin is None:
            return kept.position <= self.asked_at
        if kept.origin[0] == self.giver:
            return kept.position <= self.given_at
        # A process that has this setting switched off gives no numbers.
        return kept.origin[1] > 0 and kept.origin in self.origins


class Session:
    """What is known of a client in a namespace, by its private id, while it is away and before.

    ``rooms`` are all rooms, those of its sid and its user too, with the position at which the
    socket joined each: it has no claim to what was sent before. ``user`` identifies the user.
    ``base`` is the offset that the client named when it connected. What it may miss is in ``part``,
    if another process has given one, then in this process's packets behind ``start``.

    ``lost_at`` is when the connection was lost. ``claimed``: the client is back, and ``connect``
    runs. ``missed`` is the weight of what it has missed since, ``first`` the first such packet.
    """

    __slots__ = (
        "base",
        "claimed",
        "data",
        "first",
        "login",
        "lost_at",
        "missed",
        "namespace",
        "part",
        "part_start",
        "pid",
        "rooms",
        "sid",
        "start",
        "user",
    )

    def __init__(self, pid: str, sid: str, namespace: str, base: str | None, start: int) -> None:
        self.pid = pid
        self.sid = sid
        self.namespace = namespace
        self.base = base
        self.start = start
        self.part: Part | None = None
        self.part_start = 0
        self.rooms: dict[Room, int] = {}
        self.user: Any = None
        self.login: Login | None = None
        self.data: dict[str, Any] = {}
        self.lost_at = 0.0
        self.claimed = False
        self.missed = 0
        self.first: int | None = None

    def wants(self, kept: Kept, own: bool = True) -> bool:
        """Return whether a packet was for this session. ``own``: this process has kept it."""
        rooms = self.rooms
        if any(room in rooms for room in kept.exclude):
            return False
        if not kept.rooms:
            return True
        return any(
            room in rooms and (not own or kept.position > rooms[room]) for room in kept.rooms
        )


class Waiting:
    """The sessions of one process and the packets that it keeps; time is an argument, in seconds.

    ``window`` is how long before a loss is noticed the client may have stopped to read. ``closed``
    is told of rooms (None: of namespaces) that no session waits for any more, ``given_up`` of the
    reason why a session was given up.
    """

    def __init__(
        self,
        prefix: str,
        options: RecoveryOptions,
        window: float,
        closed: Callable[[str, Room | None, str], None],
        given_up: Callable[[str], None],
    ) -> None:
        self.log = Missed(prefix)
        self.options = options
        self.window = window
        self._closed = closed
        self._given_up = given_up
        # In the order of their losses.
        self.sessions: dict[str, Session] = {}
        self._spaces: dict[str, LocalNamespace[Session]] = {}
        # The sessions that need a packet first of all, by its position.
        self._needing: dict[int, list[Session]] = {}
        self._parts: dict[Part, None] = {}
        self._parts_size = 0

    @property
    def size(self) -> int:
        """About how many bytes all packets take."""
        return self.log.size + self._parts_size

    @property
    def empty(self) -> bool:
        """Whether there is nothing that could become too old."""
        return not (self.sessions or self._parts or len(self.log))

    def awaits(self, namespace: str, room: Room | None) -> bool:
        """Return whether a session waits for what is sent to a room, or to a namespace (None)."""
        space = self._spaces.get(namespace)
        return space is not None and (room is None or room in space.rooms)

    # Packets

    def keep(
        self,
        target: Target,
        packet: EncodedPacket,
        compress: bool,
        origin: Origin | None,
        now: float,
    ) -> EncodedPacket:
        """Keep a packet. Returns it with its offset."""
        kept = self.log.add(target, packet, compress, origin, now)
        space = self._spaces.get(target.namespace)
        if space is not None:
            for session in space.select(target.rooms, target.exclude):
                self._misses(session, kept)
        if self.size > self.options.max_total_size:
            self._make_room()
        return kept.packet

    def _misses(self, session: Session, kept: Kept) -> None:
        if session.first is None:
            session.first = kept.position
            self._needing.setdefault(kept.position, []).append(session)
        session.missed += kept.weight
        if session.missed > self.options.max_session_size:
            self.give_up(session, TOO_MUCH)

    def _make_room(self) -> None:
        for kept in self.log.make_room(self.options.max_total_size - self._parts_size):
            for session in self._needing.pop(kept.position, ()):
                if session.first == kept.position:
                    self.give_up(session, TOO_MUCH_IN_ALL)

    # Sessions

    def add(self, session: Session, lost_at: float) -> None:
        """Let a session wait for its client, which was lost at a time."""
        session.lost_at = lost_at
        session.claimed = False
        self.sessions[session.pid] = session
        space = self._spaces.get(session.namespace)
        if space is None:
            space = self._spaces[session.namespace] = LocalNamespace(session.namespace)
        space.sockets[session.sid] = session
        for room in session.rooms:
            space.join(session, room)
        if len(self.sessions) > self.options.max_sessions:
            self.give_up(next(iter(self.sessions.values())), TOO_MANY)

    def join(self, session: Session, room: Room) -> None:
        """Add a session that waits to another room."""
        if session.pid in self.sessions and room not in session.rooms:
            session.rooms[room] = self.log.position
            self._spaces[session.namespace].join(session, room)

    def leave(self, session: Session, room: Room) -> None:
        """Remove a session that waits from a room."""
        if session.pid in self.sessions and session.rooms.pop(room, None) is not None:
            space = self._spaces[session.namespace]
            if space.leave(session, room):
                self._closed(session.namespace, room, session.sid)

    def find(self, pid: str, namespace: str, now: float) -> Session | None:
        """Return the session with a private id, if it still waits."""
        session = self.sessions.get(pid)
        if session is None or session.namespace != namespace or session.claimed:
            return None
        if now > session.lost_at + self.options.max_disconnection_duration:
            self.remove(session)
            return None
        return session

    def remove(self, session: Session) -> None:
        """Let a session wait no more: it is back, or over."""
        if self.sessions.pop(session.pid, None) is None:
            return
        if session.first is not None:
            needing = self._needing.get(session.first, [])
            if session in needing:
                needing.remove(session)
            if not needing:
                self._needing.pop(session.first, None)
            session.first = None
        session.missed = 0
        space = self._spaces[session.namespace]
        space.sockets.pop(session.sid, None)
        empty = [room for room in session.rooms if space.leave(session, room)]
        if not space.sockets:
            del self._spaces[session.namespace]
        for room in (*empty, *(() if space.sockets else (None,))):
            self._closed(session.namespace, room, session.sid)

    def give_up(self, session: Session, reason: str) -> None:
        """Remove a session because of a bound."""
        if session.pid in self.sessions:
            self.remove(session)
            self.drop_part(session)
            self._given_up(reason)

    def expire(self, now: float) -> None:
        """Forget sessions and packets whose time is over."""
        duration = self.options.max_disconnection_duration
        for session in list(self.sessions.values()):
            if not session.claimed and now > session.lost_at + duration:
                self.remove(session)
                self.drop_part(session)
        oldest = now - duration - self.window
        self.log.forget_before(oldest)
        for part in list(self._parts):
            if not part.packets or part.packets[-1].time < oldest:
                self._forget(part)
                part.packets.clear()

    def log_out(self, logins: Collection[str], user: str) -> list[Session]:
        """Remove the sessions of logins, and of a user where ``user`` is not "". Returns them."""
        over = [
            session
            for session in self.sessions.values()
            if (login := session.login) is not None
            and (login.id in logins or (user and login.user == user))
        ]
        for session in over:
            self.remove(session)
            self.drop_part(session)
        return over

    # What a session has missed

    def missed(self, session: Session, offset: str | None) -> list[Kept] | None:
        """Return what a client has not seen, in order; ``offset`` is the last that it has.

        None means that nobody can say: the offset is unknown, or packets were dropped.
        """
        part = session.part
        since = session.start
        unseen = None if part is None else part.behind(offset, session.base, session.part_start)
        before = unseen or []
        if unseen is None and (part is not None or offset != session.base):
            position = self.log.position_of(offset)
            if position is None or position < since or offset == session.base:
                return None
            since = position
        noticed = session.lost_at - self.window
        if since < self.log.floor and self.log.floor_time > noticed:
            return None
        return [
            *(
                kept
                for kept in before
                if kept.position > session.part_start and session.wants(kept, own=False)
            ),
            *(
                kept
                for kept in self.log.after(session.namespace, since)
                if session.wants(kept) and not (part is not None and part.has(kept))
            ),
        ]

    def too_much(self, missed: list[Kept]) -> bool:
        """Return whether a session has missed more than it may."""
        return sum(kept.weight for kept in missed) > self.options.max_session_size

    def resume(self, session: Session, offset: str | None) -> None:
        """Note that the client is back, and has seen what it had up to ``offset``."""
        position = self.log.position_of(offset)
        if position is not None and position >= session.start and offset != session.base:
            session.start = position
            self.drop_part(session)
        session.base = offset
        self.remove(session)

    # Parts

    def use_part(self, session: Session, part: Part) -> None:
        """Let a session have a part. Raises OverflowError if there is no room for it."""
        if part not in self._parts:
            if self.size + part.weight > self.options.max_total_size:
                raise OverflowError(TOO_MUCH_IN_ALL)
            self._parts[part] = None
            self._parts_size += part.weight
        part.users += 1
        session.part = part

    def drop_part(self, session: Session) -> None:
        """Let a session have its part no more."""
        part, session.part = session.part, None
        if part is not None:
            part.users -= 1
            if not part.users:
                self._forget(part)

    def _forget(self, part: Part) -> None:
        if part in self._parts:
            del self._parts[part]
            self._parts_size -= part.weight
