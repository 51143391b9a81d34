"""One Engine.IO session as a state machine: packets and the time in, packets and data out.

Implements the server's side of the Engine.IO protocol, revision 4:
https://socket.io/docs/v4/engine-io-protocol/#handshake, #heartbeat, #upgrade. Times are seconds of
any monotonic clock.

The owner of a session (a client with its transports)

* hands in what arrives with :meth:`Session.receive`, :meth:`Session.receive_payload` and, for a
  WebSocket that wants to take over, :meth:`Session.receive_probe`, and gets the messages back;
* puts packets in with :meth:`Session.send`, and takes them out with :meth:`Session.take` when its
  transport can write; while ``direct`` is true it may write a frame at once, past the buffer;
* calls :meth:`Session.tick` at ``next_ping``, then at the time that the last call of it returned;
* calls :meth:`Session.grant_time` with the first packet after a ping, while ``expectant`` is true;
* looks at ``state`` and ``close_reason`` after each of these calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import EngineIOError
from .options import Probe, SessionOptions
from .packets import (
    CLOSE,
    PING,
    Frame,
    PacketType,
    decode_packet,
    encode_payload,
    split_payload,
)
from .reasons import Reason
from .states import CLOSED, CLOSING, OPEN, SessionState

# Nearly every packet is one of these. Python finds a global faster than an attribute of a class.
MESSAGE, PONG = PacketType.MESSAGE, PacketType.PONG

# A closing session waits this many seconds for the poll that fetches its last packets, as in Node.
CLOSE_TIMEOUT = 30.0


class Session:
    """See the module's docstring.

    ``transport`` is "polling" or "websocket". ``close_reason`` says why the session ended;
    ``detail`` says more for the log, "" where there is nothing to say. ``revision`` is that of the
    protocol; ``takes_binary_bodies`` says whether a POST may have a body of bytes.
    """

    __slots__ = (
        "_awaiting_pong",
        "_deadline_close",
        "_deadline_upgrade",
        "_ping_deadline",
        "_unheard_at_ping",
        "buffer",
        "buffered",
        "bytes_in",
        "bytes_out",
        "close_reason",
        "detail",
        "direct",
        "expectant",
        "next_ping",
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

    revision = "4"
    takes_binary_bodies = False

    def __init__(self, sid: str, options: SessionOptions, transport: str, now: float) -> None:
        self.sid = sid
        self.options = options
        self.transport = transport
        self.state: SessionState = OPEN
        self.close_reason: Reason | None = None
        self.detail = ""
        # The frames that wait for the transport, and their size. Even an empty deque is large,
        # so an idle session has a tuple.
        self.buffer: deque[Frame] | tuple[()] = ()
        self.buffered = 0
        # Whether the transport can write now, and whether it may write past the (empty) buffer.
        self.writable = False
        self.direct = False
        # Bytes written since the client last proved that it reads, and those of them that were
        # written before the last ping: see ping(). The owner counts what it writes past the buffer.
        self.unheard = 0
        self._unheard_at_ping = 0
        self.unheard_mark = options.max_write_buffer // 4
        # Engine.IO packets in, Socket.IO packets out, bytes both ways. The owner counts packets_out
        # and bytes_in; bytes_out does not hold what is unheard yet, see sent_bytes.
        self.packets_in = 0
        self.packets_out = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.upgrading = False
        self.probed = False
        # The owner sets it while it does not read, until :meth:`resume`: then silence is not the
        # client's fault.
        self.paused = False
        # Whether a ping is out and nothing has come since: then the next packet gives the client
        # more time for its pong, once.
        self.expectant = False
        self._awaiting_pong = False
        self.next_ping = options.next_ping(now)
        self._ping_deadline = 0.0
        self._deadline_upgrade = 0.0
        self._deadline_close = 0.0
        self._enqueue(Frame(PacketType.OPEN + options.handshake(sid, transport)))

    # What arrives

    def receive(self, packet: str | bytes) -> str | bytes | None:
        """Take one packet from the session's transport.

        Returns the data of a MESSAGE packet (text or bytes), None for any other. A packet that
        breaks the protocol ends the session.
        """
        if self.state is not OPEN:
            return None
        self.packets_in += 1
        if isinstance(packet, bytes):
            return packet
        kind = packet[:1]
        if kind == MESSAGE:
            return packet[1:]
        if kind == PONG:
            if self._awaiting_pong:
                # Only a PONG proves that the client has read what was written before the ping.
                self._awaiting_pong = self.expectant = False
                self.bytes_out += self._unheard_at_ping
                self.unheard -= self._unheard_at_ping
                self.unheard_mark = self.options.max_write_buffer // 4
        elif kind == "b":
            try:
                return decode_packet(packet)
            except EngineIOError as error:
                self.abort(Reason.PARSE_ERROR, str(error))
        elif kind == PacketType.CLOSE:
            self.abort(Reason.TRANSPORT_CLOSE)
        elif kind == PacketType.PING:
            self.abort(Reason.TRANSPORT_ERROR, "a client must not ping")
        elif kind not in (PacketType.OPEN, PacketType.UPGRADE, PacketType.NOOP):
            self.abort(Reason.PARSE_ERROR, "unknown packet type")
        return None

    def receive_payload(self, payload: Any) -> Iterator[str | bytes | None]:
        """Take the body of a POST (text), a packet with each step of the iterator.

        Yields what :meth:`receive` returns. Packets behind one that ends the session are dropped.
        """
        try:
            self.bytes_in += len(payload)
            packets = split_payload(payload, self.options.max_packets)
        except EngineIOError as error:
            self.abort(Reason.PARSE_ERROR, str(error))
            return
        for packet in packets:
            yield self.receive(packet)
            if self.state is not OPEN:
                return

    def heard(self) -> None:
        """Note that the client has read everything that was written: it polls again."""
        self.bytes_out += self.unheard
        self.unheard = self._unheard_at_ping = 0

    @property
    def sent_bytes(self) -> int:
        """How many bytes (of text, characters) were written so far."""
        return self.bytes_out + self.unheard

    # What leaves

    def send(self, frame: Frame) -> bool:
        """Put a frame into the buffer. Returns whether the owner should flush now.

        A session that is not open drops the frame. Past ``max_write_buffer`` the session ends.
        """
        if self.state is not OPEN:
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
        """Whether so much was written without an answer that the owner should call :meth:`ping`.

        Polling clients need no ping: each poll proves that they have read the one before.
        """
        return self.unheard > self.unheard_mark and self.transport == "websocket"

    def ping(self, now: float) -> Frame | None:
        """Ask the client to prove that it reads, or end the session.

        Returns the PING to write, None where one is under way or the session has ended. An ASGI
        server that never waits for its clients (daphne) keeps in memory what a client does not
        read. So a ping follows a quarter of ``max_write_buffer`` bytes without an answer, and the
        end follows ``max_write_buffer`` bytes. The answer may stand behind much data; it is due
        when that to the next ping would be.
        """
        if self.unheard_mark == self.options.max_write_buffer:
            self.overflow()
            return None
        self.unheard_mark = self.options.max_write_buffer
        if self._awaiting_pong:
            return None
        self._expect_pong(max(now, self.next_ping))
        return PING

    def _expect_pong(self, since: float) -> None:
        self._awaiting_pong = self.expectant = True
        self._unheard_at_ping = self.unheard
        self._ping_deadline = since + self.options.ping_timeout

    def overflow(self) -> None:
        """End a session whose client does not read."""
        self.abort(Reason.TRANSPORT_ERROR, "slow client")

    def take(self) -> list[Frame]:
        """Remove and return all frames that wait, in order; none while nothing can be written."""
        if not self.writable or not self.buffer:
            return []
        frames = list(self.buffer)
        self.buffer = ()
        self.unheard += self.buffered
        self.buffered = 0
        if len(frames) > 1 and frames[-1] is CLOSE:
            # CLOSE goes alone, as in Node: clients act on it before the packets in front of it.
            self._enqueue(frames.pop())
        return frames

    def encode_payload(self, frames: Iterable[Frame]) -> str | bytes:
        """Return the body of an answer to a poll that holds ``frames``."""
        return encode_payload(frames)

    def take_one(self) -> Frame | None:
        """Remove and return the first frame that waits, None where none does."""
        if not self.buffer:
            return None
        frame = self.buffer.popleft()
        if not self.buffer:
            self.buffer = ()
        self.buffered -= frame.size
        self.unheard += frame.size
        return frame

    def set_writable(self, writable: bool) -> None:
        """Say whether the transport can write now."""
        self.writable = writable
        self.direct = (
            writable and not self.buffer and self.transport == "websocket" and self.state is OPEN
        )

    # Upgrade

    def start_upgrade(self, now: float) -> bool:
        """Let a WebSocket try to take over. Returns whether it may."""
        if self.state is not OPEN or self.upgrading or self.transport != "polling":
            return False
        self.upgrading = True
        self._deadline_upgrade = now + self.options.upgrade_timeout
        return True

    def receive_probe(self, packet: str | bytes) -> Probe:
        """Take a packet from the WebSocket that probes. Returns what to do with it next."""
        if self.state is not CLOSED and self.upgrading:
            # The pong makes a client stop polling, but a CLOSING session waits for its next poll.
            if packet == PacketType.PING + "probe" and self.state is OPEN:
                self.probed = True
                return Probe.PONG
            if isinstance(packet, str) and packet[:1] == PacketType.UPGRADE:
                self.upgrading = self.probed = False
                self.transport = "websocket"
                self.set_writable(False)
                if self.buffer and self.buffer[-1] is CLOSE:
                    # Over a WebSocket the end of the connection stands in for CLOSE.
                    self.buffered -= self.buffer.pop().size
                self.heard()
                return Probe.UPGRADED
        self.cancel_upgrade()
        return Probe.REFUSED

    def cancel_upgrade(self) -> None:
        """Stop the upgrade; the session keeps its transport."""
        self.upgrading = self.probed = False

    # Time and end

    def grant_time(self, now: float) -> None:
        """Count the ping timeout anew: the client's pong may stand behind what it sends.

        As in Node the first packet after a ping does so, and no other.
        """
        self.expectant = False
        self._ping_deadline = max(self._ping_deadline, now + self.options.ping_timeout)

    def resume(self, now: float) -> None:
        """Note that what the client sends is read again, after it was ``paused``."""
        self.paused = False
        self.grant_time(now)

    def overdue(self, now: float) -> bool:
        """Whether the time for a pong is over, even if :meth:`tick` has not been called yet."""
        if not self._awaiting_pong or now < self._ping_deadline:
            return False
        return self.state is OPEN and not self.paused

    def tick(self, now: float) -> float | None:
        """Do what is due: a ping, the timeouts of ping and upgrade, the end of closing.

        Returns the time of the next call, None for a closed session.
        """
        if self.state is CLOSED:
            return None
        if self.state is CLOSING:
            if now >= self._deadline_close:
                self.abort(Reason.FORCED_CLOSE)
                return None
            return self._deadline_close
        if self.upgrading and now >= self._deadline_upgrade:
            self.cancel_upgrade()
        if self.overdue(now):
            self.abort(Reason.PING_TIMEOUT)
            return None
        if now >= self.next_ping and not self._awaiting_pong:
            self._expect_pong(now)
            self.next_ping = self.options.next_ping(now)
            self._enqueue(PING)
        due = self.next_ping
        if self._awaiting_pong:
            deadline = now + self.options.ping_timeout if self.paused else self._ping_deadline
            due = deadline if due <= now else min(due, deadline)
        return min(due, self._deadline_upgrade) if self.upgrading else due

    def abort(self, reason: Reason, detail: str = "") -> None:
        """End the session at once, and drop what waits in the buffer."""
        if self.state is CLOSED:
            return
        if self.close_reason is None:
            self.close_reason = reason
            self.detail = detail
        self.state = CLOSED
        self.direct = False
        self.cancel_upgrade()
        self.buffer = ()
        self.buffered = 0

    def close(self, reason: Reason, now: float) -> None:
        """End the session in an orderly way: what waits in the buffer still goes out.

        Over polling a CLOSE packet follows it; the poll that waits or the next one fetches them,
        within :data:`CLOSE_TIMEOUT` seconds. Once :attr:`drained`, the owner calls :meth:`abort`.
        """
        if self.state is not OPEN:
            return
        self.close_reason = reason
        if self.transport == "polling":
            self._enqueue(CLOSE)
        self.state = CLOSING
        self.direct = False
        self._deadline_close = now + CLOSE_TIMEOUT

    @property
    def drained(self) -> bool:
        """Whether the session is closing and has nothing left to send."""
        return self.state is CLOSING and not self.buffer
