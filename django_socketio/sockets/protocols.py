"""The two revisions of Socket.IO's protocol, where a namespace's CONNECT and its answers differ.

https://github.com/socketio/socket.io-protocol#difference-between-v5-and-v4
"""

from __future__ import annotations

from typing import Any

from ..conf import Settings
from ..packets import CheckedDecoder, Decoder, EncodedPacket, Encoder
from .local import Local


class Protocol5:
    """Clients 3.x and 4.x. ``recovers`` says that they ask for the state that they have lost."""

    recovers = True

    def new_decoder(self, settings: Settings) -> Decoder | CheckedDecoder:
        """Return the decoder of a new connection."""
        return settings.new_decoder()

    def new_sid(self, local: Local[Any], session: str, namespace: str) -> str:
        """Make the id of a socket in a namespace; ``session`` is the id of its session."""
        return local.new_id()

    def connect(self, encoder: Encoder, namespace: str, names: dict[str, str]) -> EncodedPacket:
        """Return the CONNECT that admits a client; ``names`` are the ids of its socket."""
        return encoder.connect(namespace, names)

    def connect_error(
        self, encoder: Encoder, namespace: str, data: dict[str, Any]
    ) -> EncodedPacket:
        """Return the CONNECT_ERROR that refuses a client; ``data`` says why."""
        return encoder.connect_error(namespace, data)


class Protocol4(Protocol5):
    """Clients 2.x."""

    recovers = False

    def new_decoder(self, settings: Settings) -> Decoder | CheckedDecoder:
        """Return a decoder that takes a query with the namespace, in place of auth."""
        return settings.new_decoder(revision=4)

    def new_sid(self, local: Local[Any], session: str, namespace: str) -> str:
        """Return the id that a client gives its socket: it is not told one.

        Another one while the socket that had it before has not left yet.
        """
        sid = session if namespace == "/" else f"{namespace}#{session}"
        found = local.namespaces.get(namespace)
        return local.new_id() if found is not None and sid in found.sockets else sid

    def connect(self, encoder: Encoder, namespace: str, names: dict[str, str]) -> EncodedPacket:
        """Return the CONNECT that admits a client: without data."""
        return encoder.connect(namespace, None)

    def connect_error(
        self, encoder: Encoder, namespace: str, data: dict[str, Any]
    ) -> EncodedPacket:
        """Return the ERROR that refuses a client, with the details in place of the message, if any.

        Both where the details are neither an object nor text: parsers know no other data for it.
        """
        said = data.get("data") or data["message"]
        return encoder.connect_error(namespace, said if isinstance(said, (str, dict)) else data)


PROTOCOL_5, PROTOCOL_4 = Protocol5(), Protocol4()
