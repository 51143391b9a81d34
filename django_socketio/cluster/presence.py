"""Presence: which users have sockets, over all processes, and what each process says of them.

:mod:`.presence_table` decides, this module talks. docs/presence.md explains both.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from sys import intern
from typing import Any

from ..addressing.rooms import Room, UserRoom
from ..conf import Settings
from ..runtime.runtime import Runtime
from .bus import Bus
from .membership import Membership
from .messages import EVERYONE, Kind, check_items
from .peers import MAX_PEERS, Peers
from .presence_table import Fact, PresenceTable
from .routing import Router

# Seconds between two looks at what is due.
TICK = 0.2
# Seconds that a new process waits before it becomes an owner, beyond the time in which those that
# were killed before it came are taken for dead; seconds that it then waits for answers at most.
YOUTH, LEARNING_TIME = 1.0, 2.0
# Users in one operation.
PART = 1000
# What a user in an operation weighs beside the texts, roughly, in bytes.
_ITEM = 16


def _ignore(sender: str, *items: Any) -> None: ...


# The operations of presence in a process that takes no part: one that serves nobody, for example.
IGNORED: dict[int, Callable[..., None]] = dict.fromkeys(
    (Kind.WHO, Kind.HERE, Kind.PRESENCE, Kind.ANNOUNCED), _ignore
)


class Presence:
    """The presence of users as this process knows it. Called on the loop's own thread.

    ``announce`` is called with a user and whether that user is online now. Nothing is announced
    while ``ending`` returns True: that is left to the other processes.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        node: str,
        announce: Callable[[UserRoom, bool], None],
        ending: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._runtime = runtime
        self._announce = announce
        self._ending = ending
        self._clock = clock
        self._patience = settings.heartbeat_timeout
        self._table = PresenceTable(node, settings.presence_grace, settings.heartbeat_timeout)
        # How many sockets of each user are in this process.
        self._mine: dict[UserRoom, int] = {}
        # Users whose first socket has come, or whose last one has gone, in this turn of the loop.
        self._changed: dict[UserRoom, None] = {}
        # The other processes, where there are any; those that have ever told what they know, and
        # those of them that have not answered this process yet since it became an owner.
        self._others: _Others | None = None
        self._partners: set[str] = set()
        self._unanswered: set[str] = set()
        # What those have asked that are not known yet: whether they are owners.
        self._early: dict[str, bool] = {}
        # When this process becomes an owner, and when it begins to announce, answered or not.
        self._owner_from = self._open_from = math.inf
        self._heard = True
        self._stopped = False
        self._ticked = runtime.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.WHO: self._on_who,
            Kind.HERE: self._on_here,
            Kind.PRESENCE: self._on_presence,
            Kind.ANNOUNCED: self._on_announced,
        }

    # Life

    def join(self, bus: Bus, router: Router, peers: Peers, membership: Membership) -> None:
        """Take part among the processes on a channel layer. Called before any socket has come."""
        self._others = _Others(bus, router, peers, membership, self._patience)
        membership.joined = self.met
        self._runtime.spawn(self._begin(self._others))

    def join_nobody(self) -> None:
        """Be the only process."""
        self._become_owner()

    async def _begin(self, others: _Others) -> None:
        """Begin when the others are known: as an owner where there are none, else soon."""
        await others.membership.settled()
        now = self._runtime.loop.time()
        self._owner_from = now + others.silence + YOUTH if others.nodes() else now
        self._tick()

    def _become_owner(self) -> None:
        """Tell the others that this process may be the owner of users from now on."""
        now = self._runtime.loop.time()
        self._owner_from, self._open_from = -math.inf, now + LEARNING_TIME
        self._table.add_owner(self._table.node)
        if self._others is not None:
            self._unanswered = self._partners & self._others.nodes()
            self._others.to_all([Kind.WHO, True])

    @property
    def _is_owner(self) -> bool:
        return self._open_from < math.inf

    def _is_open(self, now: float) -> bool:
        """Return whether this process is an owner, and knows what the others know."""
        return now >= self._open_from or (self._is_owner and not self._unanswered)

    def stop(self) -> None:
        """Tell the others what has changed, and announce nothing any more."""
        self._tell_changes()
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    # This process's sockets

    def came(self, rooms: Iterable[Room]) -> None:
        """Note a new socket; ``rooms`` has that of its user, if it has one."""
        for user in rooms:
            if isinstance(user, UserRoom):
                sockets = self._mine[user] = self._mine.get(user, 0) + 1
                if sockets == 1:
                    self._note_change(user)

    def went(self, rooms: Iterable[Room]) -> None:
        """Note that a socket has gone."""
        for user in rooms:
            if isinstance(user, UserRoom) and user in self._mine:
                self._mine[user] -= 1
                if not self._mine[user]:
                    del self._mine[user]
                    self._note_change(user)

    def _note_change(self, user: UserRoom) -> None:
        if not self._changed:
            self._runtime.loop.call_soon(self._tell_changes)
        self._changed[user] = None

    def _tell_changes(self) -> None:
        """Tell what this turn of the loop has changed, all at once."""
        changed, self._changed = self._changed, {}
        if self._stopped:
            return
        now = self._runtime.loop.time()
        here = [(user, user in self._mine) for user in changed]
        news = [(user, held) for user, held in here if self._table.holds(user) != held]
        for user, held in news:
            self._table.change(self._table.node, user, held, now)
        self._say(Kind.PRESENCE, [[*user, held] for user, held in news])
        self._act(now)
        if self._timer is None and self._others is None:
            self._tick()

    # What is due

    def _tick(self) -> None:
        if self._stopped:
            return
        now, others = self._runtime.loop.time(), self._others
        if others is not None:
            if self._owner_from <= now and not self._is_owner:
                self._become_owner()
            late = now - self._ticked > self._patience / 2 and self._timer is not None
            heard, self._heard = self._heard, others.hears(now)
            if late:
                # This process was stopped, and the others may have gone on without it.
                self._table.doubt(now)
            if late or (self._heard and not heard):
                others.to_all([Kind.WHO, self._is_owner])
        self._act(now)
        if others is not None and self._heard and self._is_open(now):
            for owner, facts in self._table.remind(now).items():
                others.to_node(owner, [Kind.HERE, False, False, _plain(facts)], _size(facts))
        self._ticked = now
        self._timer = self._runtime.loop.call_later(TICK, self._tick)

    def _act(self, now: float) -> None:
        """Announce what is due."""
        if self._stopped or self._ending() or not self._is_open(now):
            return
        others = self._others
        announced = self._table.announce(now, self._clock(), others is None or others.hears(now))
        self._say(Kind.ANNOUNCED, [[*user, version] for user, version in announced])
        for one in announced:
            self._announce(one.user, one.online)

    def _say(self, kind: Kind, items: list[list[Any]]) -> None:
        """Tell all others of users."""
        if self._others is not None:
            for start in range(0, len(items), PART):
                part = items[start : start + PART]
                self._others.to_all([kind, part], _size(part))

    # The other processes

    def met(self, node: str) -> None:
        """Ask a process that has become known for all that it knows."""
        self.ask(node)
        if node in self._early:
            self._on_who(node, self._early.pop(node))

    def ask(self, node: str) -> None:
        """Ask a process for all that it knows, also because messages of it were lost."""
        if self._others is not None:
            self._others.to_node(node, [Kind.WHO, self._is_owner])

    def departed(self, node: str) -> None:
        """Note that a process is gone."""
        self._table.depart(node)
        self._early.pop(node, None)
        self._partners.discard(node)
        self._unanswered.discard(node)

    def _on_who(self, sender: str, owner: bool) -> None:
        if self._others is None:
            return
        if sender in self._others.peers:
            if owner:
                # It announces nothing before it has the answer, which comes behind all that this
                # process has announced as the owner of the same users.
                self._table.add_owner(sender)
            self._runtime.spawn(self._tell_all(sender, self._others))
        elif len(self._early) < MAX_PEERS:
            self._early[sender] = owner

    async def _tell_all(self, node: str, others: _Others) -> None:
        """Tell a process what this one knows, in parts, and let others have their turn between."""
        users = self._table.untold(node)
        for start in range(0, max(len(users), 1), PART):
            now = self._runtime.loop.time()
            facts = list(self._table.facts(users[start : start + PART], now))
            is_last = start + PART >= len(users)
            operation = [Kind.HERE, start == 0, is_last, _plain(facts)]
            others.to_node(node, operation, _size(facts))
            await asyncio.sleep(0)

    def _on_here(self, sender: str, first: bool, last: bool, users: list[Any]) -> None:
        check_items(users, (str, str, int, (int, float)))
        others = self._others
        if others is None or sender not in others.peers:
            return
        now = self._runtime.loop.time()
        if first:
            self._table.forget_holder(sender, now)
        facts = [Fact(_user(model, pk), version, gone) for model, pk, version, gone in users]
        missed = self._table.tell(intern(sender), facts, now)
        if missed:
            items = [[*user, version] for user, version in missed]
            others.to_node(sender, [Kind.ANNOUNCED, items], _size(items))
        if last:
            self._partners.add(sender)
            self._unanswered.discard(sender)
        self._act(now)

    def _on_presence(self, sender: str, users: list[Any]) -> None:
        check_items(users, (str, str, bool))
        # What comes of a process behind its end is old.
        if self._others is not None and sender in self._others.peers:
            now = self._runtime.loop.time()
            holder = intern(sender)
            for model, pk, here in users:
                self._table.change(holder, _user(model, pk), here, now)
            self._act(now)

    def _on_announced(self, sender: str, users: list[Any]) -> None:
        check_items(users, (str, str, int))
        now = self._runtime.loop.time()
        for model, pk, version in users:
            self._table.hear(_user(model, pk), version, now)
        self._act(now)


