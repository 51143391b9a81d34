"""Add up what several processes report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .counters import TALLIES, GaugeCounts
from .shapes import Counters, HandlerRow, ProcessReport, complete


def add_up(reports: Iterable[ProcessReport]) -> Counters:
    """Return the counters of several processes as one; of the lag it has the longest.

    A peak is the sum of each process's own peak.
    """
    every = [report["counters"] for report in reports]
    lags = [counted["lag"] for counted in every]
    return complete(
        Counters,
        {
            **{name: _add(counted[name] for counted in every) for name in TALLIES},
            "traffic": _add(counted["traffic"] for counted in every),
            "sessions": _add_gauges([counted["sessions"] for counted in every]),
            "sockets": _add_gauges([counted["sockets"] for counted in every]),
            "lag": {
                "last": max((lag["last"] for lag in lags), default=0.0),
                "highest": max((lag["highest"] for lag in lags), default=0.0),
            },
            "handlers": _add_handlers(row for counted in every for row in counted["handlers"]),
        },
    )


def _add(counts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


def _add_gauges(gauges: list[GaugeCounts]) -> GaugeCounts:
    return {
        "now": _add(gauge["now"] for gauge in gauges),
        "peak": _add(gauge["peak"] for gauge in gauges),
        "total": sum(gauge["total"] for gauge in gauges),
        "highest": sum(gauge["highest"] for gauge in gauges),
        "opened": sum(gauge["opened"] for gauge in gauges),
    }


def _add_handlers(rows: Iterable[HandlerRow]) -> list[HandlerRow]:
    """Return one row for each consumer class and event."""
    total: dict[tuple[str, str], HandlerRow] = {}
    for row in rows:
        key = row["consumer"], row["event"]
        before = total.get(key)
        total[key] = row if before is None else _add_row(before, row)
    return list(total.values())


def _add_row(one: HandlerRow, other: HandlerRow) -> HandlerRow:
    return {
        **one,
        "count": one["count"] + other["count"],
        "total": one["total"] + other["total"],
        "longest": max(one["longest"], other["longest"]),
        "errors": one["errors"] + other["errors"],
        "buckets": [sum(pair) for pair in zip(one["buckets"], other["buckets"], strict=True)],
    }
