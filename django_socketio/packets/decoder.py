"""Decodes packets: text and attachments in, packets out.

Implements "Packet encoding" of the Socket.IO protocol, revision 5:
https://socket.io/docs/v4/socket-io-protocol/#packet-encoding. Where the protocol leaves a question
open, the decoder does as the Node server, with three exceptions: it checks placeholders, it checks
nesting, and it takes ``50-[...]`` (a binary event without attachments) for an event.
"""

from __future__ import annotations

import re
from typing import Any

from .codec import JSONCodec, StandardCodec
from .packet import RESERVED_EVENTS, Limits, Packet, PacketError, PacketLimitExceeded, PacketType

# Type, attachments, namespace, acknowledgement id; JSON follows. The number of digits is limited,
# for int() is slow with many; JavaScript's integers have 16 at most.
_ID_DIGITS = 16
_HEAD = re.compile(rf"([0-6])(?:(?<=[56])([0-9]{{1,7}})-)?(/[^,]*,?)?([0-9]{{1,{_ID_DIGITS}}})?")
_MAX_ID = 2**53 - 1
# Python finds a global faster than an attribute of a class, and each packet passes here.
_EVENTS = _EVENT, _BINARY_EVENT = PacketType.EVENT, PacketType.BINARY_EVENT
# An event that asks for no acknowledgement begins so.
_PLAIN_EVENT = _EVENT + "["
_STANDARD = StandardCodec()


class Decoder:
    """Decodes the messages of one session; keeps a packet until its attachments have come."""

    __slots__ = ("_limits", "_loads", "_received", "_size", "_slots", "pending")

    def __init__(self, codec: JSONCodec, limits: Limits) -> None:
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
        data = self._json(text[head.end() :])
        packet = Packet(kind, namespace, data, None if digits is None else int(digits), len(text))
        if kind in _EVENTS:
            self._check_event(packet)
        else:
            _CHECKS[kind](packet)
        if kind < _BINARY_EVENT:
            return packet
        if count is None:
            raise PacketError("illegal attachments")
        packet.type = _EVENT if kind == _BINARY_EVENT else PacketType.ACK
        attachments = int(count)
        if not attachments:
            return packet
        self._expect(packet, attachments)
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
        loads = self._loads
        try:
            data = loads(json)
        except (ValueError, RecursionError):
            data = self._load_leniently(json)
        limit = self._limits.max_nesting_depth
        if len(json) > limit:
            _check_depth(json, data, limit)
        packet = Packet(_EVENT, "/", data, id, len(text) - at)
        self._check_event(packet)
        return packet

    def _json(self, text: str) -> Any:
        if not text:
            return None
        try:
            data = self._loads(text)
        except (ValueError, RecursionError):
            data = self._load_leniently(text)
        limit = self._limits.max_nesting_depth
        if len(text) > limit:
            _check_depth(text, data, limit)
        # None stands for no data at all; JSON's null, which no packet may be, is _NULL.
        return _NULL if data is None else data

    def _load_leniently(self, text: str) -> Any:
        """Load JSON with the standard library, which takes escapes of half surrogate pairs.

        JavaScript may send them, and not all libraries take them. Raises :class:`PacketError`.
        """
        try:
            if "\\u" in text:
                return _STANDARD.loads(text)
        except (ValueError, RecursionError):
            pass
        raise PacketError("invalid JSON")

    def _check_event(self, packet: Packet) -> None:
        """Check an event. Turns a number as its name into text, as JavaScript does."""
        data = packet.data
        if type(data) is not list or not data:
            raise PacketError("EVENT takes an array that begins with the event's name")
        if packet.id is not None and packet.id > _MAX_ID:
            raise PacketError("acknowledgement id out of range")
        name = data[0]
        if type(name) is not str:
            # bool is an int to Python, but not to the protocol.
            if type(name) not in (int, float):
                raise PacketError("EVENT takes an array that begins with the event's name")
            name = data[0] = str(int(name) if name == int(name) else name)
        if name in RESERVED_EVENTS:
            raise PacketError("reserved event name")
        if len(name) > self._limits.max_event_name_length:
            raise PacketLimitExceeded("event name too long")

    def _expect(self, packet: Packet, count: int) -> None:
        if count > self._limits.max_attachments:
            raise PacketLimitExceeded("too many attachments")
        self._slots = _placeholders(packet.data, count)
        self.pending = packet
        self._received = self._size = 0

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


def _check_connect(packet: Packet) -> None:
    if not (packet.data is None or type(packet.data) is dict):
        raise PacketError("CONNECT takes an object")


def _check_disconnect(packet: Packet) -> None:
    if packet.data is not None:
        raise PacketError("DISCONNECT takes no data")


def _check_ack(packet: Packet) -> None:
    if packet.data is None:
        packet.data = []
    if type(packet.data) is not list:
        raise PacketError("ACK takes an array")


def _check_connect_error(packet: Packet) -> None:
    if type(packet.data) not in (str, dict):
        raise PacketError("CONNECT_ERROR takes a string or an object")


_CHECKS = {
    PacketType.CONNECT: _check_connect,
    PacketType.DISCONNECT: _check_disconnect,
    PacketType.ACK: _check_ack,
    PacketType.CONNECT_ERROR: _check_connect_error,
    PacketType.BINARY_ACK: _check_ack,
}


def _check_depth(text: str, data: Any, limit: int) -> None:
    # Most text has so few brackets that it cannot be too deep; counting them is quick.
    if text.count("[") + text.count("{") > limit and _deeper(data, limit):
        raise PacketLimitExceeded("JSON nested too deeply")


def _deeper(data: Any, limit: int) -> bool:
    """Return whether arrays and objects are nested more than ``limit`` deep, in linear time."""
    level = [data]
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is list or type(child) is dict
        ]
        if not level:
            return False
    return True


def _placeholders(data: Any, count: int) -> list[tuple[Any, Any]]:
    """Return the place of each of ``count`` attachments, as (container, key), in their order.

    Raises :class:`PacketError` unless each attachment has exactly one placeholder.
    """
    slots: list[tuple[Any, Any] | None] = [None] * count
    parents = [data]
    while parents:
        parent = parents.pop()
        for key, value in parent.items() if type(parent) is dict else enumerate(parent):
            if type(value) is dict and value.get("_placeholder") is True:
                number = value.get("num")
                if type(number) is not int or not 0 <= number < count or slots[number]:
                    raise PacketError("illegal attachments")
                slots[number] = (parent, key)
            elif type(value) is dict or type(value) is list:
                parents.append(value)
    if None in slots:
        raise PacketError("illegal attachments")
    return slots  # type: ignore[return-value]
