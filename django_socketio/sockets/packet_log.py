"""The logger ``django_socketio.packets``: every Socket.IO packet, as ``DEBUG=socket.io*`` in Node.

It is chosen when a connection is made, so that nobody else pays. What clients send is escaped and
shortened; what they authenticate with is left out. https://socket.io/docs/v4/logging-and-debugging/
"""

from __future__ import annotations

import logging
from typing import Any

from ..addressing.handshake import address_of
from ..addressing.ids import shortened
from ..engineio import Frame
from ..logs import safe
from ..packets import Packet, PacketType
from .client import Client
from .client2 import Client2

logger = logging.getLogger("django_socketio.packets")

# How many characters of a packet are shown.
SHOWN = 300


def is_wanted() -> bool:
    """Return whether the packets of clients that come now are logged."""
    # Packets hold what users write: a project that logs everything asks for them by name, too.
    return logger.level != logging.NOTSET and logger.isEnabledFor(logging.DEBUG)


class LoggedClient(Client):
    """A client whose packets are logged. Lines begin with a part of the session's id."""

    __slots__ = ("_label",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._label = shortened(self.session.sid)
        known = self.settings.own_parser is None
        self._decoder = _LoggedDecoder(  # type: ignore[assignment]
            self._decoder, self._label, known
        )
        where = address_of(self.scope) or "unknown address"
        logger.debug("%s is %s over %s", self._label, safe(where), self.session.transport)

    def send(self, frames: tuple[Frame, ...], volatile: bool = False) -> bool:
        before = self.session.packets_out
        done = super().send(frames, volatile)
        way = "sent" if self.session.packets_out > before else "dropped (volatile)"
        for frame in frames:
            # An Engine.IO packet: its first character says that it is a message.
            data = frame.data[1:] if isinstance(frame.data, str) else frame.data
            logger.debug("%s %s %s", self._label, way, _show(data))
        return done


class LoggedClient2(LoggedClient, Client2):
    """The same of version 2.x."""

    __slots__ = ()


class _LoggedDecoder:
    """Logs what a decoder is given. Of an unknown form (``known``) the size alone is logged."""

    def __init__(self, decoder: Any, label: str, known: bool) -> None:
        self._decoder = decoder
        self._label = label
        self._known = known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def main_event(self, packet: str, begin: int) -> Packet | None:
        event: Packet | None = self._decoder.main_event(packet, begin)
        if event is not None:  # else it is fed
            self._log(packet[begin:])
        return event

    def feed(self, message: str | bytes) -> Packet | None:
        self._log(message)
        packet: Packet | None = self._decoder.feed(message)
        return packet

    def _log(self, message: str | bytes) -> None:
        shown = _show(message)
        if isinstance(message, str) and not self._known:
            shown = f"<{len(message)} characters>"
        elif isinstance(message, str) and message[:1] == PacketType.CONNECT and "{" in message:
            head, _, auth = message.partition("{")
            shown = f"{safe(head, SHOWN)}<{len(auth) + 1} characters>"
        logger.debug("%s received %s", self._label, shown)


def _show(message: str | bytes) -> str:
    if isinstance(message, bytes):
        return f"<{len(message)} bytes>"
    return safe(message, SHOWN)
