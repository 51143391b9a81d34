"""The table of the other processes and their heartbeats. Times are arguments, in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

# How many processes are known at most.
MAX_PEERS = 1000
# The longest that a process may take between two heartbeats, in seconds; it may say more.
LONGEST_INTERVAL = 600.0
# How long the name of a channel may be: twice what Channels allows.
MAX_CHANNEL_LENGTH = 200


class TooManyPeers(Exception):
    """A new process is not added to a table that is full."""


@dataclass
class Peer:
    """Another process: its channel, when it will be taken for dead, when it last said something."""

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
        """Return the ids of all processes in the table."""
        return set(self._peers)

    def channel(self, node: str) -> str | None:
        """Return a process's channel on the layer; None for an unknown process."""
        peer = self._peers.get(node)
        return None if peer is None else peer.channel

    def heartbeat(self, node: str, channel: str, interval: float, now: float) -> bool:
        """Note a heartbeat; the next one is due in ``interval`` seconds. True for a new process.

        Raises TooManyPeers, ValueError for what is no channel's name.
        """
        if len(channel) > MAX_CHANNEL_LENGTH:
            raise ValueError("not a channel's name")
        new = node not in self._peers
        if new and len(self._peers) >= MAX_PEERS:
            raise TooManyPeers
        patience = max(self._timeout, 4 * min(interval, LONGEST_INTERVAL))
        self._peers[node] = Peer(channel, now + patience, now)
        return new

    def note_sign(self, node: str, now: float) -> None:
        """Note that a process has said something, whatever it was."""
        peer = self._peers.get(node)
        if peer is not None:
            peer.sign = now

    def last_sign(self, node: str) -> float:
        """Return when a process last said something; minus infinity for an unknown process."""
        peer = self._peers.get(node)
        return -math.inf if peer is None else peer.sign

    def remove(self, node: str) -> bool:
        """Remove a process that has said goodbye. Returns False for an unknown process."""
        return self._peers.pop(node, None) is not None

    def patience(self, now: float) -> float:
        """Return after how many seconds of silence the next process will be taken for dead."""
        return min((peer.deadline for peer in self._peers.values()), default=math.inf) - now

    def expire(self, now: float, interval: float) -> list[str]:
        """Remove and return the processes that have been silent for too long.

        ``interval`` is how long the caller meant to wait since its last call. When it took much
        longer (this process was stopped, or the machine slept), the others get that time, too.
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
