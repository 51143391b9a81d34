"""The messages and control frames of a WebSocket.

Implements what picows leaves to its users of RFC 6455: the rules of fragments (5.4), UTF-8 (8.1),
reserved bits (5.2) and close codes (7.4), https://www.rfc-editor.org/rfc/rfc6455. Knows no ASGI.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from picows import WSFrame, WSMsgType, WSTransport

from .link import (
    CLOSING,
    NO_STATUS,
    NOT_UTF8,
    OPEN,
    PROTOCOL_ERROR,
    TOO_BIG,
    Link,
    is_close_code,
)

# A message of more bytes is not kept room for when it is handled.
LARGE = 65536
# So many pings are answered in one turn of the loop, and of those behind them the last.
MOST_PONGS = 64
# A global is found faster than an attribute of an enum.
TEXT, BINARY, CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
PING, PONG, CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE


class Connection(Link):
    """See the module's docstring. ``message`` is called with each message, ``str`` or ``bytes``."""

    message: Callable[[Any], None]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # The text or bytes of a message whose last fragment has not come, and its kind.
        self._fragments: bytearray | None = None
        self._kind = TEXT
        # Whether the buffer for reading has grown, and shall be exchanged.
        self._large = False
        # How many pings were answered in this turn, and the last one that was not.
        self._pongs = 0
        self._unsent_pong: bytes | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame from picows."""
        kind = frame.msg_type
        if self._large and not frame.tail_size:
            self._shrink_soon()
        if self.state is not OPEN:
            if kind is CLOSE and self.state is CLOSING:
                self.hang_up()
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self.fail(PROTOCOL_ERROR, "reserved bits")
        elif kind is TEXT or kind is BINARY:
            if self._fragments is not None:
                self.fail(PROTOCOL_ERROR, "a message inside another")
                return
            if frame.payload_size > LARGE:
                self._note_large(frame)
            if not frame.fin:
                self._kind, self._fragments = kind, bytearray(frame.get_payload_as_memoryview())
            elif kind is BINARY:
                self.message(frame.get_payload_as_bytes())
            else:
                try:
                    text = frame.get_payload_as_utf8_text()
                except UnicodeDecodeError:
                    self.fail(NOT_UTF8, "not UTF-8")
                else:
                    self.message(text)
        elif kind is CONTINUATION:
            self._continue(frame)
        elif kind is PING:
            self._answer_ping(frame.get_payload_as_bytes())
        elif kind is PONG:
            if self.keepalive is not None:
                self.keepalive.pong(frame.get_payload_as_bytes())
        else:
            self._closed_by_client(frame.get_payload_as_bytes())

    def _continue(self, frame: WSFrame) -> None:
        fragments = self._fragments
        if fragments is None:
            self.fail(PROTOCOL_ERROR, "a fragment of nothing")
            return
        if len(fragments) + frame.payload_size > self.max_size:
            self.fail(TOO_BIG, f"a message over {self.max_size} bytes")
            return
        if frame.payload_size > LARGE:
            self._note_large(frame)
        fragments += frame.get_payload_as_memoryview()
        if not frame.fin:
            return
        self._fragments = None
        if self._kind is BINARY:
            self.message(bytes(fragments))
            return
        try:
            text = fragments.decode()
        except UnicodeDecodeError:
            self.fail(NOT_UTF8, "not UTF-8")
        else:
            self.message(text)

    def _note_large(self, frame: WSFrame) -> None:
        self._large = True
        if not frame.tail_size:
            self._shrink_soon()

    def _shrink_soon(self) -> None:
        """Take a new wire when this read is handled, for a wire's buffer never shrinks.

        To be called where the frame is the last thing in the buffer. Nothing is read meanwhile.
        """
        self._large = False
        self.hold()
        self.loop.call_soon(self._shrink)

    def _shrink(self) -> None:
        if self.state is OPEN:
            self.new_wire()
        self.release()

    # Control frames

    def _answer_ping(self, payload: bytes) -> None:
        # Of several pings the last may be answered alone (RFC 6455, 5.5.3). So a client that pings
        # and does not read fills no memory, and one that only pings does not keep the loop.
        if not self.writable or self._pongs == MOST_PONGS:
            self._unsent_pong = payload
            return
        self._pongs += 1
        if self._pongs == 1:
            self.loop.call_soon(self._begin_turn)
        self.out.send_pong(payload)

    def _begin_turn(self) -> None:
        self._pongs = 0
        self._answer_last_ping()

    def _answer_last_ping(self) -> None:
        if self._unsent_pong is not None and self.state is OPEN:
            pong, self._unsent_pong = self._unsent_pong, None
            self._answer_ping(pong)

    def _closed_by_client(self, payload: bytes) -> None:
        code = int.from_bytes(payload[:2], "big") if payload else NO_STATUS
        if payload and not is_close_code(code):
            self.fail(PROTOCOL_ERROR, "invalid close code")
            return
        self.send_close(1000 if code == NO_STATUS else code)
        self.hang_up()
        self.tell_end(code, payload[2:].decode())

    def resume_writing(self) -> None:
        """Take the transport's word that it can take more."""
        super().resume_writing()
        self._answer_last_ping()
