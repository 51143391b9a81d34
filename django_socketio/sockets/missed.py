"""The packets that clients may have to be sent again, each once for all of them. Without I/O.

A packet that is kept gets an *offset*, a text that goes to clients as the last argument of the
event. A client that comes again says which one it has seen last. As the session-aware adapter of
https://socket.io/docs/v4/connection-state-recovery; docs/recovery.md says what is different.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from ..addressing.rooms import Room
from ..addressing.target import Target
from ..packets import EncodedPacket

# What a packet weighs besides its text, in bytes.
OVERHEAD = 400

# Who has sent a packet, and the number that it gave it; None for one of this process.
Origin = tuple[str, int]


class Kept(NamedTuple):
    """A packet that is kept: ``rooms`` and ``exclude`` say for whom, ``time`` is when it was sent.

    ``packet`` has the offset in it. ``position`` numbers the packets of a process.
    """

    namespace: str
    position: int
    offset: str
    time: float
    rooms: tuple[Room, ...]
    exclude: tuple[Room, ...]
    packet: EncodedPacket
    compress: bool
    origin: Origin | None

    @property
    def weight(self) -> int:
        """About how many bytes this takes."""
        return OVERHEAD + len(self.packet.text) + sum(map(len, self.packet.attachments))


class Missed:
    """The packets of one process, by namespace and in the order in which they were sent.

    ``prefix`` tells the offsets of this process from those of others. ``position`` is that of the
    last packet, ``size`` the weight of all. ``floor`` is the position of the last packet that was
    dropped to make room, and ``floor_time`` when that one was sent.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.position = 0
        self.size = 0
        self.floor, self.floor_time = 0, 0.0
        self._all: deque[Kept] = deque()
        self._by_namespace: dict[str, deque[Kept]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(
        self,
        target: Target,
        packet: EncodedPacket,
        compress: bool,
        origin: Origin | None,
        now: float,
    ) -> Kept:
        """Keep a packet. In what is returned it has its offset."""
        self.position += 1
        offset = self.offset
        stamped = with_offset(packet, offset)
        namespace, rooms, exclude, _ = target
        kept = Kept(
            namespace, self.position, offset, now, rooms, exclude, stamped, compress, origin
        )
        self._all.append(kept)
        self._by_namespace.setdefault(namespace, deque()).append(kept)
        self.size += kept.weight
        return kept

    @property
    def offset(self) -> str:
        """The offset of the last packet."""
        return f"{self._prefix}{self.position:x}"

    def position_of(self, offset: str | None) -> int | None:
        """Return the position that an offset stands for; None for one of another process."""
        position = position_in(self._prefix, offset)
        return None if position is None or position > self.position else position

    def after(self, namespace: str, position: int) -> list[Kept]:
        """Return a namespace's packets behind a position, in order."""
        found: deque[Kept] = deque()
        for kept in reversed(self._by_namespace.get(namespace, ())):
            if kept.position <= position:
                break
            found.appendleft(kept)
        return list(found)

    def since(self, time: float, position: int) -> list[Kept]:
        """Return the packets behind a position, of all namespaces, that were sent since a time."""
        return [kept for kept in self._all if kept.position > position and kept.time >= time]

    def forget_before(self, time: float) -> None:
        """Forget what was sent before a time."""
        while self._all and self._all[0].time < time:
            self._drop()

    def make_room(self, most: int) -> Iterator[Kept]:
        """Drop the oldest packets until all weigh ``most`` bytes at most. Yields each."""
        while self.size > most and self._all:
            kept = self._drop()
            self.floor, self.floor_time = kept.position, kept.time
            yield kept

    def _drop(self) -> Kept:
        kept = self._all.popleft()
        packets = self._by_namespace[kept.namespace]
        packets.popleft()
        if not packets:
            del self._by_namespace[kept.namespace]
        self.size -= kept.weight
        return kept


def position_in(prefix: str, offset: str | None) -> int | None:
    """Return the position of an offset of the process that ``prefix`` names; None for no such."""
    if offset is None or not offset.startswith(prefix):
        return None
    try:
        return int(offset[len(prefix) :], 16)
    except ValueError:
        return None


def with_offset(packet: EncodedPacket, offset: str) -> EncodedPacket:
    """Return an event with an offset as its last argument."""
    return EncodedPacket(f'{packet.text[:-1]},"{offset}"]', packet.attachments)


def can_be_missed(packet: EncodedPacket) -> bool:
    """Return whether a packet is an event without an id; Node keeps no others."""
    return packet.text[0] in "25" and not packet.head


def ends_with_text(packet: EncodedPacket) -> bool:
    """Return whether an event's last argument is a text, which clients take for an offset."""
    return packet.text.endswith('"]')
