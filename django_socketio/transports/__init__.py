"""The transports of Engine.IO as Channels consumers; only this package does ASGI I/O."""

from .direct import consumer_for
from .files import ClientFiles
from .gateway import Gateway
from .polling import PollingConsumer
from .websocket import WebSocketConsumer

__all__ = ["ClientFiles", "Gateway", "PollingConsumer", "WebSocketConsumer", "consumer_for"]
