"""A session of Engine.IO, revision 3 of the protocol: of a client 2.x.

https://github.com/socketio/engine.io-protocol/tree/v3. The client pings, and the server answers; a
client that has not pinged for the interval and the timeout together is gone. Binary messages and
payloads are those of :mod:`.revision3`. All else is as in revision 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .errors import EngineIOError
from .options import SessionOptions
from .packets import Frame, PacketType
from .reasons import Reason
from .revision3 import BASE64_MESSAGE, BINARY_MESSAGE, decode_payload, encode_payload
from .session import Session
from .states import OPEN

PONG = Frame(PacketType.PONG)


class Session3(Session):
    """See the module's docstring. The owner

    * gives :meth:`send` only frames of revision 3, see :func:`.revision3.revise`. ``base64`` says
      that the client takes no binary data;
    * calls :meth:`answer_ping` after it has handed in packets, when ``pinged`` is true.
    """

    __slots__ = ("base64", "pinged")

    revision = "3"
    takes_binary_bodies = True

    def __init__(
        self, sid: str, options: SessionOptions, transport: str, now: float, base64: bool = False
    ) -> None:
        super().__init__(sid, options, transport, now)
        self.base64 = base64
        self.pinged = False
        # A ping of the client is always awaited, as in revision 4 the pong to ours.
        self._awaiting_pong = True
        self._expect_ping(now)

    def _expect_ping(self, now: float) -> None:
        self._ping_deadline = now + self.options.ping_interval + self.options.ping_timeout
        self.next_ping = self._ping_deadline  # the time of the next tick

    def receive(self, packet: str | bytes) -> str | bytes | None:
        """Take one packet; see :meth:`.Session.receive`."""
        kind = packet[:1]
        if kind == BINARY_MESSAGE:
            return super().receive(packet[1:])
        if kind == PacketType.PING:
            self.packets_in += 1
            self.pinged = True
        elif kind == PacketType.PONG:
            self.abort(Reason.TRANSPORT_ERROR, "a client 2.x must not pong")
        elif packet[:2] == BASE64_MESSAGE:
            return super().receive("b" + packet[2:])  # type: ignore[operator]
        elif kind == "b" or isinstance(packet, bytes):
            self.abort(Reason.PARSE_ERROR, "a binary packet that is no message")
        else:
            return super().receive(packet)
        return None

    def receive_payload(self, payload: str | bytes) -> Iterator[str | bytes | None]:
        """Take the body of a POST; see :meth:`.Session.receive_payload`."""
        self.bytes_in += len(payload)
        try:
            for packet in decode_payload(payload, self.options.max_packets):
                yield self.receive(packet)
                if self.state is not OPEN:
                    return
        except EngineIOError as error:
            self.abort(Reason.PARSE_ERROR, str(error))

    def encode_payload(self, frames: Iterable[Frame]) -> str | bytes:
        """Return the body of an answer to a poll."""
        return encode_payload(frames)

    def answer_ping(self, now: float) -> bool:
        """Answer the client's ping: it is alive. Returns whether the owner should flush now.

        Pings of which it has not read the answer get one answer, so that they fill no buffer.
        """
        self.pinged = False
        self._expect_ping(now)
        return not (self.buffer and self.buffer[-1] is PONG) and self.send(PONG)

    def ping(self, now: float) -> None:
        """Note that the client has read what was written: it cannot be asked whether it has.

        That leaves ``max_write_buffer`` to what the ASGI server has not taken yet.
        """
        self.heard()
        self.unheard_mark = self.options.max_write_buffer // 4
