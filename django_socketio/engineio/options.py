"""What a session is given when it is made, and what it answers to a transport that probes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import cached_property


@dataclass(frozen=True)
class SessionOptions:
    """The options of a session. Times are in seconds, sizes in bytes.

    ``ping_interval``, ``ping_timeout``, ``upgrade_timeout`` and ``max_payload`` are the options
    pingInterval, pingTimeout, upgradeTimeout and maxHttpBufferSize of the Node server:
    https://socket.io/docs/v4/server-options/#low-level-engine-options

    ``max_packets`` is how many packets the body of one POST may hold. A session whose client reads
    so slowly that more than ``max_write_buffer`` bytes wait is closed; a sender that awaits its
    emits waits while more than ``low_water`` bytes do. ``upgrades`` names the transports to which a
    polling session may move.
    """

    ping_interval: float = 25
    ping_timeout: float = 20
    upgrade_timeout: float = 10
    max_payload: int = 1_000_000
    max_packets: int = 100_000
    max_write_buffer: int = 16_000_000
    low_water: int = 65_536
    upgrades: tuple[str, ...] = ("websocket",)

    @cached_property
    def ping_grid(self) -> float:
        """Pings fall on multiples of so many seconds, so that many sessions share a timer."""
        return min(1.0, self.ping_interval / 20, self.ping_timeout / 20)

    def next_ping(self, now: float) -> float:
        """Return when to ping after ``now``: after the interval, or up to ``ping_grid`` earlier.

        Never later, so that who is silent for interval and timeout is not taken for alive.
        """
        due = now + self.ping_interval
        return due - due % self.ping_grid

    def handshake(self, sid: str, transport: str) -> str:
        """Return the data of the OPEN packet, as JSON text.

        ``sid`` must hold no character that JSON escapes. See "Handshake" of the protocol:
        https://socket.io/docs/v4/engine-io-protocol/#handshake
        """
        upgrades = self._upgrades if transport == "polling" else "[]"
        return f'{{"sid":"{sid}","upgrades":{upgrades},{self._intervals}}}'

    @cached_property
    def _upgrades(self) -> str:
        return json.dumps(self.upgrades, separators=(",", ":"))

    @cached_property
    def _intervals(self) -> str:
        return (
            f'"pingInterval":{round(self.ping_interval * 1000)},'
            f'"pingTimeout":{round(self.ping_timeout * 1000)},"maxPayload":{self.max_payload}'
        )


class Probe(Enum):
    """What the owner does next with the WebSocket that probes.

    See "Upgrade" of the protocol: https://socket.io/docs/v4/engine-io-protocol/#upgrade
    """

    PONG = "send the probe's pong"
    UPGRADED = "it is the session's transport now"
    REFUSED = "close it, the session stays where it is"
