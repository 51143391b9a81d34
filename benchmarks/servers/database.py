"""The query of the scenario "query", for servers that know nothing of Django otherwise."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import cache


@cache
def _query() -> Callable[[], Awaitable[str]]:
    """Django is set up only where it is asked for: the others' memory must not show it."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")
    django.setup()
    from channels.db import database_sync_to_async

    from benchmarks.project.query import query

    in_thread: Callable[[], Awaitable[str]] = database_sync_to_async(query)
    return in_thread


async def aquery() -> str:
    """As a project would write it: in a worker thread, connections tidied."""
    return await _query()()
