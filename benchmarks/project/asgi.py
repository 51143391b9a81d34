"""Ours in front of Django."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from django_socketio.asgi import SocketIOApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")
application = SocketIOApplication(get_asgi_application())
