"""``path("metrics/", django_socketio.metrics.view)``: see :mod:`django_socketio.stats.metrics`."""

from .stats.metrics import SocketIOCollector, view

__all__ = ["SocketIOCollector", "view"]
