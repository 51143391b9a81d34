"""Decodes packets: text and attachments in, packets out.

Implements "Packet encoding" of the Socket.IO protocol, revision 5:
https://socket.io/docs/v4/socket-io-protocol/#packet-encoding. Where the protocol leaves a question
open, the decoder does as the Node server, with three exceptions: it checks placeholders, it checks
nesting, and it takes ``50-[...]`` (a binary event without attachments) for an event.
"""

from __future__ import annotations

import re
from sys import getsizeof
from typing import Any

from .checks import AUTH_VALUE, CHECKS, check_ack, check_event
from .codec import JSONCodec, load, load_large
from .large import LargePacket, read_start
from .packet import (
    UNLIMITED,
    AuthTooLarge,
    EncodedPacket,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
    PacketType,
)
from .placeholders import find_placeholders
from .weight import check_json, has_more_values

# Type, attachments, namespace, acknowledgement id; JSON follows. The number of digits is limited,
# for int() is slow with many; JavaScript's integers have 16 at most.
_ID_DIGITS = 16
_HEAD = re.compile(rf"([0-6])(?:(?<=[56])([0-9]{{1,7}})-)?(/[^,]*,?)?([0-9]{{1,{_ID_DIGITS}}})?")
# Python finds a global faster than an attribute of a class, and each packet passes here.
_EVENTS = _EVENT, _BINARY_EVENT = PacketType.EVENT, PacketType.BINARY_EVENT
# An event that asks for no acknowledgement begins so.
_PLAIN_EVENT = _EVENT + "["
# Packets that need not be decoded at once.
_DEFERRED = (_EVENT, PacketType.ACK)