class _Others:
    """What presence needs of the channel layer."""

    def __init__(
        self, bus: Bus, router: Router, peers: Peers, membership: Membership, patience: float
    ) -> None:
        self.membership = membership
        self.peers = peers
        self.to_node = router.to_node
        self._bus = bus
        self._patience = patience

    def to_all(self, operation: list[Any], size: int = 0) -> None:
        self._bus.to_group(EVERYONE, operation, size)

    @property
    def silence(self) -> float:
        """For how many seconds a process may be silent before it is taken for dead."""
        return max(self._patience, 4 * self.membership.interval)

    def nodes(self) -> set[str]:
        return self.peers.nodes()

    def hears(self, now: float) -> bool:
        """Return whether this process's own heartbeats come back, so those of others arrive."""
        silence = max(1.5 * self.membership.interval, self._patience / 4)
        return self._bus.up and now - self._bus.echoed_at <= silence


def _user(model: str, pk: str) -> UserRoom:
    """Return a user. Each text from the layer is a new object, though there are few models."""
    return UserRoom(intern(model), pk)


def _plain(facts: Iterable[Fact]) -> list[list[Any]]:
    return [[*user, version, gone] for user, version, gone in facts]


def _size(items: Iterable[Any]) -> int:
    """Return about how many bytes users take in a message."""
    return sum(_ITEM + len(str(item)) for item in items)
