"""Adding up what several processes report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from . import counters

SUMMED = tuple(counters.TALLIES)


def add_up(reports: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The counters of several processes in one; peaks are the sums of each one's own."""
    total: dict[str, Any] = {name: Counter() for name in (*SUMMED, "traffic")}
    for name in ("sessions", "sockets"):
        total[name] = {"now": Counter(), "peak": Counter(), "total": 0, "highest": 0}
    lag = {"last": 0.0, "highest": 0.0}
    handlers: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        counted = report["counters"]
        for name in (*SUMMED, "traffic"):
            total[name].update(counted.get(name, {}))
        for name in ("sessions", "sockets"):
            gauge = counted.get(name, {})
            for part in ("now", "peak"):
                total[name][part].update(gauge.get(part, {}))
            for part in ("total", "highest"):
                total[name][part] += gauge.get(part, 0)
        for part in lag:
            lag[part] = max(lag[part], counted.get("lag", {}).get(part, 0.0))
        for row in counted.get("handlers", ()):
            _add_row(handlers, row)
    plain = {name: dict(value) for name, value in total.items()}
    for name in ("sessions", "sockets"):
        for part in ("now", "peak"):
            plain[name][part] = dict(plain[name][part])
    return {**plain, "lag": lag, "handlers": list(handlers.values())}


def _add_row(handlers: dict[tuple[str, str], dict[str, Any]], row: dict[str, Any]) -> None:
    key = row["consumer"], row["event"]
    sum_so_far = handlers.get(key)
    if sum_so_far is None:
        handlers[key] = {**row, "buckets": list(row["buckets"])}
        return
    for name in ("count", "total", "errors"):
        sum_so_far[name] += row[name]
    sum_so_far["longest"] = max(sum_so_far["longest"], row["longest"])
    sum_so_far["buckets"] = [
        one + other for one, other in zip(sum_so_far["buckets"], row["buckets"], strict=True)
    ]
