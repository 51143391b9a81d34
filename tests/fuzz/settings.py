"""Django's settings for the fuzz targets: small limits, so that they are reached."""

from __future__ import annotations

SECRET_KEY = "only-for-fuzzing"
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
INSTALLED_APPS = ["channels", "django_socketio"]
SOCKETIO = {
    "ALLOW_EIO3": True,
    "STATS_INTERVAL": None,
    "MAX_HTTP_BUFFER_SIZE": 3000,
    "MAX_PACKETS_PER_PAYLOAD": 50,
    "MAX_ATTACHMENTS": 5,
    "MAX_ATTACHMENTS_SIZE": 500,
    "MAX_NESTING_DEPTH": 10,
    "MAX_EVENT_NAME_LENGTH": 30,
    "MAX_NAMESPACES": 5,
    "MAX_PENDING_EVENTS": 20,
}
