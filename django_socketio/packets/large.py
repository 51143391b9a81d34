"""Large packets stay text until somebody needs what is in them."""

from __future__ import annotations

import re
from sys import getsizeof
from typing import Any

from .codec import JSONCodec, load, load_large
from .packet import Limits, Packet, PacketError, PacketType
from .placeholders import find_placeholders
from .weight import weigh_data, weigh_text

# An array that begins with a string or a number, and more follows or not.
_NAME = re.compile(
    r'\[[ \t\n\r]*("(?:[^"\\\x00-\x1f]|\\["\\/bfnrtu])*"|-?[0-9][0-9.eE+-]*)[ \t\n\r]*[,\]]'
)
# Characters of JSON for one of a name at most: two escapes for one that is no single code unit.
_ESCAPED = 12


class LargePacket(Packet):
    """An EVENT or ACK that is not decoded yet, but for an event's name.

    ``data`` has only that name, or nothing for an ACK, until :meth:`load`. ``text`` is the JSON,
    ``attachments`` are what belongs into it.
    """

    __slots__ = ("_codec", "attachments", "text")

    def __init__(self, packet: Packet, text: str, codec: JSONCodec, attachments: int = 0) -> None:
        super().__init__(packet.type, packet.namespace, packet.data, packet.id, packet.size)
        self.text = text
        self.attachments = [b""] * attachments
        self._codec = codec

    def load(self) -> int:
        """Decode the JSON into ``data``; called once. Returns about how many bytes that takes.

        Raises :class:`PacketError` for bad JSON.
        """
        text, self.text = self.text, ""
        attachments, self.attachments = self.attachments, []
        data = load_large(self._codec, text)
        data[: len(self.data)] = self.data
        if attachments:
            places = find_placeholders(data, len(attachments))
            for (container, key), attachment in zip(places, attachments, strict=True):
                container[key] = attachment
        self.data = data
        return weigh_text(text) + sum(map(len, attachments))


def weigh(packet: Packet) -> int:
    """Return about how many bytes of memory a packet takes as it is."""
    if isinstance(packet, LargePacket):
        return getsizeof(packet.text) + sum(map(len, packet.attachments))
    return packet.size + weigh_data(packet.data)


def read_start(kind: str, text: str, codec: JSONCodec, limits: Limits) -> list[Any] | None:
    """Return the data of an event or ACK without all but its name, or None where it is not clear.

    Decoding the whole text tells then.
    """
    if kind == PacketType.ACK:
        return [] if text[0] == "[" else None
    found = _NAME.match(text[: limits.max_event_name_length * _ESCAPED + 100])
    try:
        return None if found is None else [load(codec, found[1])]
    except PacketError:
        return None
