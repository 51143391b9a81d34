"""The demo's ASGI application: Socket.IO in front of Django, in one line."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from django_socketio.asgi import SocketIOApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_project.settings")

# The static files handler is for the demo only: it lets any ASGI server be tried as it is.
application = SocketIOApplication(ASGIStaticFilesHandler(get_asgi_application()))
