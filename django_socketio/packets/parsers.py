"""Parsers: how packets become text and bytes on the wire, where it is not the default way.

The default encoding has none of this in its path. docs/parsers.md describes the interface.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

from .checks import AUTH_VALUE, CHECKS, MAX_ID, check_event
from .packet import (
    AuthTooLarge,
    Limits,
    Packet,
    PacketError,
    PacketLimitExceeded,
    PacketType,
)

_BINARY_TYPES = {
    PacketType.BINARY_EVENT: PacketType.EVENT,
    PacketType.BINARY_ACK: PacketType.ACK,
}
_TYPES = frozenset("01234")


class PacketDecoder(Protocol):
    """Decodes what one connection sends."""

    def feed(self, data: str | bytes) -> Packet | None:
        """Take one message. Returns the packet that it completes, None while more of it is due.

        Raises :class:`PacketError` for a bad message, or any other exception: both close the
        session of that client with the reason "parse error".
        """


class Parser(Protocol):
    """The interface of the class that the setting ``PARSER`` may name.

    A process makes one instance, without arguments; threads share it.
    """

    def encode(self, packet: Packet) -> list[str | bytes]:
        """Return a packet as messages, in the order in which they are sent.

        ``packet.type`` is CONNECT, DISCONNECT, EVENT, ACK or CONNECT_ERROR of
        :class:`PacketType`; ``packet.data`` has only JSON's types and bytes, no NaN, no infinity.
        Raises TypeError or ValueError for data that cannot be encoded.
        """

    def decoder(self) -> PacketDecoder:
        """Return the decoder of a new connection."""


class CheckedDecoder:
    """Checks what another decoder returns: the protocol's rules, and the limits of clients.

    Has what a :class:`.Decoder` has. ``data_checked`` says that the decoder itself keeps the limits
    of values, nesting and binary data.
    """

    __slots__ = ("_data_checked", "_decoder", "_limits", "_messages", "held")

    # What a packet that is not complete will be, only its decoder knows.
    pending: None = None

    def __init__(self, decoder: PacketDecoder, limits: Limits, data_checked: bool = False) -> None:
        self._decoder = decoder
        self._limits = limits
        self._data_checked = data_checked
        # Messages, and bytes, of the packet that is not complete.
        self._messages = self.held = 0

    def main_event(self, text: str, at: int = 0) -> Packet | None:
        """Return None: there is no shorter way."""
        return None

    def feed(self, data: str | bytes) -> Packet | None:
        """Take one message; see :meth:`.Decoder.feed`."""
        try:
            packet = self._decoder.feed(data)
        except PacketError:
            raise
        except Exception as error:
            # The parser stumbles over what the client has sent; its text is no reason to count by.
            raise PacketError(f"the parser raised {type(error).__name__}") from error
        self._messages += 1
        self.held += len(data)
        if packet is None:
            self._check_incomplete()
            return None
        size = self.held
        self._messages = self.held = 0
        self._check(packet, size)
        return packet

    def reset(self) -> None:
        """Drop a packet that is not complete."""
        self._decoder = _ENDED
        self._messages = self.held = 0

    def _check_incomplete(self) -> None:
        if self._messages > self._limits.max_attachments:
            raise PacketLimitExceeded("too many attachments")
        if self.held > self._limits.max_attachments_size:
            raise PacketLimitExceeded("attachments too large")

    def _check(self, packet: Packet, size: int) -> None:
        limits = self._limits
        packet.size = size
        packet.type = kind = _BINARY_TYPES.get(packet.type, packet.type)
        if kind not in _TYPES:
            raise PacketError("unknown packet type")
        namespace, id = packet.namespace, packet.id
        if type(namespace) is not str or namespace[:1] != "/":
            raise PacketError("a namespace begins with a slash")
        if len(namespace) > limits.max_namespace_length:
            raise PacketLimitExceeded("namespace too long")
        if id is not None and not (type(id) is int and 0 <= id <= MAX_ID):
            raise PacketError("acknowledgement id out of range")
        values = 0
        if kind == PacketType.CONNECT or not self._data_checked:
            values = check_data(packet.data, limits)
        if kind == PacketType.EVENT:
            check_event(packet, limits)
            return
        CHECKS[kind](packet)
        if kind == PacketType.CONNECT and (
            size > limits.max_auth_size or values > limits.max_auth_size // AUTH_VALUE
        ):
            raise AuthTooLarge(namespace)


class _Ended:
    """The decoder of a session that has ended."""

    def feed(self, data: str | bytes) -> Packet | None:
        raise PacketError("the session has ended")


_ENDED = _Ended()


def check_data(data: Any, limits: Limits) -> int:
    """Check decoded data, level by level: values, nesting, numbers, keys and binary data.

    Returns how many values there are, counted as in :func:`.weight.check_json`. Raises
    :class:`PacketError`.
    """
    values = depth = attachments = size = 0
    level = [data]
    while level:
        inner: list[Any] = []
        for value in level:
            if type(value) is list or type(value) is dict:
                values += 2 if value else 3
                if type(value) is dict:
                    if not all(type(key) is str for key in value):
                        raise PacketError("the keys of an object are text")
                    inner += value.values()
                else:
                    inner += value
                if depth == limits.max_nesting_depth:
                    raise PacketLimitExceeded("JSON nested too deeply")
            else:
                values += 1
                if type(value) is float and not math.isfinite(value):
                    raise PacketError("NaN or an infinity")
                if type(value) is bytes:
                    attachments += 1
                    size += len(value)
            if values > limits.max_json_values:
                raise PacketLimitExceeded("too many JSON values")
        if attachments > limits.max_attachments:
            raise PacketLimitExceeded("too many attachments")
        if size > limits.max_attachments_size:
            raise PacketLimitExceeded("attachments too large")
        level = inner
        depth += 1
    return values
