"""The clients of an event loop, by session id."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ..addressing.addresses import network_of
from ..addressing.handshake import address_of
from ..engineio import ErrorCode, HandshakeRefused, Reason, Session
from ..packets import PacketError, PacketLimitExceeded
from ..runtime.timers import Wheel
from ..stats import counters
from .behaviour import Behaviour
from .local import Local
from .logins import HasLogin
from .places import TOO_MANY, Bounds, Crowded, Place, Places

DISMISSED = "a session without a namespace gave way to another"
OVERDUE = "too many sessions that are over wait for a poll"
TOO_MANY_REFUSALS = "too many refused CONNECTs"
TOO_MANY_REFUSALS_OF_ADDRESS = "too many refused CONNECTs from one address"

# Finds what serves a namespace, with what its name captured; None for an unknown one.
Find = Callable[[str], "tuple[Behaviour, dict[str, Any]] | None"]


class Kept(HasLogin, Protocol):
    """What is kept by the id of its session. ``refusals`` counts its refused CONNECTs."""

    session: Session
    scope: dict[str, Any]
    refusals: int

    def violation(self, error: PacketError) -> None:
        """Close the session: the client has broken the protocol."""

    def close(self, reason: Reason) -> None:
        """End the connection in an orderly way."""

    def abort(self, reason: Reason) -> None:
        """End the connection at once."""

    def tick(self, now: float) -> float | None:
        """Do what is due."""


C = TypeVar("C", bound=Kept)


class Clients(dict[str, C]):
    """The clients of an event loop by session id, and what they share.

    ``places`` are those for sessions that have not joined a namespace yet.
    """

    def __init__(self, local: Local[Any], find: Find) -> None:
        super().__init__()
        self.local = local
        self.find = find
        settings = self.settings = local.settings
        bounds = Bounds(
            settings.max_pending_sessions,
            settings.max_pending_sessions_per_address,
            settings.max_handshakes_per_address,
            settings.max_refusals_per_address,
        )
        self.places: Places[C] = Places(bounds, self._dismiss)
        shortest = min(settings.ping_interval, settings.ping_timeout, settings.connect_timeout)
        # Much finer than the grid of pings: who does not answer is noticed at once.
        self.wheel = Wheel(local.runtime.loop, min(1.0, shortest / 20) / 20)
        # Sessions that are over and wait for a poll to say so, the oldest first.
        self._closing: OrderedDict[C, None] = OrderedDict()
        # Set when the last client has gone while the process ends.
        self._empty = asyncio.Event()

    @property
    def pending(self) -> int:
        """How many sessions have joined no namespace yet, those that are still to be made too."""
        return self.places.taken

    def add(self, client: C) -> None:
        """Keep a new client."""
        self[client.session.sid] = client
        self.local.logins.add(client)

    def reserve(self, scope: dict[str, Any]) -> Place[C]:
        """Reserve a place for a handshake. Raises HandshakeRefused if there is none."""
        address = address_of(scope)
        try:
            return self.places.reserve(network_of(address), self.local.runtime.loop.time())
        except Crowded as crowded:
            self._report(crowded.reason, address)
            # 503 counts as a failure of ours: proxies take a server out of use that has too many.
            status = 503 if crowded.reason == TOO_MANY else 429
            raise HandshakeRefused(ErrorCode.BAD_REQUEST, status, crowded.reason) from None

    def _dismiss(self, client: C) -> None:
        """End the session of a client that has to give up its place; it may come again."""
        self._report(DISMISSED, address_of(client.scope))
        # A closing session would be kept until its client polls.
        client.abort(Reason.SERVER_CLOSE)

    def refused(self, client: C) -> None:
        """Count a refused CONNECT. Closes the client's session if there are too many."""
        client.refusals += 1
        address = address_of(client.scope)
        if client.refusals > self.settings.max_refusals:
            client.violation(PacketLimitExceeded(TOO_MANY_REFUSALS))
        elif not self.places.refused(network_of(address), self.local.runtime.loop.time()):
            self._report(TOO_MANY_REFUSALS_OF_ADDRESS, address)
            client.close(Reason.SERVER_CLOSE)

    def _report(self, reason: str, address: str) -> None:
        """Count what has hit a limit, and log it once per burst."""
        counters.limits.add(reason)
        self.local.runtime.log.warning("%s: %s", reason, address or "no address", kind=reason)

    def living(self, sid: str) -> C | None:
        """Return the client with a session id, None for an unknown one.

        One whose time for a pong has run out ends here, even if its timer comes a little later.
        """
        client = self.get(sid)
        if client is not None and client.session.overdue(now := self.local.runtime.loop.time()):
            client.tick(now)
            return None
        return client

    def wait_for_poll(self, client: C) -> None:
        """Keep a client whose session is over until it polls; it never may, so not too many."""
        self._closing[client] = None
        if len(self._closing) > self.settings.max_pending_sessions:
            oldest = next(iter(self._closing))
            self._report(OVERDUE, address_of(oldest.scope))
            oldest.abort(Reason.FORCED_CLOSE)

    def forget(self, client: C) -> bool:
        """Forget a client whose session is over. Returns False when it was forgotten before."""
        self._closing.pop(client, None)
        known = self.pop(client.session.sid, None) is not None
        if known:
            self.local.logins.remove(client)
        if self.local.closing and not self:
            self._empty.set()
        return known

    async def wait_until_empty(self) -> None:
        """Wait until the last client has gone. Only for a process that ends."""
        if self:
            await self._empty.wait()

    @property
    def upgrading(self) -> bool:
        """Whether a client is upgrading from polling to WebSocket."""
        return any(client.session.probed for client in list(self.values()))
