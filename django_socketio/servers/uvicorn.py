"""What uvicorn is told to use; see docs/deployment.md.

``uvicorn --http django_socketio.servers.uvicorn:HTTPProtocol``
"""

from uvicorn.protocols.http.auto import AutoHTTPProtocol as HTTPProtocol
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol as WebSocketProtocol

__all__ = ["HTTPProtocol", "WebSocketProtocol"]
