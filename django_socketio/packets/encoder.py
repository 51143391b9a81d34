"""Encodes packets: text and attachments out.

Implements "Packet encoding" of the Socket.IO protocol, revision 5:
https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .codec import Default, JSONCodec, StandardCodec, without_nan
from .packet import RESERVED_EVENTS, EncodedPacket, PacketType
from .unencodable import explain

_BINARY = (bytes, bytearray, memoryview)
_BINARY_TYPES = frozenset(_BINARY)
# Python finds a global faster than an attribute of a class.
_EVENT, _BINARY_EVENT = PacketType.EVENT, PacketType.BINARY_EVENT
_ACK, _BINARY_ACK = PacketType.ACK, PacketType.BINARY_ACK


class Encoder:
    """Encodes packets with one JSON library.

    ``default`` turns values of other types into JSON's own, as that argument of :func:`json.dumps`
    does. bytes, bytearray and memoryview anywhere in the data become attachments.
    """

    def __init__(self, codec: JSONCodec, default: Default) -> None:
        self._dumps = codec.dumps
        self._lenient = StandardCodec().dumps
        self._further = default
        self._text_default: Default = self._no_binary

    def event(
        self, namespace: str, name: str, args: Sequence[Any], id: int | None = None
    ) -> EncodedPacket:
        """Return an EVENT, or BINARY_EVENT; with ``id`` it asks for an acknowledgement.

        Raises ValueError for a reserved name, TypeError for one that is no text or for data that
        cannot be encoded.
        """
        if not isinstance(name, str):
            raise TypeError(f"an event's name is text, not {type(name).__name__}")
        if name in RESERVED_EVENTS:
            raise ValueError(f"{name!r} is a reserved event name")
        try:
            return self._encode(_EVENT, _BINARY_EVENT, namespace, [name, *args], id)
        except TypeError as error:
            why = explain(list(args), "args", self._further) or error
            raise TypeError(f"event {name!r} cannot be sent: {why}") from None

    def ack(self, namespace: str, args: Sequence[Any], id: int) -> EncodedPacket:
        """Return an ACK, or BINARY_ACK, that answers the event with this id."""
        try:
            return self._encode(_ACK, _BINARY_ACK, namespace, list(args), id)
        except TypeError as error:
            why = explain(list(args), "args", self._further) or error
            raise TypeError(f"the acknowledgement cannot be sent: {why}") from None

    def connect(self, namespace: str, data: dict[str, Any] | None) -> EncodedPacket:
        """Return the CONNECT that admits a client to a namespace; without data for clients 2.x."""
        if data is None:
            return EncodedPacket(PacketType.CONNECT + _prefix(namespace))
        return self._plain(PacketType.CONNECT, namespace, data)

    def connect_error(self, namespace: str, data: dict[str, Any] | str) -> EncodedPacket:
        """Return the CONNECT_ERROR that refuses a client; only clients 2.x take text."""
        return self._plain(PacketType.CONNECT_ERROR, namespace, data)

    def json(self, value: Any) -> str:
        """Return ``value`` as JSON text, as it would stand in a packet."""
        return self._json(value, self._further)

    def disconnect(self, namespace: str) -> EncodedPacket:
        """Return the DISCONNECT that removes a client from a namespace."""
        return EncodedPacket(PacketType.DISCONNECT + _prefix(namespace))

    def _plain(self, kind: str, namespace: str, data: dict[str, Any] | str) -> EncodedPacket:
        return EncodedPacket(kind + _prefix(namespace) + self._json(data, self._further))

    def _encode(
        self, kind: str, binary_kind: str, namespace: str, data: list[Any], id: int | None
    ) -> EncodedPacket:
        found: tuple[bytes, ...] = ()
        text: str | None = None
        for item in data:
            if type(item) in _BINARY_TYPES:
                break
        else:
            dumps = self._dumps
            try:
                text = dumps(data, self._text_default)
            except (TypeError, ValueError, RecursionError):
                text = None  # bytes deep inside, or data that only the standard library takes
        if text is None:
            attachments = _Attachments(self._further)
            text = self._json(data, attachments.default, attachments.found)
            if attachments.found:
                found = tuple(attachments.found)
                kind = f"{binary_kind}{len(found)}-"
        head = kind if namespace == "/" else f"{kind}{namespace},"
        if id is None:
            return EncodedPacket(head + text, found)
        return EncodedPacket(f"{head}{id}{text}", found, len(head))

    def _json(self, data: Any, default: Default, found: list[bytes] | None = None) -> str:
        """Encode with the library in use; if that refuses, with the standard one.

        ``found`` is emptied before the second try.
        """
        try:
            return self._dumps(data, default)
        except (TypeError, ValueError, RecursionError):
            if found is not None:
                found.clear()
        try:
            try:
                return self._lenient(data, default)
            except ValueError:  # a NaN or an infinity somewhere
                if found is not None:
                    found.clear()
            return self._lenient(without_nan(data), default)
        except RecursionError:
            raise TypeError("data that contains itself, or is nested too deeply") from None

    def _no_binary(self, value: Any) -> Any:
        if isinstance(value, _BINARY):
            raise _HasBinary
        return self._further(value)


class _HasBinary(TypeError):
    """Raised to stop the JSON library: there are bytes inside the data."""


class _Attachments:
    """Collects bytes in ``found`` and leaves placeholders, while the JSON library encodes."""

    __slots__ = ("_further", "found")

    def __init__(self, further: Default) -> None:
        self.found: list[bytes] = []
        self._further = further

    def default(self, value: Any) -> Any:
        if isinstance(value, _BINARY):
            self.found.append(bytes(value))
            return {"_placeholder": True, "num": len(self.found) - 1}
        return self._further(value)


def _prefix(namespace: str) -> str:
    return "" if namespace == "/" else namespace + ","
