"""What the page "Connections" sorts and offers, and the page of one connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from ..stats.gather import gather
from ..stats.listings import DEFAULT_ORDER, row_key
from ..stats.reports import SOCKETS
from ..stats.shapes import SocketRow, SocketsParams, SocketsReport
from . import live

# The columns by which can be sorted, what stands above them, whether they begin with the largest.
COLUMNS = {
    "user": (_("User and socket"), False),
    "namespace": (_("Namespace and rooms"), False),
    "transport": (_("Transport"), False),
    "agent": (_("Browser"), False),
    "since": (_("Connected"), True),
    "packets": (_("Packets"), True),
}
# The most namespaces and rooms that are offered, and sockets of one connection that are shown.
MAX_CHOICES = 200
MAX_SOCKETS = 100


def read_order(query: QueryDict) -> str:
    """Return the order that is asked for: a column, with "-" for the largest first."""
    order = query.get("o", "")
    return order if order.removeprefix("-") in COLUMNS else DEFAULT_ORDER


def sort_rows(rows: Iterable[SocketRow], order: str) -> list[SocketRow]:
    """Return the rows of all processes in an order."""
    return sorted(rows, key=row_key(order.removeprefix("-")), reverse=order.startswith("-"))


def headings(query: QueryDict, order: str) -> list[dict[str, Any]]:
    """Return the heads of the columns; the link of the one that sorts turns the order round."""
    shown = []
    for name, (label, largest_first) in COLUMNS.items():
        here = order.removeprefix("-") == name
        falling = order.startswith("-") if here else not largest_first
        wanted = query.copy()
        wanted.pop("p", None)
        wanted["o"] = name if falling else f"-{name}"
        direction = ("descending" if falling else "ascending") if here else ""
        heading = {"label": label, "url": "?" + wanted.urlencode(), "direction": direction}
        shown.append({**heading, "number": name == "packets"})
    return shown


def choices(reports: Iterable[SocketsReport], namespace: str) -> dict[str, list[str]]:
    """Return the namespaces and rooms to choose from, the largest of all processes."""
    namespaces: Counter[str] = Counter({namespace: 0} if namespace else {})
    rooms: Counter[str] = Counter()
    for report in reports:
        namespaces.update(report["namespaces"])
        rooms.update(report["rooms"])
    largest = (name for name, _size in namespaces.most_common(MAX_CHOICES))
    return {
        "namespace_choices": sorted({*largest, *([namespace] if namespace else [])}),
        "room_choices": sorted(name for name, _size in rooms.most_common(MAX_CHOICES)),
    }


def connection(node: str, session: str) -> dict[str, Any] | None:
    """Return what the page of a connection shows; None if its process knows of none.

    ``session`` is the part of the session's id that is shown.
    """
    gathered = gather(SOCKETS, SocketsParams(session=session, limit=MAX_SOCKETS))
    if node not in gathered.reports:
        return None
    rows = [row for row in gathered.reports[node]["rows"] if row["session"] == session]
    if not rows:
        return None
    return {
        "connection": {
            **rows[0],
            "since": datetime.fromisoformat(rows[0]["since"]),
            "process": live.process_names(gathered).get(node, node),
        },
        "rows": sorted(rows, key=lambda row: row["namespace"]),
    }
