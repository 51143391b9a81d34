"""What the server process saw, kept in memory for the views, and gates for its handlers."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_lock = threading.Lock()
_entries: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
_gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
_queries = 0


def record(tag: Any, what: str, **details: Any) -> None:
    """Note that `what` happened to the socket whose test named it `tag`."""
    with _lock:
        _entries[tag].append({"what": what, **details})


def entries(tag: str) -> list[dict[str, Any]]:
    with _lock:
        return list(_entries.get(tag, ()))


def tags(what: str) -> list[str]:
    """The sockets to which this happened first of all."""
    with _lock:
        return [tag for tag, entries in _entries.items() if entries[0]["what"] == what]


def gate(name: str) -> asyncio.Event:
    """Where handlers wait until a test opens it."""
    return _gates[name]


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
