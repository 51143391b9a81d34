"""Defaults, but for what a benchmark asks for in its environment."""

from __future__ import annotations

import os

SECRET_KEY = "only-for-benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "benchmarks.project.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "django_socketio",
    "benchmarks.project",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("BENCH_DATABASE", ":memory:"),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {"timeout": 20},
    }
}

_ping_interval = float(os.environ.get("BENCH_PING_INTERVAL", "25"))
SOCKETIO = {
    "PING_INTERVAL": _ping_interval,
    "PING_TIMEOUT": _ping_interval * 0.8,  # the proportion of the defaults
    "JSON": os.environ.get("BENCH_JSON") or None,
    "MAX_HANDSHAKES_PER_ADDRESS": 1_000_000,  # all clients come from one address
}
SIO_ENGINEIO_PING_INTERVAL_MS = int(_ping_interval * 1000)  # django-sio's

if redis := os.environ.get("BENCH_REDIS"):
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [f"redis://{redis}/0"]},
        }
    }
else:
    # The default, spelled out for the servers that ask for a layer. A channel that is full drops
    # messages, and a broadcast must not lose any.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000},
        }
    }
