"""Which other processes are there: a table of heartbeats. Times come in as arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Peer:
    """Another process: its channel, until when it is believed to live, its last sign of life."""

    channel: str
    deadline: float
    sign: float


class Peers:
    """The other processes by their id."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._peers: dict[str, Peer] = {}
        self._checked: float | None = None

    def __contains__(self, node: str) -> bool:
        return node in self._peers

    def __len__(self) -> int:
        return len(self._peers)

    def nodes(self) -> set[str]:
        """The ids of those that live."""
        return set(self._peers)

    def channel(self, node: str) -> str | None:
        """A peer's channel on the layer, None for an unknown one."""
        peer = self._peers.get(node)
        return None if peer is None else peer.channel

    def heard(self, node: str, channel: str, interval: float, now: float) -> bool:
        """A heartbeat has come, the next is due in ``interval`` seconds. True for a new peer."""
        new = node not in self._peers
        self._peers[node] = Peer(channel, now + max(self._timeout, 4 * interval), now)
        return new

    def sign(self, node: str, now: float) -> None:
        """A peer has said something."""
        peer = self._peers.get(node)
        if peer is not None:
            peer.sign = now

    def last_sign(self, node: str) -> float:
        """When a peer last said something; minus infinity for an unknown one."""
        peer = self._peers.get(node)
        return -math.inf if peer is None else peer.sign

    def left(self, node: str) -> bool:
        """A peer has said goodbye. False for an unknown one."""
        return self._peers.pop(node, None) is not None

    def patience(self, now: float) -> float:
        """In how many seconds the first of them will have been silent for too long."""
        return min((peer.deadline for peer in self._peers.values()), default=math.inf) - now

    def expire(self, now: float, interval: float) -> list[str]:
        """Forget and return those that have been silent for too long; asked after ``interval`` s.

        When this process itself has not run for a while (it was stopped, or the machine slept), the
        others get the time that it has missed.
        """
        slept = 0.0 if self._checked is None else now - self._checked - interval
        self._checked = now
        if slept > self._timeout / 2:
            for peer in self._peers.values():
                peer.deadline += slept
            return []
        dead = [node for node, peer in self._peers.items() if now > peer.deadline]
        for node in dead:
            del self._peers[node]
        return dead
