"""Says what in a packet JSON cannot hold, and what to send instead."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from .codec import Default

# Deeper than that nobody looks: the data may contain itself.
DEEPEST = 50

_PLAIN = (str, int, float, bool, bytes, bytearray, memoryview, type(None))


def explain(data: Any, name: str, default: Default) -> str | None:
    """Return what is wrong with ``data``, which is called ``name``; None if nothing is found.

    ``default`` turns values of other types into JSON's own, or raises TypeError.
    """
    for path, value in _others(data, name, 0):
        try:
            default(value)
        except Exception:
            kind = type(value).__name__
            return f"{path} is of type {kind}, which JSON cannot hold: {_cure(value)}"
    return None


def _others(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the values that are not of JSON's types, with where they are."""
    if depth > DEEPEST or isinstance(value, _PLAIN):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _others(item, f"{path}[{key!r}]"[:200], depth + 1)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _others(item, f"{path}[{number}]"[:200], depth + 1)
    else:
        yield path, value


def _cure(value: Any) -> str:
    """Return what to do. The value is not touched: a lazy one would ask the database."""
    kind = type(value)
    names = {cls.__name__ for cls in kind.__mro__}
    if inspect.iscoroutine(value) or hasattr(kind, "__await__"):
        return "did you forget “await”?"
    if "QuerySet" in names:
        return "send rows, list(queryset.values(...))"
    if "Manager" in names or "BaseManager" in names:
        return "send rows, list(objects.values(...))"
    if hasattr(kind, "_meta") or "LazyObject" in names:
        return "send some of its fields, such as {'id': object.pk}"
    if issubclass(kind, Iterable):
        return "send list(...) of it"
    return "send text, numbers, lists, dicts and bytes"
