"""A connected client of version 2.x: Engine.IO 3 and Socket.IO 4 (``ALLOW_EIO3``).

What differs from other clients, and only in objects of this class: it is in the namespace "/"
without asking, it may ask for others with a query, and the answers have another form.
https://github.com/socketio/socket.io-protocol#difference-between-v5-and-v4
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import parse_qs

from ..engineio import Frame, Session3, revise
from ..packets import Packet, PacketType
from .admission import begin
from .client import Client
from .protocols import PROTOCOL_4

Work = Coroutine[Any, Any, None]


class Client2(Client):
    """See the module's docstring."""

    __slots__ = ()

    session: Session3
    protocol = PROTOCOL_4

    def new_session(self, now: float) -> Session3:
        """Make the session, and let the client into the main namespace."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        options, transport = self.settings.session_options, self.transport.name
        self.local.runtime.spawn(self._enter_main(), self)
        return Session3(self.local.new_id(), options, transport, now, base64="b64" in query)

    async def _enter_main(self) -> None:
        client: Any = self
        if not self._ended and (work := begin(client, Packet(PacketType.CONNECT, "/"))):
            await work

    # In

    def receive_packet(self, packet: str | bytes) -> Work | None:
        """Take an Engine.IO packet."""
        work = super().receive_packet(packet)
        if self.session.pinged:
            self._answer_ping()
        return work

    def receive_payload(self, payload: str | bytes) -> Iterator[Work | None]:
        """Take the body of a POST."""
        for work in super().receive_payload(payload):
            if self.session.pinged:
                self._answer_ping()
            yield work

    def _answer_ping(self) -> None:
        if self.session.answer_ping(self.loop.time()):
            self.transport.flush()

    # Out

    def send(self, frames: tuple[Frame, ...], volatile: bool = False) -> bool:
        """Write frames, in the form of revision 3."""
        base64 = self.session.base64
        return super().send(tuple([revise(frame, base64) for frame in frames]), volatile)
