"""What Python makes of the private names of SocketIOConsumer, for who needs what lies behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..sockets.behaviour import Behaviour

if TYPE_CHECKING:
    from ..sockets.socket import Socket

# What Python makes of ``__behaviour`` and ``__socket`` inside SocketIOConsumer.
_BEHAVIOUR = "_SocketIOConsumer__behaviour"
SOCKET = "_SocketIOConsumer__socket"


def behaviour_of(cls: type) -> Behaviour:
    """Return what a consumer class does. Raises TypeError for any other class."""
    behaviour = getattr(cls, _BEHAVIOUR, None)
    if not isinstance(behaviour, Behaviour):
        raise TypeError(f"{cls!r} is no subclass of SocketIOConsumer")
    return behaviour


def socket_of(consumer: Any) -> Socket:
    """Return the socket of a consumer, whatever its class has made of attributes."""
    socket: Socket = vars(consumer)[SOCKET]
    return socket
