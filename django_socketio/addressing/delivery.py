"""The options of a packet that is sent, and the actions that sockets can be made to do."""

from __future__ import annotations

from typing import NamedTuple

from ..enums import StrEnum


class Delivery(NamedTuple):
    """How a packet is sent.

    ``compress``: an HTTP answer that holds it may be compressed. ``volatile``: it is dropped for a
    client whose transport cannot take it now, see
    https://socket.io/docs/v4/emitting-events/#volatile-events
    """

    compress: bool = True
    volatile: bool = False


NORMAL = Delivery()


class Action(StrEnum):
    """What ``sockets_join`` and its kin make sockets do; the values travel between processes."""

    JOIN = "join"
    LEAVE = "leave"
    # CLOSE leaves the namespace, DISCONNECT ends the whole connection.
    CLOSE = "close"
    DISCONNECT = "disconnect"
