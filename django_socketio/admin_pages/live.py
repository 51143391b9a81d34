"""What the page "Live" shows, and how it moves by itself."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.template.loader import render_to_string
from django.utils.timezone import localtime, now
from django.utils.translation import gettext

from ..conf import get_settings
from ..models import ServerProcess
from ..stats.gather import Gathered
from ..stats.recorder import KEPT, STEP
from ..stats.totals import add_up
from . import charts

FRAGMENT = "admin/django_socketio/_live.html"
# Processes that have not been seen for longer are not shown.
FORGOTTEN = timedelta(hours=1)
# A loop that is so late is in trouble, in seconds.
LATE = 0.25
RUNNING, STALE, SILENT = "running", "stale", "silent"


def known_processes() -> list[ServerProcess]:
    """The rows of processes that have not ended, as far as the database can be asked."""
    try:
        since = now() - FORGOTTEN
        rows = ServerProcess.objects.filter(ended=None, last_seen__gt=since)
        return list(rows.order_by("started"))
    except DatabaseError:
        return []


def process_names(gathered: Gathered) -> dict[str, str]:
    """host:pid by process."""
    names = {row.node: str(row) for row in known_processes()}
    for node, report in gathered.reports.items():
        if "name" in report:
            names[node] = report["name"]
    return names


def fragment(gathered: Gathered) -> str:
    """The part of the page that moves, as HTML."""
    return render_to_string(FRAGMENT, context(gathered))


def context(gathered: Gathered) -> dict[str, Any]:
    """What the template needs."""
    rows = known_processes()
    reports = {node: (report, RUNNING) for node, report in gathered.reports.items()}
    for row in rows:
        if row.node in reports:
            continue
        if row.node in gathered.missing:
            reports[row.node] = (row.as_report(), SILENT)
        elif gathered.complete or row.is_stale:
            # Those that share our channel layer would have answered.
            reports[row.node] = (row.as_report(), STALE)
        else:
            reports[row.node] = (row.as_report(), RUNNING)
    for node in gathered.missing - reports.keys():
        reports[node] = ({"node": node, "counters": {}}, SILENT)
    living = [report for report, state in reports.values() if state == RUNNING]
    total = add_up(living)
    processes = [_process(report, state) for report, state in reports.values()]
    return {
        # In an order that stays while the page moves.
        "processes": sorted(processes, key=lambda row: (row["name"], row["node"])),
        "running": len(living),
        "stale": [report for report, state in reports.values() if state != RUNNING],
        "total": total,
        "slow_clients": total["limits"].get("slow client", 0),
        "namespaces": sorted(total["sockets"]["now"].items(), key=lambda item: -item[1])[:20],
        "troubles": {
            title: sorted(total[name].items(), key=lambda item: -item[1])[:8]
            for title, name in (
                (gettext("Errors in handlers"), "handler_errors"),
                (gettext("Protocol violations"), "violations"),
                (gettext("Limits hit"), "limits"),
                (gettext("Refused connections"), "refusals"),
                (gettext("Refused requests"), "requests_refused"),
                (gettext("Refused events"), "events_refused"),
                (gettext("Disconnects"), "disconnects"),
                (gettext("Channel layer"), "layer"),
            )
            if total[name]
        },
        "charts": _charts(gathered),
        "charts_available": charts.is_available(),
        "recording": bool(get_settings().stats_interval),
        "now": now(),
    }


def _process(report: dict[str, Any], state: str) -> dict[str, Any]:
    counted = report["counters"]
    lag = counted.get("lag", {})
    started = report.get("started")
    return {
        "node": report["node"],
        "name": f"{report['host']}:{report['pid']}" if "host" in report else report["node"],
        "version": report.get("version", ""),
        "started": datetime.fromisoformat(started) if started else None,
        "state": state,
        "sessions": counted.get("sessions", {}).get("total", 0),
        "sockets": counted.get("sockets", {}).get("total", 0),
        "events_in": counted.get("traffic", {}).get("events_in", 0),
        "events_out": counted.get("traffic", {}).get("events_out", 0),
        "lag": round(lag.get("last", 0.0) * 1000),
        "lag_highest": round(lag.get("highest", 0.0) * 1000),
        "late": lag.get("last", 0.0) > LATE,
        "layer_up": report.get("layer_up"),
        "lost": report.get("lost", 0),
        "errors": sum(counted.get("handler_errors", {}).values()),
    }


def _charts(gathered: Gathered) -> list[dict[str, Any]]:
    """The last minutes of all processes that answered."""
    sums: dict[int, Counter[str]] = {}
    for report in gathered.reports.values():
        for at, sockets, events_in, events_out in report.get("recent", ()):
            sums.setdefault(at, Counter()).update(
                {"sockets": sockets, "in": events_in, "out": events_out}
            )
    # The youngest entry is complete when every process has made its own.
    newest = int(time.time()) // STEP * STEP - STEP
    times = [at for at in sorted(sums) if at <= newest][-KEPT:]
    if not times:
        return []
    labels = [f"{localtime(datetime.fromtimestamp(at).astimezone()):%H:%M:%S}" for at in times]
    drawn = []
    for title, series in (
        (gettext("Connected sockets"), ((gettext("sockets"), "sockets", 1),)),
        (
            gettext("Events per second"),
            ((gettext("received"), "in", STEP), (gettext("sent"), "out", STEP)),
        ),
    ):
        values = [
            (name, [sums[at][key] / divisor for at in times]) for name, key, divisor in series
        ]
        drawn.append(charts.figure(title, labels, values))
    return drawn
