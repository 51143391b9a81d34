"""How the registry and the reports find out what a consumer class does."""

from __future__ import annotations

from ..sockets.behaviour import Behaviour

# What Python makes of ``__behaviour`` inside SocketIOConsumer.
_BEHAVIOUR = "_SocketIOConsumer__behaviour"


def behaviour_of(cls: type) -> Behaviour:
    """Return what a consumer class does. Raises TypeError for any other class."""
    behaviour = getattr(cls, _BEHAVIOUR, None)
    if not isinstance(behaviour, Behaviour):
        raise TypeError(f"{cls!r} is no subclass of SocketIOConsumer")
    return behaviour
