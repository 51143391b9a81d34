from __future__ import annotations

from django.core.asgi import get_asgi_application

from django_socketio.asgi import SocketIOApplication

application = SocketIOApplication(get_asgi_application())
