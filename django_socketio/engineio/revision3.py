"""Payloads and binary packets of Engine.IO, revision 3 of the protocol: what clients 2.x speak.

Text packets are those of revision 4. What differs is how packets stand in the body of a request or
an answer, and binary messages: https://github.com/socketio/engine.io-protocol/tree/v3 ("Encoding").

* A text payload is ``length:packet`` for each packet, the length in UTF-16 code units, as
  JavaScript counts. Binary messages are ``b4`` and base64 in it.
* A binary payload has for each packet the byte 0 (text) or 1 (binary), the digits of its length in
  bytes, a byte each, the byte 255, and the packet.
* A binary packet begins with the byte of its type. It goes over a WebSocket like that.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import EngineIOError
from .packets import Frame, PacketType

# The first byte of a binary message.
BINARY_MESSAGE = bytes([int(PacketType.MESSAGE)])
# How a binary message begins in base64.
BASE64_MESSAGE = "b" + PacketType.MESSAGE
# No body is so large that its length has more digits; int() is slow with many.
_LONGEST_HEAD = 11
_LENGTH = re.compile("([0-9]{1,10}):")
_BINARY_LENGTH = re.compile(b"[\x00\x01]([\x00-\x09]{1,10})\xff")
# The digits of a binary payload as those of text.
_DIGITS = b"0123456789" + bytes(246)
_TWO_UNITS = re.compile("[\U00010000-\U0010ffff]")


class BinaryFrame(Frame):
    """A binary message of revision 3. ``data`` begins with the packet's type."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The packet as text for a payload, encoded once."""
        if self._base64 is None:
            self._base64 = BASE64_MESSAGE + b64encode(self.data[1:]).decode("ascii")  # type: ignore[arg-type]
        return self._base64


def revise(frame: Frame, base64: bool) -> Frame:
    """Return a frame of revision 4 as one of revision 3, made once for all sessions.

    With ``base64`` it is text, for a client that takes no binary data.
    """
    data = frame.data
    if isinstance(data, str):
        return frame
    try:
        binary, text = frame.revised
    except AttributeError:
        binary, text = BinaryFrame(BINARY_MESSAGE + data, frame.compress), None
        frame.revised = binary, text
    if not base64:
        return binary
    if text is None:
        text = Frame(binary.text, frame.compress)
        frame.revised = binary, text
    return text


def encode_payload(frames: Iterable[Frame]) -> str | bytes:
    """Return the body of an answer: text, or bytes where one of the frames is binary."""
    frames = list(frames)
    if any(isinstance(frame.data, bytes) for frame in frames):
        return b"".join(map(_binary_part, frames))
    return "".join([f"{_units(frame.text)}:{frame.text}" for frame in frames])


def _binary_part(frame: Frame) -> bytes:
    data = frame.data
    kind, packet = (0, data.encode()) if isinstance(data, str) else (1, data)
    length = bytes(map(int, str(len(packet))))
    return bytes([kind]) + length + b"\xff" + packet


def _units(text: str) -> int:
    """Return the length of ``text`` in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def decode_payload(payload: str | bytes, max_packets: int) -> Iterator[str | bytes]:
    """Yield the packets of a body, without a look at them. Takes time in proportion to its size.

    Raises :class:`EngineIOError` where it comes to what is no packet, and behind ``max_packets``
    packets.
    """
    if not payload:
        raise EngineIOError("an empty payload")
    packets = _split_bytes(payload) if isinstance(payload, bytes) else _split_text(payload)
    for number, packet in enumerate(packets):
        if number == max_packets:
            raise EngineIOError("too many packets in a payload")
        yield packet


def _split_text(payload: str) -> Iterator[str]:
    if not payload.isascii() and _TWO_UNITS.search(payload):
        yield from _split_units(payload.encode("utf-16-le", "surrogatepass"))
        return
    at = 0
    while at < len(payload):
        start, at = _bounds(_LENGTH.match(payload, at), len(payload))
        yield payload[start:at]


def _split_units(units: bytes) -> Iterator[str]:
    """Split a payload in UTF-16, for not all of its characters are one code unit."""
    at = 0
    while at < len(units):
        head = units[at : at + 2 * _LONGEST_HEAD].decode("utf-16-le", "replace")
        start, end = _bounds(_LENGTH.match(head), (len(units) - at) // 2)
        start, at = at + 2 * start, at + 2 * end
        try:
            yield units[start:at].decode("utf-16-le")
        except UnicodeDecodeError:
            raise EngineIOError("a length that cuts a character") from None


def _split_bytes(payload: bytes) -> Iterator[str | bytes]:
    at = 0
    while at < len(payload):
        is_text = not payload[at]
        start, at = _bounds(_BINARY_LENGTH.match(payload, at), len(payload))
        packet = payload[start:at]
        try:
            yield packet.decode() if is_text else packet
        except UnicodeDecodeError:
            raise EngineIOError("text that is not UTF-8") from None


def _bounds(head: re.Match[Any] | None, end: int) -> tuple[int, int]:
    """Return where the packet behind ``head`` begins and ends; the payload has its end at ``end``.

    Raises :class:`EngineIOError` for no head, and for a length that is 0 or too large.
    """
    if head is None:
        raise EngineIOError("a length is missing in a payload")
    digits, start = head[1], head.end()
    length = int(digits.translate(_DIGITS) if isinstance(digits, bytes) else digits)
    if not 0 < length <= end - start:
        raise EngineIOError("a wrong length in a payload")
    return start, start + length
