"""What the page "Live" shows."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DatabaseError
from django.template.loader import render_to_string
from django.utils.timezone import localtime, now
from django.utils.translation import gettext

from ..conf import get_settings
from ..models import ServerProcess
from ..stats.counters import TallyName
from ..stats.gather import Gathered
from ..stats.minutes import STEP
from ..stats.shapes import NamedReport, ProcessReport, complete_process
from ..stats.totals import add_up
from . import charts
from .recent import recent

FRAGMENT = "admin/django_socketio/_live.html"
# Processes that have not written for longer are not shown.
FORGOTTEN = timedelta(hours=1)
# Seconds of delay from which on a process's event loop is shown as late.
LATE = 0.25
RUNNING, STALE, SILENT = "running", "stale", "silent"

Named = TypeVar("Named", bound=NamedReport)


def known_processes() -> list[ServerProcess]:
    """Return the rows of processes that have not ended; none if the database is down."""
    try:
        since = now() - FORGOTTEN
        rows = ServerProcess.objects.filter(ended=None, last_seen__gt=since)
        return list(rows.order_by("started"))
    except DatabaseError:
        return []


def process_names(gathered: Gathered[Named]) -> dict[str, str]:
    """Return each process's name, "host:pid", by its id."""
    names = {row.node: str(row) for row in known_processes()}
    for node, report in gathered.reports.items():
        if report["name"]:
            names[node] = report["name"]
    return names


def fragment(gathered: Gathered[ProcessReport]) -> str:
    """Return the changing part of the page as HTML."""
    return render_to_string(FRAGMENT, context(gathered))


def context(gathered: Gathered[ProcessReport]) -> dict[str, Any]:
    """Return what the template needs."""
    reports = _all_reports(gathered)
    living = [report for report, state in reports if state == RUNNING]
    total = add_up(living)
    processes = [_process(report, state) for report, state in reports]
    return {
        # In an order that stays the same from update to update.
        "processes": sorted(processes, key=lambda row: (row["name"], row["node"])),
        "running": len(living),
        "stale": [report for report, state in reports if state != RUNNING],
        "total": total,
        "slow_clients": total["limits"].get("slow client", 0),
        "namespaces": sorted(total["sockets"]["now"].items(), key=lambda item: -item[1])[:20],
        "troubles": {
            title: sorted(total[name].items(), key=lambda item: -item[1])[:8]
            for title, name in _troubles().items()
            if total[name]
        },
        "charts": _charts(gathered, total["sockets"]["total"]),
        "charts_available": charts.is_available(),
        "recording": bool(get_settings().stats_interval),
        "now": now(),
    }


def _all_reports(gathered: Gathered[ProcessReport]) -> list[tuple[ProcessReport, str]]:
    """Return each process's report, its own or that of its row, with the process's state."""
    reports = {node: (report, RUNNING) for node, report in gathered.reports.items()}
    for row in known_processes():
        if row.node in reports:
            continue
        if row.node in gathered.missing:
            state = SILENT
        elif gathered.complete or row.is_stale:
            # If it ran, it would have answered: the processes share a channel layer.
            state = STALE
        else:
            state = RUNNING
        reports[row.node] = row.as_report(), state
    for node in gathered.missing - reports.keys():
        reports[node] = complete_process({"node": node}), SILENT
    return list(reports.values())


def _troubles() -> dict[str, TallyName]:
    """Return the tallies that are shown, by their titles."""
    return {
        gettext("Errors in handlers"): "handler_errors",
        gettext("Protocol violations"): "violations",
        gettext("Limits hit"): "limits",
        gettext("Refused connections"): "refusals",
        gettext("Refused requests"): "requests_refused",
        gettext("Refused events"): "events_refused",
        gettext("Disconnects"): "disconnects",
        gettext("Channel layer"): "layer",
    }


def _process(report: ProcessReport, state: str) -> dict[str, Any]:
    """Return a row of the table of processes."""
    counted = report["counters"]
    lag, started = counted["lag"], report["started"]
    return {
        "node": report["node"],
        "name": report["name"] or report["node"],
        "version": report["version"],
        "started": datetime.fromisoformat(started) if started else None,
        "state": state,
        "sessions": counted["sessions"]["total"],
        "sockets": counted["sockets"]["total"],
        "events_in": counted["traffic"]["events_in"],
        "events_out": counted["traffic"]["events_out"],
        "lag": round(lag["last"] * 1000),
        "lag_highest": round(lag["highest"] * 1000),
        "late": lag["last"] > LATE,
        "layer_up": report["layer_up"],
        "lost": report["lost"],
        "errors": sum(counted["handler_errors"].values()),
    }


def _charts(gathered: Gathered[ProcessReport], sockets: int) -> list[dict[str, Any]]:
    """Return the charts of the last minutes; the first ends with ``sockets``, those of now."""
    for node, report in gathered.reports.items():
        recent.add(node, report["recent"])
    at_now = time.time()
    points = recent.points(at_now)
    if not points:
        return []
    labels = [
        f"{localtime(datetime.fromtimestamp(at).astimezone()):%H:%M:%S}" for at in (*points, at_now)
    ]

    connected = [*(point.sockets for point in points.values()), sockets]
    # What happens now is no rate yet.
    received = [*(point.events_in / STEP for point in points.values()), None]
    sent = [*(point.events_out / STEP for point in points.values()), None]
    return [
        charts.figure(gettext("Connected sockets"), labels, [(gettext("sockets"), connected)]),
        charts.figure(
            gettext("Events per second"),
            labels,
            [(gettext("received"), received), (gettext("sent"), sent)],
        ),
    ]
