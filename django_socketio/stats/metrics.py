"""An endpoint for Prometheus: ``path("metrics/", django_socketio.metrics.view)``.

Needs the ``prometheus_client`` package (the extra ``metrics``). Any process can answer: the numbers
are those that the running processes last wrote to the database (``STATS_INTERVAL``). Who may see
the page is the project's choice: wrap the view, or keep its path inside.
"""

from __future__ import annotations

from collections.abc import Iterator

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
from .counters import TALLIES, Timing

_LABEL_OF = {"connects": "namespace"}
_TRAFFIC = ("acks", "bytes", "events", "packets")


class SocketIOCollector(Collector):
    """Everything that is counted, a series for each process."""

    def collect(self) -> Iterator[Metric]:
        processes = [
            process for process in ServerProcess.objects.filter(ended=None) if process.is_running
        ]
        for name, label in (("sessions", "transport"), ("sockets", "namespace")):
            gauge = GaugeMetricFamily(
                f"socketio_{name}", f"Connected {name}.", labels=["process", label]
            )
            for process in processes:
                for key, number in process.counters.get(name, {}).get("now", {}).items():
                    gauge.add_metric([str(process), key], number)
            yield gauge
        for name in TALLIES:
            label = _LABEL_OF.get(name, "kind")
            counter = CounterMetricFamily(
                f"socketio_{name}", name.replace("_", " ").capitalize(), labels=["process", label]
            )
            for process in processes:
                for key, number in process.counters.get(name, {}).items():
                    counter.add_metric([str(process), key], number)
            yield counter
        for name in _TRAFFIC:
            counter = CounterMetricFamily(
                f"socketio_{name}", f"{name.capitalize()}.", labels=["process", "direction"]
            )
            for process in processes:
                traffic = process.counters.get("traffic", {})
                for direction in ("in", "out"):
                    number = traffic.get(f"{name}_{direction}", 0)
                    counter.add_metric([str(process), direction], number)
            yield counter
        upgrades = CounterMetricFamily("socketio_upgrades", "Upgrades.", labels=["process"])
        lag = GaugeMetricFamily(
            "socketio_loop_lag_seconds", "Delay of the loop.", labels=["process"]
        )
        for process in processes:
            upgrades.add_metric([str(process)], process.counters["traffic"].get("upgrades", 0))
            lag.add_metric([str(process)], process.counters.get("lag", {}).get("last", 0.0))
        yield upgrades
        yield lag
        yield _handlers(processes)


def _handlers(processes: list[ServerProcess]) -> Metric:
    histogram = HistogramMetricFamily(
        "socketio_handler_seconds", "Time in handlers.", labels=["process", "consumer", "event"]
    )
    bounds = [*map(str, Timing.BOUNDS), "+Inf"]
    for process in processes:
        for row in process.counters.get("handlers", ()):
            so_far, buckets = 0, []
            for bound, number in zip(bounds, row["buckets"], strict=True):
                so_far += number
                buckets.append((bound, so_far))
            labels = [str(process), row["consumer"], row["event"]]
            histogram.add_metric(labels, buckets, row["total"])
    return histogram


def view(request: HttpRequest) -> HttpResponse:
    """Everything that is counted, in Prometheus' own format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SocketIOCollector())
    encoder, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encoder(registry), content_type=content_type)
