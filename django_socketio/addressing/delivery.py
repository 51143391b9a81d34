"""How something is sent, and what sockets can be made to do."""

from __future__ import annotations

from typing import NamedTuple

from ..enums import StrEnum


class Delivery(NamedTuple):
    """How a packet is sent.

    ``compress``: an HTTP answer that holds it may be compressed. ``volatile``: it may be dropped
    for a client whose transport cannot take it now ("Volatile events" of the documentation).
    """

    compress: bool = True
    volatile: bool = False


NORMAL = Delivery()


class Action(StrEnum):
    """What ``sockets_join`` and its kin make sockets do; the values travel between processes."""

    JOIN = "join"
    LEAVE = "leave"
    # Leave the namespace, and end the whole connection.
    CLOSE = "close"
    DISCONNECT = "disconnect"
