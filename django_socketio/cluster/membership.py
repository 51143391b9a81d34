"""Which processes there are: greetings, heartbeats, goodbyes, and what follows when one is gone.

:mod:`.peers` is the table; this module keeps it up to date.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..conf import Settings
from ..logs import logger, safe
from ..runtime.patience import Patience
from ..runtime.runtime import Runtime
from ..stats import counters
from .bus import Bus
from .messages import CARRIED, EVERYONE, Kind
from .peers import Peers, TooManyPeers
from .progress import Milestone
from .tunnels import Tunnels
from .visits import Visits

# Seconds that the others get to answer our first greeting, before all of them are asked something.
SETTLE_TIME = 0.3
# How often a process greets that does not hear itself.
GREETINGS = 3
# Seconds that a process which we do not know yet gets to become known.
MEETING_TIME = 0.8
# Seconds that a new client waits at most until our first greeting is sent.
GREETING_TIME = 1.0
# The shortest pause, in seconds, between two checks for processes that have been silent too long.
LEAST_PAUSE = 0.01
# How many processes that were taken for dead are remembered.
REMEMBERED = 10_000


class Membership:
    """See the module's docstring.

    ``departed`` is called with each process that has said goodbye or is taken for dead.
    ``refresh`` is after how many seconds the layer forgets groups; None for never.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        bus: Bus,
        peers: Peers,
        departed: Callable[[str], None],
        refresh: float | None,
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._bus = bus
        self._peers = peers
        self._departed = departed
        self._refresh = refresh
        # Called with each process that becomes known.
        self.joined: Callable[[str], None] = _ignore
        self.tunnels: Tunnels
        self.visits: Visits
        # The last heartbeat, and the processes that we had tunnels with when it was sent.
        self._said: Milestone | None = None
        self._tunnelled: set[str] = set()
        self._settled = asyncio.Event()
        # Set when our greeting is sent, or when that takes too long.
        self._greeted = asyncio.Event()
        # True until the others have had time to answer our greeting.
        self._new = True
        # Set whenever a process becomes known.
        self._met = asyncio.Event()
        # The last processes that were taken for dead; some may come back.
        self._given_up: dict[str, None] = {}
        self._heart: asyncio.Task[None] | None = None
        self._stopped = False
        # For how many seconds our own heartbeats may fail to come back; less than the others wait.
        self._patience = settings.heartbeat_timeout / 4
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.HELLO: self._on_hello,
            Kind.BYE: self._on_bye,
            Kind.PULSE: self._on_pulse,
            Kind.STRANGER: self._on_stranger,
        }

    # Life

    @property
    def listening(self) -> bool:
        """Whether the others can reach this process."""
        return self._heart is not None

    def listen(self) -> None:
        """Let the others reach this process, and tell them so."""
        if self._heart is None:
            self._bus.listen()
            self._heart = self._runtime.loop.create_task(self._beat())
            self._runtime.loop.call_later(GREETING_TIME, self._greeted.set)

    def say_goodbye(self) -> None:
        """Tell the others that this process ends."""
        self._stopped = True
        if self._heart is not None:
            self._heart.cancel()
            self._bus.to_group(EVERYONE, [Kind.BYE])
            self._bus.leave(EVERYONE)

    @property
    def interval(self) -> float:
        """Seconds between heartbeats; longer among many, so that they stay cheap."""
        return max(self._settings.heartbeat_interval, len(self._peers) / 20)

    # Waiting for others

    async def settled(self) -> None:
        """Wait until the others have had time to answer the first greeting."""
        if not self._settled.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), 1.0 + SETTLE_TIME)

    async def greeted(self) -> None:
        """Wait until the others know this process, since a client's next request may reach them.

        Waits for a second at most, as when the layer is down.
        """
        await self._greeted.wait()

    async def meet(self, node: str) -> bool:
        """Return whether a process is known, or becomes known within a moment.

        A new process greets before it serves, so its greeting arrives before our echo does. If this
        process is itself new, the other gets a moment to answer our greeting.
        """
        if node in self._peers:
            return True
        patience = Patience(MEETING_TIME)
        echo = self._bus.echo() if self._bus.up else None
        while node not in self._peers and echo is not None and not echo.done and patience:
            await patience.wait(echo)
        while node not in self._peers and self._new and patience:
            self._met.clear()
            await patience.wait(self._met.wait())
        return node in self._peers

    def successor(self) -> str | None:
        """Return a process that may take a new client in place of this one, which ends."""
        nodes = [] if self._stopped else list(self._peers.nodes())
        return random.choice(nodes) if nodes else None  # noqa: S311 - any will do

    # Heartbeats

    async def _beat(self) -> None:
        """Send a heartbeat every few seconds, and look for processes that send none."""
        loop = self._runtime.loop
        await self._greet()
        refreshed = due = loop.time()
        echo: Milestone | None = None
        while True:
            interval = self.interval
            asleep = loop.time()
            if due <= asleep:
                due = asleep + interval
            # Wake for the next heartbeat, or earlier if a process will be taken for dead by then.
            pause = max(min(due - asleep, self._peers.patience(asleep)), LEAST_PAUSE)
            await asyncio.sleep(pause)
            now = loop.time()
            self._notice_the_dead(now, pause, now - asleep - pause)
            if now < due:
                continue
            if echo is None:
                echo = self._bus.echo()
            elif echo.done:
                self._new = False
            if self._said is None or self._said.done:
                self._say_that_we_live()
            refreshed = self._join_again(now, refreshed, interval)

    async def _greet(self) -> None:
        await self._bus.join(EVERYONE)
        self._bus.echoed_at = self._runtime.loop.time()
        greeting = self._hello(wanted=True)
        self._bus.mending.say_where_we_stand()
        await greeting
        self._greeted.set()
        await self._greet_until_heard()
        await asyncio.sleep(SETTLE_TIME)
        self._settled.set()

    async def _greet_until_heard(self) -> None:
        """Greet again while our own messages do not come back: then no answer does, either.

        A layer may need a moment before it hears what is sent, as channels_postgres does.
        """
        for _ in range(GREETINGS):
            echo, patience = self._bus.echo(), Patience(SETTLE_TIME)
            while echo is not None and not echo.done and patience:
                await patience.wait(echo)
            if echo is None or echo.done:
                return
            self._hello(wanted=True)

    def _notice_the_dead(self, now: float, pause: float, overslept: float) -> None:
        if overslept > self._settings.heartbeat_timeout:
            logger.warning("this process was stopped for %.0f s", overslept + pause)
            self.tunnels.break_all_tunnels()
        for node in self._peers.expire(now, pause):
            text = "process %s has not been heard of and is taken for dead"
            self._runtime.log.warning(text, node, kind=safe(node))
            self._departed(node)
            self._given_up[node] = None
            if len(self._given_up) > REMEMBERED:
                del self._given_up[next(iter(self._given_up))]

    def _say_that_we_live(self) -> None:
        self._said = self._hello(wanted=False)
        self._bus.mending.say_where_we_stand()
        self._tunnelled = self.tunnels.nodes()
        for node in self._tunnelled:
            self._pulse(node, wanted=True)
        self.visits.repeat()

    def _join_again(self, now: float, refreshed: float, interval: float) -> float:
        """Join all groups again if the layer may have lost them. Returns when that was done."""
        bus = self._bus
        if self._refresh is not None and now - refreshed > self._refresh / 3:
            bus.rejoin()
            return now
        if bus.up and now - bus.echoed_at > max(1.5 * interval, self._patience):
            # The layer works, but our own heartbeats do not come back: it has lost its groups.
            bus.echoed_at = now
            counters.layer.add("rejoined")
            bus.rejoin()
        return refreshed

    def _hello(self, wanted: bool) -> Milestone:
        return self._bus.to_group(EVERYONE, self._greeting(wanted))

    def _greeting(self, wanted: bool) -> list[Any]:
        return [Kind.HELLO, self._bus.channel or "", self.interval, wanted]

    def _to(self, node: str, operation: list[Any]) -> None:
        channel = self._peers.channel(node)
        if channel is not None:
            self._bus.to_channel(channel, operation)

    def _pulse(self, node: str, wanted: bool) -> None:
        channel = self._peers.channel(node)
        if channel is not None:
            self._bus.to_channel(channel, [Kind.PULSE, wanted], group=CARRIED)

    # What others say

    def _on_hello(self, sender: str, channel: str, interval: float, wanted: bool) -> None:
        now = self._runtime.loop.time()
        try:
            new = self._peers.heartbeat(sender, channel, interval, now)
        except TooManyPeers:
            counters.layer.add("too many processes")
            self._runtime.log.error("too many processes are on the channel layer")
            return
        if new:
            self._runtime.log.info("process %s has joined", sender)
            self._met.set()
            if sender in self._given_up:
                # This process has broken its tunnels with the other: have it break its ends.
                del self._given_up[sender]
                self._to(sender, [Kind.STRANGER])
        if wanted:
            self._to(sender, self._greeting(wanted=False))
            self._bus.mending.say_where_we_stand_to(channel)
            self.visits.repeat()
        if new:
            self.joined(sender)

    def _on_pulse(self, sender: str, wanted: bool) -> None:
        # A pulse only carries a sequence number. If we have no tunnel with the sender, we send it
        # none by ourselves, and answer instead.
        if wanted and sender not in self._tunnelled:
            self._pulse(sender, wanted=False)

    def _on_stranger(self, sender: str) -> None:
        self.tunnels.break_tunnels(sender)

    def _on_bye(self, sender: str) -> None:
        # The numbers of a process that was taken for dead are kept: they show what was lost.
        self._bus.forget(sender)
        if self._peers.remove(sender):
            self._departed(sender)


def _ignore(node: str) -> None: ...
