"""The connection below a WebSocket's messages: who waits for whom, and how it ends.

The close handshake is RFC 6455, 7: https://www.rfc-editor.org/rfc/rfc6455#section-7.
"""

from __future__ import annotations

import asyncio
from typing import Any

from picows import WSListener, WSTransport

from .keepalive import KeepAlive
from .wire import Wire

NO_STATUS, ABNORMAL = 1005, 1006
PROTOCOL_ERROR, NOT_UTF8, TOO_BIG, FAILED, RESTART = 1002, 1007, 1009, 1011, 1012

# The states of a connection. CLOSING: our CLOSE is out, the client's is awaited.
CONNECTING, OPEN, CLOSING, CLOSED = range(4)

# How many seconds a client has to answer our CLOSE, and to read what stands before it.
CLOSE_TIMEOUT = 10.0
# The same where it has broken the rules or the server ends: its answer would change nothing.
LINGER = 1.0


def is_close_code(code: int) -> bool:
    """Return whether a CLOSE frame may hold ``code`` (RFC 6455, 7.4)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


class Link(WSListener):
    """See the module's docstring. It is what picows calls, and asyncio at the beginning and end.

    A subclass takes the frames, and :meth:`ended`, which is called once. ``max_size`` is the
    largest frame and message, in bytes; the intervals are in seconds, see :class:`KeepAlive`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        max_size: int,
        ping_interval: float | None,
        ping_timeout: float | None,
    ) -> None:
        self.loop = loop
        self.transport: Any = None
        self.state = CONNECTING
        # Whether the transport takes more; what is sent meanwhile waits in its buffer.
        self.writable = True
        self.max_size = max_size
        self.keepalive: KeepAlive | None = None
        self._pings = ping_interval, ping_timeout
        # What reads frames, and what writes them: picows' protocol and transport.
        self._wire: Any = None
        self.out: Any = None
        self._writers: list[asyncio.Future[None]] = []
        # For how many reasons reading is paused.
        self._holds = 0
        self._timer: asyncio.TimerHandle | None = None
        self._told = False

    def ended(self, code: int, reason: str) -> None:
        """Take the end of the connection: the close code and reason."""
        raise NotImplementedError

    def open(self, early: bytes) -> None:
        """Begin to read frames. ``early`` are those that came before the acceptance."""
        self.state = OPEN
        self.hold()
        self.new_wire()
        self.keepalive = KeepAlive(
            self.loop,
            *self._pings,
            ping=lambda payload: self.out.send_ping(payload),
            deaf=lambda: self._holds > 0,
            expired=lambda: self.fail(FAILED, "keepalive ping timeout"),
        )
        if early:
            self.loop.call_soon(self._feed, early)
        else:
            self.release()

    def new_wire(self) -> None:
        """Have picows read frames from now on. Reading is paused meanwhile.

        For uvloop looks at the kind of the protocol when it begins to read.
        """
        self._wire = wire = Wire(self.transport, self, self.max_size, self._violated)
        self.out = wire.transport
        self.transport.set_protocol(wire)

    def _feed(self, early: bytes) -> None:
        if self.state is OPEN:
            self._wire.feed(early)
        self.release()

    def hold(self) -> None:
        """Stop reading, until :meth:`release` is called as often as this."""
        if self.state is OPEN:
            self._holds += 1
            if self._holds == 1 and not self.transport.is_closing():
                self.transport.pause_reading()

    def release(self) -> None:
        """Undo one :meth:`hold`."""
        if self.state is OPEN:
            self._holds -= 1
            if self._holds == 0:
                self._read_on()

    def _read_on(self) -> None:
        self._holds = 0
        if self.keepalive is not None:
            self.keepalive.excused = True
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # Writing

    def pause_writing(self) -> None:
        """Take the transport's word that it holds much that is not sent."""
        self.writable = False

    def resume_writing(self) -> None:
        """Take the transport's word that it can take more."""
        self.writable = True
        self._wake_writers()

    async def wait_until_writable(self) -> None:
        """Wait until the client reads, or the connection is gone."""
        while not self.writable:
            waiter = self.loop.create_future()
            self._writers.append(waiter)
            await waiter

    def _wake_writers(self) -> None:
        writers, self._writers = self._writers, []
        for waiter in writers:
            if not waiter.done():
                waiter.set_result(None)

    # The end

    def send_close(self, code: int, reason: str = "") -> None:
        """Send a CLOSE frame, and nothing else."""
        self.out.send_close(code, reason)

    def close(self, code: int, reason: str, timeout: float = CLOSE_TIMEOUT) -> None:
        """Send a CLOSE, and end the connection when the client has answered.

        Or after ``timeout`` seconds. Raises ValueError for a code or a reason that no frame may
        hold.
        """
        if not is_close_code(code) or len(reason.encode()) > 123:
            raise ValueError(f"invalid close code or reason: {code} {reason!r}")
        self.state = CLOSING
        self.send_close(code, reason)
        if self._holds:
            self._read_on()  # the answer shall be read
        self._stop_timers()
        self._timer = self.loop.call_later(timeout, self.transport.abort)

    def fail(self, code: int, reason: str) -> None:
        """End the connection because of what the client does or does not do."""
        if self.state is OPEN:
            self.send_close(code, reason)
            self._drop_input()
            self.tell_end(code, reason)

    def _violated(self, code: int, reason: str) -> None:
        """Take picows' word that the client broke the protocol; picows sends the CLOSE."""
        if self.state is OPEN:
            self._drop_input()
            self.tell_end(code, reason)
        elif self.state is CLOSING:
            self.hang_up()

    def _drop_input(self) -> None:
        """Read on for a moment, so that no reset of the connection overtakes our CLOSE."""
        self.state = CLOSED
        self._stop_timers()
        transport = self.transport
        if transport.is_closing():
            return
        transport.pause_reading()
        transport.set_protocol(self)
        transport.resume_reading()
        self._timer = self.loop.call_later(LINGER, transport.abort)

    def hang_up(self) -> None:
        """Close the connection, as soon as what was sent is out."""
        self.state = CLOSED
        self._stop_timers()
        if not self.transport.is_closing():
            self.transport.close()
        self._timer = self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

    def _stop_timers(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.keepalive is not None:
            self.keepalive.stop()
            self.keepalive = None

    def tell_end(self, code: int, reason: str = "") -> None:
        """Call :meth:`ended`, the first time."""
        if not self._told:
            self._told = True
            self.ended(code, reason)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Take picows' word that the connection is gone."""
        self.gone()

    def gone(self) -> None:
        """Clean up: the connection is gone."""
        self.state = CLOSED
        self._stop_timers()
        self._wire = self.out = None
        self.tell_end(ABNORMAL)
        self.writable = True
        self._wake_writers()
