"""Channels consumers that carry Engine.IO sessions. All ASGI I/O is here and nowhere else."""

from .gateway import Gateway
from .polling import PollingConsumer
from .websocket import WebSocketConsumer

__all__ = ["Gateway", "PollingConsumer", "WebSocketConsumer"]
