"""The types of Socket.IO packets, decoded and encoded, and their errors and limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..exceptions import RemoteProtocolError

# Clients and servers use these names for their own events, so no event of a project has one.
RESERVED_EVENTS = frozenset({"connect", "connect_error", "disconnect", "disconnecting"})

# Bytes or characters from which a packet is so large that it may cost extra care: it stays text
# until it is needed, and is counted while it is held.
LARGE = 4096


class PacketError(RemoteProtocolError, ValueError):
    """Bad text or bytes, or a good packet at a time when the protocol does not allow it."""


class PacketLimitExceeded(PacketError):
    """A packet or a client exceeds one of the limits in ``SOCKETIO``."""


class AuthTooLarge(PacketLimitExceeded):
    """What comes with CONNECT is too large to be kept. ``namespace`` is what it was for."""

    def __init__(self, namespace: str) -> None:
        super().__init__("auth too large")
        self.namespace = namespace


class PacketType:
    """The first character of an encoded packet.

    https://socket.io/docs/v4/socket-io-protocol/#packet-encoding. These are plain strings rather
    than an enum, for they are compared with parts of text for each packet.
    """

    CONNECT = "0"
    DISCONNECT = "1"
    EVENT = "2"
    ACK = "3"
    CONNECT_ERROR = "4"
    BINARY_EVENT = "5"
    BINARY_ACK = "6"


class Packet:
    """A decoded packet.

    ``type`` is one of :class:`PacketType`: EVENT or ACK for packets with attachments, too.
    ``namespace`` begins with "/". ``data`` is the list of an EVENT (its name first) or ACK, the
    dict of a CONNECT or CONNECT_ERROR, or None. ``id`` is the number of the acknowledgement, or
    None. ``size`` is the packet's length on the wire, in characters of text and bytes. ``weight``
    is what it was counted with while it waited or was handled, in bytes of memory.
    """

    __slots__ = ("data", "id", "namespace", "size", "type", "weight")

    weight: int

    def __init__(
        self, type: str, namespace: str, data: Any = None, id: int | None = None, size: int = 0
    ) -> None:
        self.type = type
        self.namespace = namespace
        self.data = data
        self.id = id
        self.size = size

    def __repr__(self) -> str:
        return f"<Packet {self.type} {self.namespace} id={self.id}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return (self.type, self.namespace, self.data, self.id) == (
            other.type,
            other.namespace,
            other.data,
            other.id,
        )

    __hash__ = None  # type: ignore[assignment]


class EncodedPacket:
    """A packet ready to be sent: its text, and the attachments that follow it.

    ``head`` is the length of the text before the acknowledgement id.
    """

    __slots__ = ("attachments", "head", "text")

    def __init__(self, text: str, attachments: tuple[bytes, ...] = (), head: int = 0) -> None:
        self.text = text
        self.attachments = attachments
        self.head = head

    def with_id(self, id: int) -> EncodedPacket:
        """Return an event that was encoded with the id 0 under another id."""
        before, after = self.around_id
        return EncodedPacket(f"{before}{id}{after}", self.attachments)

    @property
    def around_id(self) -> tuple[str, str]:
        """The text before and after the id, for an event that was encoded with the id 0."""
        return self.text[: self.head], self.text[self.head + 1 :]

    def for_namespace(self, namespace: str) -> EncodedPacket:
        """Return an event that was encoded for the namespace "/" as one of another namespace."""
        if namespace == "/":
            return self
        end = self.text.index("-") + 1 if self.attachments else 1
        text = f"{self.text[:end]}{namespace},{self.text[end:]}"
        head = self.head + len(namespace) + 1 if self.head else 0
        return EncodedPacket(text, self.attachments, head)

    def __repr__(self) -> str:
        return f"<EncodedPacket {self.text[:40]!r} +{len(self.attachments)}>"


@dataclass(frozen=True)
class Limits:
    """The limits of a decoder. Sizes are in bytes, lengths in characters.

    ``max_eager_length`` is the length of JSON from which an event or ACK is not decoded before
    it is needed; by default all is decoded at once. JSON up to ``trivial_length`` meets all limits.
    """

    max_attachments: int = 1000
    max_attachments_size: int = 10_000_000
    max_nesting_depth: int = 100
    max_event_name_length: int = 256
    max_namespace_length: int = 256
    max_json_values: int = 300_000
    max_auth_size: int = 16_384
    max_eager_length: int = 10**12
    trivial_length: int = field(init=False)

    def __post_init__(self) -> None:
        # "[]" is the shortest text that counts for three values.
        shortest = min(self.max_nesting_depth, self.max_json_values // 2, self.max_eager_length)
        object.__setattr__(self, "trivial_length", shortest)


# For what was encoded by this server: the limits for clients do not hold for it.
UNLIMITED = Limits(10**9, 10**12, 10**6, 10**9, 10**9, 10**12, 10**12)
