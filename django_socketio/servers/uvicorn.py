"""What uvicorn is told to use; see docs/deployment.md.

``uvicorn --ws django_socketio.servers.uvicorn:WebSocketProtocol``
"""

from .websocket.chosen import WebSocketProtocol

__all__ = ["WebSocketProtocol"]
