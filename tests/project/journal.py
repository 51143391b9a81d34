"""What the server process saw, kept in memory for `/state/`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_lock = threading.Lock()
_entries: list[dict[str, Any]] = []
_queries = 0


def record(tag: Any, what: str, **details: Any) -> None:
    """Note that `what` happened to the socket whose test named it `tag`."""
    with _lock:
        _entries.append({"tag": tag, "what": what, **details})


def entries(tag: str) -> list[dict[str, Any]]:
    with _lock:
        return [entry for entry in _entries if entry["tag"] == tag]


def queries() -> int:
    """How many database queries this process has made."""
    return _queries


def _count(execute: Callable[..., Any], *args: Any) -> Any:
    global _queries
    with _lock:
        _queries += 1
    return execute(*args)


def _wrap(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def count_queries() -> None:
    """Count every query of every connection this process opens from now on."""
    connection_created.connect(_wrap)
