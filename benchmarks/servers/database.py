"""The query of the scenario "query", for servers that are no Django project of their own."""

from __future__ import annotations

import os

import django
from channels.db import database_sync_to_async

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")
django.setup()

from benchmarks.project.query import query  # noqa: E402 - Django has to be set up

aquery = database_sync_to_async(query)
