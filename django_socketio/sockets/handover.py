"""Sessions that wait for their clients move to the process that a client comes to, or to an heir.

Nothing is lost on the way, and nothing comes twice, because who takes a session is in all of its
rooms before it asks for it; docs/recovery.md explains the order of the steps.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from ..addressing.descriptions import MOVING
from ..addressing.ids import owner_of
from ..addressing.logins import Login
from ..addressing.rooms import Room, UserRoom
from ..addressing.target import Target
from ..packets import EncodedPacket
from .identity import identity
from .local import Local
from .missed import Kept
from .socket import Socket
from .waiting import Part, Session, Waiting

# Seconds for which a process waits until it is in a session's rooms.
JOIN_TIMEOUT = 1.0
# How often, and how many seconds apart, a client's session is sought that is on its way.
TRIES, PAUSE = 50, 0.1
# Seconds that an heir may take; another one is asked then.
HEIR_TIMEOUT, HEIRS = 3.0, 3
# How often a successor is asked for.
ASKED = 20
# Sessions in one operation.
CHUNK = 200


class Handover:
    """See the module's docstring. It is the :class:`~..cluster.ports.Keeper` of a process."""

    def __init__(self, recovery: Any) -> None:
        self._recovery = recovery
        self._waiting: Waiting = recovery.waiting
        self._local: Local[Any] = recovery.local
        self._runtime = self._local.runtime
        # Sessions that are on their way here, and those that this process, which ends, has given.
        self._arriving: dict[str, asyncio.Future[None]] = {}
        self._given: set[str] = set()
        self._emptied = asyncio.Event()
        # The first sessions of a process that ends, until the last have come.
        self._inherited: dict[str, list[Any]] = {}

    # For a client that has come here

    async def fetch(self, socket: Socket, pid: str, offset: str | None) -> Session | None:
        """Return the session with a private id, claimed, from the process that has it.

        It is None if none has it, and for another user.
        """
        if not self._local.others.shared:
            return None
        # A task of its own: what has come here must not be lost with the task of a connection.
        fetching = self._runtime.spawn(self._fetch(socket, pid, offset), socket.client)
        await asyncio.shield(fetching)
        session = self._waiting.find(pid, socket.namespace, self._now())
        if session is None or session.user != identity(socket.user):
            return None
        missed = self._waiting.missed(session, offset)
        if missed is None or self._waiting.too_much(missed):
            return None
        session.claimed = True
        return session

    async def _fetch(self, socket: Socket, pid: str, offset: str | None) -> None:
        others, namespace = self._local.others, socket.namespace
        for _ in range(TRIES):
            arriving = self._arriving.get(pid)
            if arriving is not None:
                await asyncio.wait([arriving])
                return
            node, text = await others.seek(namespace, pid)
            try:
                if not node or socket.reason is not None:
                    return
                if text and await self._take(node, text, socket, offset):
                    return
            finally:
                others.sought(namespace, pid)
            await asyncio.sleep(PAUSE)

    async def _take(self, node: str, text: str, socket: Socket, offset: str | None) -> bool:
        """Take a session from a process. Returns False where it is there no more."""
        session = self._read(json.loads(text))
        if session.user != identity(socket.user) or session.pid in self._waiting.sessions:
            return True
        arrived = self._expect([session])
        try:
            await self._be_in_rooms(self._admit(session))
            asked_at = self.position
            states, packets, given_at = await self._local.others.take(
                node, [session.pid], offset, False
            )
            state = json.loads(states).get(session.pid) if states else None
            if state is not None and session.pid in self._waiting.sessions:
                part = Part(node, [kept for _, kept in self._kept(packets)], asked_at, given_at)
                self._settle(session, state, part)
                return True
            self._waiting.remove(session)
            return False
        except BaseException:
            self._waiting.remove(session)
            raise
        finally:
            session.claimed = False
            arrived()

    def _settle(self, session: Session, state: dict[str, Any], part: Part) -> None:
        """Let a session that has come here wait."""
        session.data = json.loads(state["data"])
        session.base, session.part_start = state["base"], state["start"]
        if self._local.logins.is_over(session.login):
            self._waiting.remove(session)
            return
        try:
            self._waiting.use_part(session, part)
        except OverflowError as error:
            self._waiting.give_up(session, str(error))

    # For a process that ends

    async def hand_over(self) -> None:
        """Let another process have all sessions that wait: this process ends."""
        tried: set[str] = set()
        while len(tried) < HEIRS:
            sessions = [one for one in self._waiting.sessions.values() if not one.claimed]
            # It is any of them; a few questions will do to be named one that was not asked yet.
            named = [self._local.others.successor() for _ in range(ASKED)]
            heir = next((one for one in named if one is not None and one not in tried), None)
            if not sessions or heir is None:
                return
            tried.add(heir)
            shown = [self._describe(session) for session in sessions]
            for start in range(0, len(shown), CHUNK):
                more = start + CHUNK < len(shown)
                self._local.others.bequeath(heir, json.dumps(shown[start : start + CHUNK]), more)
            try:
                await asyncio.wait_for(self._emptied.wait(), HEIR_TIMEOUT)
            except asyncio.TimeoutError:
                continue
            return

    def inherit(self, sender: str, sessions: str, more: bool) -> None:
        """Take over the sessions of a process that ends; ``more``: others follow."""
        parts = self._inherited.setdefault(sender, [])
        parts += json.loads(sessions)
        if not more:
            del self._inherited[sender]
            if not self._local.closing:
                self._runtime.spawn(self._inherit(sender, parts))

    async def _inherit(self, sender: str, shown: list[Any]) -> None:
        sessions = [self._read(item) for item in shown]
        sessions = [one for one in sessions if one.pid not in self._waiting.sessions]
        if not sessions:
            return
        others, first = self._local.others, sessions[0]
        arrived = self._expect(sessions)
        try:
            joining = [one for session in sessions for one in self._admit(session)]
            await self._be_in_rooms(joining)
            # Whoever has answered has heard that the sids are rooms here.
            await others.seek(first.namespace, first.pid)
            others.sought(first.namespace, first.pid)
            asked_at = self.position
            pids = [session.pid for session in sessions]
            states, packets, given_at = await others.take(sender, pids, None, True)
            found = json.loads(states) if states else {}
            own: dict[str, list[Kept]] = {}
            for pid, kept in self._kept(packets):
                own.setdefault(pid, []).append(kept)
            floor = found.get("", 0)
            shared = Part(sender, own.get("", []), asked_at, given_at, floor)
            for session in sessions:
                state = found.get(session.pid)
                if state is None:
                    self._waiting.remove(session)
                elif session.pid in self._waiting.sessions:
                    part = shared
                    if state["own"]:
                        part = Part(sender, own.get(session.pid, []), asked_at, given_at)
                    self._settle(session, state, part)
        except BaseException:
            for session in sessions:
                self._waiting.remove(session)
            raise
        finally:
            for session in sessions:
                session.claimed = False
            arrived()
            self._recovery.watch()

    # What both need

    def _expect(self, sessions: list[Session]) -> Any:
        """Note that sessions are on their way here. Call the result when they have come."""
        arrived: asyncio.Future[None] = self._runtime.loop.create_future()
        for session in sessions:
            self._arriving[session.pid] = arrived

        def finish() -> None:
            for session in sessions:
                self._arriving.pop(session.pid, None)
            arrived.set_result(None)

        return finish

    def _admit(self, session: Session) -> list[Awaitable[None]]:
        """Let a session wait here, claimed. Returns what to await: this process is in its rooms."""
        namespace, local = session.namespace, self._local
        rooms: list[Room | None] = [None, *session.rooms]
        new = [room for room in rooms if not self._waiting.awaits(namespace, room)]
        self._waiting.add(session, session.lost_at)
        session.claimed = True
        self._recovery.watch()
        if owner_of(session.sid) == local.node and session.sid in new:
            new.remove(session.sid)
        joining = [local.hold(namespace, room, session.sid) for room in new]
        return [one for one in joining if one is not None]

    async def _be_in_rooms(self, joining: list[Awaitable[None]]) -> None:
        async def wait() -> None:
            for one in joining:
                await one

        if joining:
            await asyncio.wait_for(wait(), JOIN_TIMEOUT)

    def _now(self) -> float:
        now: float = self._runtime.loop.time()
        return now

    # As a Keeper

    @property
    def position(self) -> int:
        """How many packets were kept so far."""
        return self._waiting.log.position

    def show(self, namespace: str, pid: str) -> str:
        """Return a session that waits here; MOVING if it is on its way, else ""."""
        session = self._waiting.find(pid, namespace, self._now())
        if session is None:
            session = self._recovery.connected(pid, namespace)
        if session is not None:
            return json.dumps(self._describe(session))
        return MOVING if pid in self._arriving or pid in self._given else ""

    def give(self, pids: list[str], offset: str | None, all: bool) -> tuple[str, list[list[Any]]]:
        """Give sessions away; see :meth:`~..cluster.ports.Keeper.give`."""
        waiting = self._waiting
        found: dict[str, Any] = {}
        packets: list[list[Any]] = []
        sharing: list[Session] = []
        for pid in pids:
            if not all:
                self._recovery.end_connection(pid)
            session = waiting.sessions.get(pid)
            if session is None or session.claimed:
                continue
            own = not all or session.part is not None
            missed = waiting.missed(session, session.base if all else offset) if own else []
            if missed is None or waiting.too_much(missed):
                waiting.give_up(session, self._recovery.why(missed))
                continue
            packets += [self._to_wire(pid, kept) for kept in missed]
            found[pid] = {
                "data": self._local.encoder.json(session.data),
                "base": session.base if all else offset,
                "start": 0 if own else session.start,
                "own": own,
            }
            if not own:
                sharing.append(session)
            waiting.remove(session)
            waiting.drop_part(session)
        if sharing:
            shared, found[""] = self._shared(sharing)
            packets += [self._to_wire("", kept) for kept in shared]
        if all:
            self._given.update(found)
            self._emptied.set()
        return json.dumps(found), packets

    def _shared(self, sessions: list[Session]) -> tuple[list[Kept], int]:
        """Return what sessions may need of the packets of this process, and up to where not all.

        It is no more than the queue to the other process may hold.
        """
        log, most = self._waiting.log, self._local.settings.max_layer_buffer_size // 2
        since = min(session.lost_at for session in sessions) - self._waiting.window
        first = min(session.start for session in sessions)
        shared = log.since(since, first)
        floor, size = log.floor if log.floor_time > since else 0, 0
        for index in range(len(shared) - 1, -1, -1):
            size += shared[index].weight
            if size > most:
                return shared[index + 1 :], shared[index].position
        return shared, floor

    # Sessions and packets as plain values

    def _describe(self, session: Session) -> dict[str, Any]:
        login = session.login
        return {
            "pid": session.pid,
            "sid": session.sid,
            "namespace": session.namespace,
            "rooms": [[room] if isinstance(room, str) else list(room) for room in session.rooms],
            "user": session.user,
            "login": None if login is None else list(login),
            "age": self._now() - session.lost_at,
        }

    def _read(self, shown: dict[str, Any]) -> Session:
        session = Session(shown["pid"], shown["sid"], shown["namespace"], None, self.position)
        session.rooms = {
            room[0] if len(room) == 1 else UserRoom(*room): 0 for room in shown["rooms"]
        }
        session.user = shown["user"]
        session.login = None if shown["login"] is None else Login(*shown["login"])
        session.lost_at = self._now() - shown["age"]
        return session

    def _to_wire(self, pid: str, kept: Kept) -> list[Any]:
        target = Target(kept.namespace, kept.rooms, kept.exclude).to_wire()
        node, number = kept.origin or (self._local.node, 0)
        age = self._now() - kept.time
        packet = kept.packet
        attachments = list(packet.attachments)
        head = [pid, *target, kept.position, kept.offset, age, kept.compress, node, number]
        return [*head, packet.text, attachments]

    def _kept(self, packets: list[list[Any]]) -> list[tuple[str, Kept]]:
        now = self._now()
        return [
            (
                pid,
                Kept(
                    namespace,
                    position,
                    offset,
                    now - age,
                    *Target.from_wire(namespace, rooms, exclude)[1:3],
                    EncodedPacket(text, tuple(attachments)),
                    compress,
                    (node, number) if number else None,
                ),
            )
            for (
                pid,
                namespace,
                rooms,
                exclude,
                position,
                offset,
                age,
                compress,
                node,
                number,
                text,
                attachments,
            ) in packets
        ]
