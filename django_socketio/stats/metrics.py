"""An endpoint for Prometheus: ``path("metrics/", django_socketio.metrics.view)``.

Needs the ``prometheus_client`` package (the extra ``metrics``). Any process can answer: the numbers
are those that the running processes last wrote to the database (``STATS_INTERVAL``). Who may see
the page is the project's choice: wrap the view, or keep its path inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from ..models import ServerProcess
from .counters import TALLIES, TallyName, Timing
from .shapes import ProcessReport

_TRAFFIC = ("acks", "bytes", "events", "packets")


class SocketIOCollector(Collector):
    """Collects all that the running processes have counted, a series for each process."""

    def collect(self) -> Iterator[Metric]:
        rows = ServerProcess.objects.filter(ended=None)
        reports = [row.as_report() for row in rows if row.is_running]
        yield _gauge("sessions", "transport", reports)
        yield _gauge("sockets", "namespace", reports)
        for tally in TALLIES:
            yield _tally(tally, reports)
        for name in _TRAFFIC:
            yield _traffic(name, reports)
        upgrades = CounterMetricFamily("socketio_upgrades", "Upgrades.", labels=["process"])
        dropped = CounterMetricFamily(
            "socketio_volatile_dropped", "Volatile events dropped.", labels=["process"]
        )
        lag = GaugeMetricFamily(
            "socketio_loop_lag_seconds", "Delay of the loop.", labels=["process"]
        )
        for report in reports:
            traffic = report["counters"]["traffic"]
            upgrades.add_metric([report["name"]], traffic["upgrades"])
            dropped.add_metric([report["name"]], traffic["volatile_dropped"])
            lag.add_metric([report["name"]], report["counters"]["lag"]["last"])
        yield upgrades
        yield dropped
        yield lag
        yield _handlers(reports)


def _gauge(
    name: Literal["sessions", "sockets"], label: str, reports: list[ProcessReport]
) -> Metric:
    gauge = GaugeMetricFamily(f"socketio_{name}", f"Connected {name}.", labels=["process", label])
    for report in reports:
        for key, number in report["counters"][name]["now"].items():
            gauge.add_metric([report["name"], key], number)
    return gauge


def _tally(name: TallyName, reports: list[ProcessReport]) -> Metric:
    label = "namespace" if name == "connects" else "kind"
    counter = CounterMetricFamily(
        f"socketio_{name}", name.replace("_", " ").capitalize(), labels=["process", label]
    )
    for report in reports:
        for key, number in report["counters"][name].items():
            counter.add_metric([report["name"], key], number)
    return counter


def _traffic(name: str, reports: list[ProcessReport]) -> Metric:
    counter = CounterMetricFamily(
        f"socketio_{name}", f"{name.capitalize()}.", labels=["process", "direction"]
    )
    for report in reports:
        traffic: Mapping[str, Any] = report["counters"]["traffic"]
        for direction in ("in", "out"):
            counter.add_metric([report["name"], direction], traffic[f"{name}_{direction}"])
    return counter


def _handlers(reports: list[ProcessReport]) -> Metric:
    histogram = HistogramMetricFamily(
        "socketio_handler_seconds", "Time in handlers.", labels=["process", "consumer", "event"]
    )
    bounds = [*map(str, Timing.BOUNDS), "+Inf"]
    for report in reports:
        for row in report["counters"]["handlers"]:
            buckets = list(zip(bounds, accumulate(row["buckets"]), strict=True))
            labels = [report["name"], row["consumer"], row["event"]]
            histogram.add_metric(labels, buckets, row["total"])
    return histogram


def view(request: HttpRequest) -> HttpResponse:
    """Return all that is counted, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SocketIOCollector())
    encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encoder(registry), content_type=content_type)
