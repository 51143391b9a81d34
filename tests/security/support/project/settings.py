"""Settings of that project: the test run's, and what the test asks for as JSON."""

from __future__ import annotations

import json
import os

from tests.project.settings import *  # noqa: F403
from tests.project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.security.support.project"]
ROOT_URLCONF = "tests.security.support.project.urls"
# Only the Socket.IO handshake has a session here, and no test needs a table for it.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MIDDLEWARE: list[str] = []

SOCKETIO = json.loads(os.environ.get("SOCKETIO", "{}"))
