"""Settings of a server that a test starts: what it asks for comes as JSON."""

from __future__ import annotations

import json
import os

from tests.harness.node import PACKAGES
from tests.project.settings import *  # noqa: F403
from tests.project.settings import DATABASES, INSTALLED_APPS

# What the test asks for: {"APP": the app with the namespaces, "DATABASE": path, a dict as in
# DATABASES or None, "SOCKETIO": {...}, "REDIS": url or None} and, with Redis, "LAYER": "pubsub",
# "core" or a dotted path, and "LAYER_CONFIG": {...}. Without Redis a dotted path may be asked for.
_asked = json.loads(os.environ["TEST_PROJECT"])

INSTALLED_APPS = [*INSTALLED_APPS, _asked["APP"]]

# A checkout has no bundles of the client.
STATICFILES_DIRS = [("django_socketio/client", PACKAGES / "socket.io-client" / "dist")]

if _asked["DATABASE"] is None:  # there are no tables
    SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
elif isinstance(_asked["DATABASE"], dict):
    DATABASES["default"] = _asked["DATABASE"]
else:
    DATABASES["default"].update(NAME=_asked["DATABASE"], OPTIONS={"timeout": 20})
# Most tests count queries, or have no table to write to. Clients 2.x are let in where no test
# compares this server with Node's.
_own = {"STATS_INTERVAL": None, "ALLOW_EIO3": _asked["APP"] == "tests.project"}
SOCKETIO = {**_own, **_asked["SOCKETIO"]}

_LAYERS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}

_layer = _asked.get("LAYER", "pubsub")

_config = _asked.get("LAYER_CONFIG", {})

if _asked["REDIS"]:
    _config = {"hosts": [_asked["REDIS"]], **_config}
if _asked["REDIS"] or _layer not in _LAYERS:
    CHANNEL_LAYERS = {"default": {"BACKEND": _LAYERS.get(_layer, _layer), "CONFIG": _config}}
if _layer.startswith("channels_postgres."):
    INSTALLED_APPS.append("channels_postgres")
    DATABASES["channels_postgres"] = {
        key: _config[key] for key in ("ENGINE", "NAME", "USER", "HOST", "PORT")
    }
