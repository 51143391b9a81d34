"""A Socket.IO server for Django.

The names below are loaded when they are first used, so that this package can be imported before
Django is set up.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .exceptions import ConnectionRefused as ConnectionRefused
    from .server.consumers import SocketIOConsumer as SocketIOConsumer
    from .server.handlers import event as event
    from .server.operators import io as io
    from .server.registry import register as register

_PUBLIC = {
    "ConnectionRefused": ".exceptions",
    "SocketIOConsumer": ".server.consumers",
    "event": ".server.handlers",
    "io": ".server.operators",
    "register": ".server.registry",
}

__all__ = ["ConnectionRefused", "SocketIOConsumer", "event", "io", "register"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PUBLIC[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
