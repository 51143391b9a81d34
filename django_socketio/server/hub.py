"""The hub of one event loop: it joins the sockets of this process and the other processes.

The state of a hub is touched on its own thread only. Other threads hand their calls over with
:meth:`.Runtime.run`, which keeps their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Any

from .. import process
from ..addressing.delivery import Action, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.headcount import Headcount
from ..addressing.ids import new_node
from ..addressing.outcomes import Answered, Outcome
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..cluster.alone import Alone
from ..cluster.cluster import Cluster
from ..cluster.ports import Others
from ..cluster.presence import Presence
from ..conf import Settings, is_debug
from ..packets import EncodedPacket
from ..runtime.awaitables import DONE, Several
from ..runtime.runtime import Runtime
from ..sockets.client import Client
from ..sockets.clients import Clients
from ..sockets.local import Local
from ..sockets.members import LocalMembers
from ..sockets.recovery import Recovery
from ..sockets.socket import Socket
from .registry import family_of, find_behaviour
from .shutdown import Shutdown
from .user_signals import UserSignals
from .watching import Watcher
from .wiring import Record, Wiring


class Hub:
    """See the module's docstring. It is made on its loop's thread.

    ``layer`` is the channel layer that processes share, None without one. ``serves`` is False in a
    process that has no clients: it listens to the others only when it first asks them something.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: Settings,
        layer: Any = None,
        serves: bool = True,
        wiring: Wiring = Wiring(),  # noqa: B008 - it cannot be changed
    ) -> None:
        self.serves = serves
        self.settings = settings
        # The id of this process; each id of a session or socket that it makes begins with it.
        self.node = new_node()
        self.runtime = Runtime(loop, settings)
        self.others: Others = Alone(self.node, self.runtime)
        self.local: Local[Socket] = Local(self.runtime, settings, self.node, self.others)
        self.local.family_of = family_of
        self.members = LocalMembers(self.local)
        if settings.recovery is not None and serves:
            self.members = Recovery(self.local, settings.recovery).members
        find = (
            Watcher(self.runtime, find_behaviour).find if serves and is_debug() else find_behaviour
        )
        self.clients: Clients[Client] = Clients(self.local, find)
        if wiring.report is not None:
            self.members.report = partial(wiring.report, self)
        if layer is not None:
            cluster = Cluster(self.runtime, settings, layer, self.node, self.members, wiring.accept)
            self.others = self.local.others = cluster
            if self.local.recovery is not None:
                cluster.keep_with(self.local.recovery.handover)
            cluster.start(listen=serves)
        elif serves and process.wanted()[1] > 1:
            self.runtime.log.warning(
                "%s asks for %d processes, but CHANNEL_LAYERS has no layer that reaches them: most "
                "requests get “Session ID unknown”; set it to "
                "channels_redis.pubsub.RedisPubSubChannelLayer",
                *process.wanted(),
            )
        if settings.presence and serves:
            presence = Presence(
                self.runtime,
                settings,
                self.node,
                UserSignals(self.runtime).send,
                lambda: self.local.closing,
            )
            self.local.watch = presence
            self.others.take_part(presence)
        self.record: Record | None = None if wiring.record is None else wiring.record(self)
        self.shutdown = Shutdown(self.local, self.clients, self.others, self.record)

    # What operators do, in this process and in the others

    def emit(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> Awaitable[Any]:
        """Send a packet to the target's sockets. Returns an awaitable: it is handed over."""
        written = self.members.deliver(target, packet, delivery)
        taken = None if target.local else self.others.emit(target, packet, delivery)
        if taken is None:
            return written
        return taken if written is DONE else Several([written, taken])

    def act(self, target: Target, action: Action, rooms: list[Room]) -> Awaitable[Any]:
        """Make the target's sockets join or leave ``rooms``, or end their connections."""
        self.members.act(target, action, rooms)
        taken = None if target.local else self.others.act(target, action, rooms)
        return taken or DONE

    def log_out(self, logins: list[str], user: str) -> Awaitable[Any]:
        """End the connections of logins, and of a user where ``user`` is not ""; see Logins."""
        self.members.log_out(logins, user)
        return self.others.log_out(logins, user) or DONE

    async def fetch(self, target: Target) -> tuple[list[SocketDescription], set[str]]:
        """Describe the target's sockets; the set holds the processes that did not answer."""
        found = self.members.describe(target)
        if target.local:
            return found, set()
        elsewhere, silent = await self.others.fetch(target)
        return found + elsewhere, silent

    async def count(self, target: Target, users: bool) -> Headcount:
        """Count the target's sockets; with ``users`` say whose they are."""
        found = self.members.count(target, users)
        return found if target.local else found.and_also(await self.others.count(target, users))

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        answered: Answered | None = None,
    ) -> Outcome:
        """Ask the target's clients, with an event that was encoded with the id 0.

        ``timeout`` is in seconds. ``answered`` gets each sid and answer as it comes, in place of
        the outcome.
        """
        here = self.members.ask(target, packet, delivery, timeout, answered=answered)
        if target.local or not self.others.shared:
            return await here
        elsewhere = self.others.ask(target, packet, delivery, timeout, answered)
        outcomes = await asyncio.gather(here, elsewhere)
        return outcomes[0] + outcomes[1]
