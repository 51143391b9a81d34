"""What the page "Live" shows, and how it moves by itself."""

from __future__ import annotations

import time
from collections import Counter
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
from ..stats.minutes import KEPT, STEP
from ..stats.shapes import NamedReport, ProcessReport, complete_process
from ..stats.totals import add_up
from . import charts

FRAGMENT = "admin/django_socketio/_live.html"
# Processes that have not been seen for longer are not shown.
FORGOTTEN = timedelta(hours=1)
# A loop that is so late is in trouble, in seconds.
LATE = 0.25
RUNNING, STALE, SILENT = "running", "stale", "silent"

Named = TypeVar("Named", bound=NamedReport)


def known_processes() -> list[ServerProcess]:
    """The rows of processes that have not ended, as far as the database can be asked."""
    try:
        since = now() - FORGOTTEN
        rows = ServerProcess.objects.filter(ended=None, last_seen__gt=since)
        return list(rows.order_by("started"))
    except DatabaseError:
        return []


def process_names(gathered: Gathered[Named]) -> dict[str, str]:
    """host:pid by process."""
    names = {row.node: str(row) for row in known_processes()}
    for node, report in gathered.reports.items():
        if report["name"]:
            names[node] = report["name"]
    return names


def fragment(gathered: Gathered[ProcessReport]) -> str:
    """The part of the page that moves, as HTML."""
    return render_to_string(FRAGMENT, context(gathered))


def context(gathered: Gathered[ProcessReport]) -> dict[str, Any]:
    """What the template needs."""
    reports = _all_reports(gathered)
    living = [report for report, state in reports if state == RUNNING]
    total = add_up(living)
    processes = [_process(report, state) for report, state in reports]
    return {
        # In an order that stays while the page moves.
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
        "charts": _charts(gathered),
        "charts_available": charts.is_available(),
        "recording": bool(get_settings().stats_interval),
        "now": now(),
    }


def _all_reports(gathered: Gathered[ProcessReport]) -> list[tuple[ProcessReport, str]]:
    """What is known of each process, from itself or from its row, and the state it is in."""
    reports = {node: (report, RUNNING) for node, report in gathered.reports.items()}
    for row in known_processes():
        if row.node in reports:
            continue
        if row.node in gathered.missing:
            state = SILENT
        elif gathered.complete or row.is_stale:
            # Those that share our channel layer would have answered.
            state = STALE
        else:
            state = RUNNING
        reports[row.node] = row.as_report(), state
    for node in gathered.missing - reports.keys():
        reports[node] = complete_process({"node": node}), SILENT
    return list(reports.values())


def _troubles() -> dict[str, TallyName]:
    """The tallies that are shown, by their titles."""
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
    """A row of the table of processes."""
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


def _charts(gathered: Gathered[ProcessReport]) -> list[dict[str, Any]]:
    """The last minutes of all processes that answered."""
    sums: dict[int, Counter[str]] = {}
    for report in gathered.reports.values():
        for at, sockets, events_in, events_out in report["recent"]:
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
