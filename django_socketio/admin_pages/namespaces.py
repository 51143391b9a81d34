"""What the page "Namespaces and events" shows: every consumer class and its handlers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..stats.counters import Timing
from ..stats.shapes import HandlerRow, ProcessReport
from ..stats.totals import add_up


def context(reports: Iterable[ProcessReport]) -> dict[str, Any]:
    """Return what the template needs."""
    total = add_up(reports)
    bounds = [
        *(f"≤ {_seconds(bound)}" for bound in Timing.BOUNDS),
        f"> {_seconds(Timing.BOUNDS[-1])}",
    ]
    handlers: dict[str, list[HandlerRow]] = {}
    for row in total["handlers"]:
        handlers.setdefault(row["consumer"], []).append(row)
    sockets = total["sockets"]["now"]
    consumers = [
        {
            "name": name,
            "namespaces": rows[0]["namespaces"],
            "events": [_event(row, bounds) for row in sorted(rows, key=lambda row: -row["count"])],
            "sockets": sum(sockets.get(namespace, 0) for namespace in rows[0]["namespaces"]),
        }
        for name, rows in handlers.items()
    ]
    return {
        "consumers": sorted(consumers, key=lambda consumer: consumer["namespaces"]),
        "bounds": bounds,
    }


def _event(row: HandlerRow, bounds: list[str]) -> dict[str, Any]:
    count = row["count"]
    return {
        **row,
        "average_ms": row["total"] / count * 1000 if count else None,
        "longest_ms": row["longest"] * 1000,
        "distribution": list(zip(bounds, row["buckets"], strict=True)),
    }


def _seconds(value: float) -> str:
    return f"{value * 1000:g} ms" if value < 1 else f"{value:g} s"
