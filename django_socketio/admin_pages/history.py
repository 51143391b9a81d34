"""Charts of the last hour, day and week, from the samples in the database."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from django.db.models import Count, F, Max, Sum
from django.db.models.functions import Mod
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import TrafficSample
from ..stats.minutes import current_minute
from . import charts

# Minutes that are shown, minutes that share a point, how a point's time is written (as in |date).
RANGES = {
    "hour": (_("Hour"), 60, 1, "H:i"),
    "day": (_("Day"), 1440, 15, "H:i"),
    "week": (_("Week"), 10080, 120, "D j"),
}


def points(chosen: str) -> list[dict[str, Any]]:
    """Return the sums over all processes, a dict for each point of the charts. Makes one query."""
    _name, minutes, step, _form = RANGES[chosen]
    # The current minute has no samples yet.
    end = current_minute() // step * step
    start = end - minutes
    found = {
        row["point"]: row
        for row in TrafficSample.objects.filter(minute__gte=start)
        .annotate(point=F("minute") - Mod(F("minute"), step))
        .values("point")
        .annotate(
            minutes=Count("minute", distinct=True),
            sockets=Sum("sockets"),
            connects=Sum("connects"),
            events_in=Sum("events_in"),
            events_out=Sum("events_out"),
            bytes_in=Sum("bytes_in"),
            bytes_out=Sum("bytes_out"),
            errors=Sum("errors"),
            lost=Sum("lost"),
            lag=Max("lag"),
        )
        .order_by("point")
    }
    return [{"at": at, **found.get(at, {})} for at in range(start, end + 1, step)]


def context(chosen: str) -> dict[str, Any]:
    """Return what the template needs."""
    _name, _minutes, _step, form = RANGES[chosen]
    rows = points(chosen)
    while rows and len(rows[-1]) == 1:
        rows.pop()  # points without samples yet
    labels = [
        date_format(localtime(datetime.fromtimestamp(row["at"] * 60, timezone.utc)), form)
        for row in rows
    ]

    def values(key: str, scale: float = 1.0, average: bool = True) -> list[float | None]:
        return [
            None if key not in row else row[key] * scale / (row["minutes"] if average else 1)
            for row in rows
        ]

    wanted = [
        (gettext("Connected sockets"), [(gettext("sockets"), values("sockets"))]),
        (
            gettext("Events per second"),
            [
                (gettext("received"), values("events_in", 1 / 60)),
                (gettext("sent"), values("events_out", 1 / 60)),
            ],
        ),
        (
            gettext("Kilobytes per second"),
            [
                (gettext("received"), values("bytes_in", 1 / 60_000)),
                (gettext("sent"), values("bytes_out", 1 / 60_000)),
            ],
        ),
        (
            gettext("Sockets that connected per minute"),
            [(gettext("sockets"), values("connects"))],
        ),
        (
            gettext("Troubles per minute"),
            [
                (gettext("errors in handlers"), values("errors")),
                (gettext("messages between processes lost"), values("lost")),
            ],
        ),
        (
            gettext("Longest delay of the event loop, in milliseconds"),
            [(gettext("delay"), values("lag", 1000, average=False))],
        ),
    ]
    return {
        "ranges": [(key, value[0], key == chosen) for key, value in RANGES.items()],
        "charts": [charts.figure(title, labels, series) for title, series in wanted]
        if rows
        else [],
        "charts_available": charts.is_available(),
        "rows": [
            {
                **row,
                "time": datetime.fromtimestamp(row["at"] * 60, timezone.utc),
                "sockets": round(row["sockets"] / row["minutes"]),
                "lag_ms": round(row["lag"] * 1000),
            }
            for row in reversed(rows)
            if len(row) > 1
        ][:60],
    }
