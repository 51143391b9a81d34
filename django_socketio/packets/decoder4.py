"""Decodes packets of Socket.IO, revision 4 of the protocol: what clients 2.x send.

https://github.com/socketio/socket.io-protocol/tree/v4. Only CONNECT differs from revision 5: it has
no data, but the namespace's name may have a query, as in ``0/chat?token=1,``.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from .checks import AUTH_VALUE
from .decoder import Decoder
from .packet import AuthTooLarge, Limits, Packet, PacketError, PacketLimitExceeded, PacketType
from .parsers import PacketDecoder


class Decoder4(Decoder):
    """See the module's docstring, and :class:`.Decoder`. The query becomes the packet's data."""

    __slots__ = ()

    def _text(self, text: str) -> Packet | None:
        if text[:1] != PacketType.CONNECT:
            return super()._text(text)
        name, _, data = text[1:].partition(",")
        if data:
            raise PacketError("CONNECT takes no data but a query")
        packet = Packet(PacketType.CONNECT, name or "/", size=len(text))
        read_query(packet, self._limits)
        if packet.namespace[:1] != "/":
            raise PacketError("a namespace begins with a slash")
        if len(packet.namespace) > self._limits.max_namespace_length:
            raise PacketLimitExceeded("namespace too long")
        return packet


def read_query(packet: Packet, limits: Limits) -> None:
    """Make the query in the namespace of a CONNECT its data: a dict of texts, None without one.

    Raises :class:`AuthTooLarge` for a query over the limit of what may come with CONNECT.
    """
    packet.namespace, _, query = packet.namespace.partition("?")
    if not query:
        packet.data = None
        return
    most = limits.max_auth_size // AUTH_VALUE
    # As many values as the dict has as JSON.
    if len(query) > limits.max_auth_size or query.count("&") + 3 > most:
        raise AuthTooLarge(packet.namespace)
    packet.data = dict(parse_qsl(query, keep_blank_values=True))


class QueryDecoder:
    """Reads the query of CONNECT for the decoder of another parser than the default."""

    __slots__ = ("_decoder", "_limits")

    def __init__(self, decoder: PacketDecoder, limits: Limits) -> None:
        self._decoder = decoder
        self._limits = limits

    def feed(self, data: str | bytes) -> Packet | None:
        """Take one message; see :class:`.PacketDecoder`."""
        packet = self._decoder.feed(data)
        if packet is not None and packet.type == PacketType.CONNECT:
            read_query(packet, self._limits)
        return packet
