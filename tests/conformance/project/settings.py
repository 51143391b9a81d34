"""A project with as little of Django as possible; ``SOCKETIO`` comes as JSON."""

from __future__ import annotations

import json
import os

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "tests.conformance.project.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "django_socketio",
    "tests.conformance.project",
]
# No client of these tests has a session, and nothing here needs a table.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django_socketio": {"handlers": ["stderr"], "level": "INFO"}},
}

SOCKETIO = json.loads(os.environ["CONFORMANCE_SOCKETIO"])
