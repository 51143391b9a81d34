"""One Engine.IO session as a state machine: packets and the time in, packets and data out.

Implements "Handshake", "Heartbeat", "Upgrade" and "Close" of the Engine.IO protocol, revision 4, as
the server does it. Times are seconds of any monotonic clock and come in as arguments.

The owner of a session (a client with its transports)

* hands in what arrives with :meth:`Session.receive`, :meth:`Session.receive_payload` and, for a
  WebSocket that wants to take over, :meth:`Session.receive_probe`; messages come back;
* puts packets in with :meth:`Session.send`, and takes them out with :meth:`Session.take` when its
  transport can write; ``direct`` says that a frame may be written at once, past the buffer;
* calls :meth:`Session.tick` when the time comes that the last call named;
* looks at ``state`` and ``close_reason`` after each of these.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from .errors import EngineIOError
from .packets import Frame, PacketType, decode_packet, split_payload

PING = Frame(PacketType.PING)
NOOP = Frame(PacketType.NOOP)
CLOSE = Frame(PacketType.CLOSE)
PROBE_PONG = Frame(PacketType.PONG + "probe")

# What nearly every packet is; a global is found faster than an attribute of a class.
MESSAGE, PONG = PacketType.MESSAGE, PacketType.PONG

# How long a closing session waits for the poll that fetches its last packets, as in the Node
# server.
CLOSE_TIMEOUT = 30.0


@dataclass(frozen=True)
class SessionOptions:
    """What a session needs to know. Times in seconds, sizes in bytes."""

    ping_interval: float = 25
    ping_timeout: float = 20
    upgrade_timeout: float = 10
    max_payload: int = 1_000_000
    max_packets: int = 100_000
    max_write_buffer: int = 16_000_000
    low_water: int = 65_536
    upgrades: tuple[str, ...] = ("websocket",)

    def handshake(self, sid: str, transport: str) -> str:
        """The data of the OPEN packet, for an ``sid`` that needs no escapes."""
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
    """What the transport that probes has to do next."""

    PONG = "send the probe's pong"
    UPGRADED = "it is the session's transport now"
    REFUSED = "close it, the session stays where it is"


class Session:
    """See the module's docstring.

    ``transport`` is "polling" or "websocket"; ``state`` "open", "closing" (last packets wait for a
    poll) or "closed"; ``close_reason`` is one of Socket.IO's own strings, ``detail`` says more for
    the log.
    """

    __slots__ = (
        "_asked",
        "_awaiting_pong",
        "_deadline_close",
        "_deadline_upgrade",
        "_next_ping",
        "_ping_deadline",
        "alive",
        "buffer",
        "buffered",
        "bytes_in",
        "bytes_out",
        "close_reason",
        "detail",
        "direct",
        "options",
        "packets_in",
        "packets_out",
        "paused",
        "probed",
        "sid",
        "state",
        "transport",
        "unheard",
        "unheard_mark",
        "upgrading",
        "writable",
    )

    def __init__(self, sid: str, options: SessionOptions, transport: str, now: float) -> None:
        self.sid = sid
        self.options = options
        self.transport = transport
        self.state = "open"
        self.close_reason: str | None = None
        self.detail = ""
        # Frames that wait for the transport, and their size. A deque is large, so an idle session
        # has none.
        self.buffer: deque[Frame] | tuple[()] = ()
        self.buffered = 0
        # Whether the transport can write now, and whether past the (empty) buffer.
        self.writable = False
        self.direct = False
        # Bytes written of which no answer tells that they were read: all we know of where a server
        # never waits (the owner counts those that go past the buffer, and calls ping() where they
        # are above the mark). And as many of them as were written before the last ping.
        self.unheard = 0
        self._asked = 0
        self.unheard_mark = options.max_write_buffer // 4
        # What has gone both ways: Engine.IO packets in, Socket.IO packets out (counted by the
        # owner, as are bytes_in); what is unheard is not in bytes_out yet, see sent_bytes.
        self.packets_in = 0
        self.packets_out = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.upgrading = False
        self.probed = False
        # The owner has stopped reading, so silence is not the client's fault.
        self.paused = False
        # Whether the client has been heard of since it was last asked.
        self.alive = False
        self._awaiting_pong = False
        self._next_ping = now + options.ping_interval
        self._ping_deadline = 0.0
        self._deadline_upgrade = 0.0
        self._deadline_close = 0.0
        self._enqueue(Frame(PacketType.OPEN + options.handshake(sid, transport)))

    # What arrives

    def receive(self, packet: str | bytes) -> str | bytes | None:
        """Take one packet from the session's transport.

        Returns the data of a message (text or bytes), None for anything else. A packet that breaks
        the protocol closes the session.
        """
        if self.state != "open":
            return None
        self.alive = True
        self.packets_in += 1
        if isinstance(packet, bytes):
            return packet
        kind = packet[:1]
        if kind == MESSAGE:
            return packet[1:]
        if kind == PONG:
            if self._awaiting_pong:
                # No other packet tells that the client has read anything.
                self._awaiting_pong = False
                self.bytes_out += self._asked
                self.unheard -= self._asked
                self.unheard_mark = self.options.max_write_buffer // 4
        elif kind == "b":
            try:
                return decode_packet(packet)
            except EngineIOError as error:
                self.close("parse error", str(error))
        elif kind == PacketType.CLOSE:
            self.close("transport close")
        elif kind == PacketType.PING:
            self.close("transport error", "a client must not ping")
        elif kind not in (PacketType.OPEN, PacketType.UPGRADE, PacketType.NOOP):
            self.close("parse error", "unknown packet type")
        return None

    def receive_payload(self, payload: str) -> list[str | bytes]:
        """Take the body of a polling request, return the messages in it.

        The messages before a packet that closes the session still count.
        """
        messages: list[str | bytes] = []
        try:
            self.bytes_in += len(payload)
            packets = split_payload(payload, self.options.max_packets)
        except EngineIOError as error:
            self.close("parse error", str(error))
            return messages
        for packet in packets:
            message = self.receive(packet)
            if message is not None:
                messages.append(message)
            elif self.state != "open":
                break
        return messages

    def heard(self) -> None:
        """The client has shown a sign of life that is no packet (a new poll)."""
        self.alive = True
        self.bytes_out += self.unheard
        self.unheard = self._asked = 0

    @property
    def sent_bytes(self) -> int:
        """Bytes (characters of text) that were written so far."""
        return self.bytes_out + self.unheard

    # What leaves

    def send(self, frame: Frame) -> bool:
        """Put a frame into the buffer. Returns whether the owner should flush now.

        A session that is not open takes nothing. Past ``max_write_buffer`` the session is closed.
        """
        if self.state != "open":
            return False
        self._enqueue(frame)
        if self.buffered + self.unheard > self.options.max_write_buffer:
            self.overflow()
            return False
        return self.writable

    def _enqueue(self, frame: Frame) -> None:
        if isinstance(self.buffer, tuple):
            self.buffer = deque()
        self.buffer.append(frame)
        self.buffered += frame.size
        self.direct = False

    @property
    def suspicious(self) -> bool:
        """So much was written without an answer that the owner should call :meth:`ping`.

        Polling clients need no ping: each poll proves that they are alive.
        """
        return self.unheard > self.unheard_mark and self.transport == "websocket"

    def ping(self, now: float) -> Frame | None:
        """Ask a silent client for a sign of life, with the ping returned, or give it up.

        A server that never waits for its clients (daphne) would keep what a client does not read.
        So a client that takes a quarter of ``max_write_buffer`` is asked for an answer, and at the
        full size without one the session is closed.
        """
        if self.unheard_mark == self.options.max_write_buffer:
            self.overflow()
            return None
        self.unheard_mark = self.options.max_write_buffer
        if self._awaiting_pong:
            return None
        self._awaiting_pong = True
        self._asked = self.unheard
        self.alive = False
        self._ping_deadline = now + self.options.ping_timeout
        return PING

    def overflow(self) -> None:
        """Close a session whose client does not read."""
        self.close("transport error", "slow client")

    def take(self) -> list[Frame]:
        """Everything that waits, in order; empty when nothing does or nothing can be written."""
        if not self.writable or not self.buffer:
            return []
        frames = list(self.buffer)
        self.buffer = ()
        self.unheard += self.buffered
        self.buffered = 0
        if len(frames) > 1 and frames[-1] is CLOSE:
            # By itself, as in Node: clients act on it before they do on the packets ahead of it.
            self._enqueue(frames.pop())
        return frames

    def take_one(self) -> Frame | None:
        """The first frame that waits, for a transport that writes one at a time."""
        if not self.buffer:
            return None
        frame = self.buffer.popleft()
        if not self.buffer:
            self.buffer = ()
        self.buffered -= frame.size
        self.unheard += frame.size
        return frame

    def set_writable(self, writable: bool) -> None:
        """The transport can write now (or no longer)."""
        self.writable = writable
        self.direct = (
            writable and not self.buffer and self.transport == "websocket" and self.state == "open"
        )

    # Upgrade

    def start_upgrade(self, now: float) -> bool:
        """A WebSocket wants to take over. False when one already tries or has done so."""
        if self.state != "open" or self.upgrading or self.transport != "polling":
            return False
        self.upgrading = True
        self._deadline_upgrade = now + self.options.upgrade_timeout
        return True

    def receive_probe(self, packet: str | bytes) -> Probe:
        """Take a packet from the transport that probes."""
        if self.state != "closed" and self.upgrading:
            # Who gets the pong stops to poll: not one whose end waits for its next poll.
            if packet == PacketType.PING + "probe" and self.state == "open":
                self.probed = True
                return Probe.PONG
            if isinstance(packet, str) and packet[:1] == PacketType.UPGRADE:
                self.upgrading = self.probed = False
                self.transport = "websocket"
                self.set_writable(False)
                if self.buffer and self.buffer[-1] is CLOSE:
                    # The end of a WebSocket says as much as this packet.
                    self.buffered -= self.buffer.pop().size
                self.heard()
                return Probe.UPGRADED
        self.cancel_upgrade()
        return Probe.REFUSED

    def cancel_upgrade(self) -> None:
        """The transport that probed has gone; the session goes on where it was."""
        self.upgrading = self.probed = False

    # Time and end

    def tick(self, now: float) -> float | None:
        """Do what is due: ping, ping timeout, upgrade timeout, the end of closing.

        Returns when to call again, None for a closed session.
        """
        if self.state == "closed":
            return None
        if self.state == "closing":
            if now >= self._deadline_close:
                self.close("forced close")
                return None
            return self._deadline_close
        if self.upgrading and now >= self._deadline_upgrade:
            self.cancel_upgrade()
        if self._awaiting_pong:
            due = self._ping_deadline
            if now >= due:
                if not self.alive and not self.paused:
                    self.close("ping timeout")
                    return None
                # Whoever talks is alive; the answer to the ping may stand behind other packets.
                self.alive = False
                due = self._ping_deadline = now + self.options.ping_timeout
        else:
            due = self._next_ping
            if now >= due:
                self.alive = False
                self._awaiting_pong = True
                self._asked = self.unheard
                self._next_ping = now + self.options.ping_interval
                due = self._ping_deadline = now + self.options.ping_timeout
                self._enqueue(PING)
        return min(due, self._deadline_upgrade) if self.upgrading else due

    def close(self, reason: str, detail: str = "") -> None:
        """End the session at once; what waits in the buffer is gone."""
        if self.state == "closed":
            return
        if self.close_reason is None:
            self.close_reason = reason
            self.detail = detail
        self.state = "closed"
        self.direct = False
        self.cancel_upgrade()
        self.buffer = ()
        self.buffered = 0

    def finish(self, reason: str, now: float) -> None:
        """End the session in an orderly way: what waits in the buffer still goes out first.

        Over polling it is followed by a CLOSE packet, and fetched by the poll that waits or the
        next one, for at most 30 seconds. The owner closes a WebSocket when :meth:`drained` says
        so.
        """
        if self.state != "open":
            return
        self.close_reason = reason
        if self.transport == "polling":
            self._enqueue(CLOSE)
        self.state = "closing"
        self.direct = False
        self._deadline_close = now + CLOSE_TIMEOUT

    @property
    def drained(self) -> bool:
        """A closing session has nothing left to send."""
        return self.state == "closing" and not self.buffer