class Decoder:
    """Decodes the messages of one session; keeps a packet until its attachments have come."""

    __slots__ = ("_codec", "_limits", "_loads", "_received", "_size", "_slots", "pending")

    def __init__(self, codec: JSONCodec, limits: Limits) -> None:
        self._codec = codec
        self._loads = codec.loads
        self._limits = limits
        # The packet that waits for attachments, their places in it, how many have come, their size.
        self.pending: Packet | None = None
        self._slots: list[tuple[Any, Any]] = []
        self._received = 0
        self._size = 0

    def feed(self, data: str | bytes) -> Packet | None:
        """Take one message. Returns the packet that it completes, None while attachments are due.

        Raises :class:`PacketError` for a bad message. Do not use the decoder after that.
        """
        if isinstance(data, str):
            if self.pending is not None:
                raise PacketError("text while an attachment is due")
            return self._text(data)
        if self.pending is None:
            raise PacketError("an attachment that is not due")
        return self._attachment(self.pending, data)

    def _text(self, text: str) -> Packet | None:
        event = self.main_event(text)
        if event is not None:
            return event
        head = _HEAD.match(text)
        if head is None:
            raise PacketError("unknown packet type")
        kind, count, namespace, digits = head.groups()
        if namespace is None:
            namespace = "/"
        else:
            namespace = namespace.rstrip(",")
            if len(namespace) > self._limits.max_namespace_length:
                raise PacketLimitExceeded("namespace too long")
        json = text[head.end() :]
        if kind == PacketType.CONNECT:
            self._check_auth(namespace, json)
        packet = Packet(kind, namespace, None, None if digits is None else int(digits), len(text))
        if len(json) > self._limits.max_eager_length and kind in _DEFERRED:
            check_json(json, self._limits)
            return self._large(packet, json)
        packet.data = self._json(json)
        if kind in _EVENTS:
            check_event(packet, self._limits)
        else:
            CHECKS[kind](packet)
        if kind < _BINARY_EVENT:
            return packet
        if count is None:
            raise PacketError("illegal attachments")
        packet.type = _EVENT if kind == _BINARY_EVENT else PacketType.ACK
        attachments = int(count)
        if not attachments:
            return packet
        self._expect(packet, attachments, json)
        return None

    def main_event(self, text: str, at: int = 0) -> Packet | None:
        """Return the EVENT of the main namespace that begins at ``at``, None for other packets.

        Most packets are such events, so this is a shorter way than :meth:`feed`. Raises
        :class:`PacketError` as that does. Do not call it while a packet is :attr:`pending`.
        """
        id = None
        start = at + 1
        if text[at : start + 1] != _PLAIN_EVENT:
            if text[at:start] != _EVENT:
                return None
            start = text.find("[", start, start + _ID_DIGITS + 1)
            if start < 0:
                return None
            digits = text[at + 1 : start]
            if not (digits.isascii() and digits.isdigit()):
                return None
            id = int(digits)
        json = text[start:]
        limits = self._limits
        packet = Packet(_EVENT, "/", None, id, len(text) - at)
        if len(json) > limits.trivial_length:
            check_json(json, limits)
            if len(json) > limits.max_eager_length:
                return self._large(packet, json)
        loads = self._loads
        try:
            packet.data = loads(json)
        except (ValueError, RecursionError):
            packet.data = load(self._codec, json)
        check_event(packet, self._limits)
        return packet

    def _json(self, text: str) -> Any:
        if not text:
            return None
        limits = self._limits
        if len(text) > limits.trivial_length:
            check_json(text, limits)
        large = len(text) > limits.max_eager_length
        data = load_large(self._codec, text) if large else load(self._codec, text)
        # None stands for no data at all; JSON's null, which no packet may be, is _NULL.
        return _NULL if data is None else data

    def _large(self, packet: Packet, json: str) -> Packet:
        """Return an event or ACK, not decoded but for its name; decoded where that is not clear.

        ``packet`` is the same without data.
        """
        packet.data = read_start(packet.type, json, self._codec, self._limits)
        unclear = packet.data is None
        if unclear:
            packet.data = load_large(self._codec, json)
        if packet.type == _EVENT:
            check_event(packet, self._limits)
        else:
            check_ack(packet)
        return packet if unclear else LargePacket(packet, json, self._codec)

    def _check_auth(self, namespace: str, json: str) -> None:
        """Check what comes with CONNECT: it is kept as long as the client stays."""
        limit = self._limits.max_auth_size
        most = limit // AUTH_VALUE
        if len(json) > limit or (len(json) > most // 2 and has_more_values(json, most)):
            raise AuthTooLarge(namespace)

    def _expect(self, packet: Packet, count: int, json: str) -> None:
        if count > self._limits.max_attachments:
            raise PacketLimitExceeded("too many attachments")
        self._slots = find_placeholders(packet.data, count)
        if len(json) > self._limits.max_eager_length:
            # It is well-formed, and goes back to text, which is smaller.
            packet.data = packet.data[:1] if packet.type == _EVENT else []
            packet = large = LargePacket(packet, json, self._codec, count)
            self._slots = [(large.attachments, number) for number in range(count)]
        self.pending = packet
        self._received = self._size = 0

    @property
    def held(self) -> int:
        """About how many bytes the packet takes that waits for attachments."""
        packet = self.pending
        if packet is None:
            return 0
        return packet.size + (getsizeof(packet.text) if isinstance(packet, LargePacket) else 0)

    def _attachment(self, packet: Packet, data: bytes) -> Packet | None:
        self._size += len(data)
        if self._size > self._limits.max_attachments_size:
            self.reset()
            raise PacketLimitExceeded("attachments too large")
        container, key = self._slots[self._received]
        container[key] = data
        self._received += 1
        packet.size += len(data)
        if self._received < len(self._slots):
            return None
        self.reset()
        return packet

    def reset(self) -> None:
        """Drop a packet that is not complete, and free its attachments."""
        self.pending = None
        self._slots = []


class _Null:
    """The type of :data:`_NULL`: JSON's ``null`` as the data of a packet, which none may have."""


_NULL = _Null()


def decode(codec: JSONCodec, encoded: EncodedPacket) -> Packet:
    """Return the packet that an :class:`.Encoder` has encoded. Raises :class:`PacketError`."""
    decoder = Decoder(codec, UNLIMITED)
    packet = decoder.feed(encoded.text)
    for attachment in encoded.attachments:
        packet = decoder.feed(attachment)
    if packet is None:
        raise PacketError("attachments are missing")
    return packet
