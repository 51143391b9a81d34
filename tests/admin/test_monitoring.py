"""The Grafana dashboard and the alert rules name metrics, labels and kinds that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from django_socketio.stats.metrics import SocketIOCollector
from tests.admin.test_recorder import write

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "monitoring"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
# What stands in braces behind a metric, and behind `by`.
SELECTOR = re.compile(r"(socketio_\w+)(?:\{([^}]*)\})?")
BY = re.compile(r"\bby \(([^)]*)\)")
# The one that Prometheus itself adds to a histogram.
LABELS_OF_PROMETHEUS = {"le"}


def dashboard() -> Iterator[str]:
    content = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    for panel in content["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in content["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]


def alerts() -> Iterator[str]:
    text = (FOLDER / "prometheus-alerts.yml").read_text()
    yield from re.findall(r"^ +expr: (.+)$", text, re.MULTILINE)


@pytest.fixture
def metrics(db: None) -> dict[str, set[str]]:
    """The labels of each metric that is served, by its name."""
    write()
    return {
        family.name + suffix: set(vars(family)["_labelnames"])
        for family in SocketIOCollector().collect()
        for suffix in SUFFIXES[family.type]
    }


@pytest.mark.parametrize("file", [dashboard, alerts])
def test_all_that_is_named_exists(
    file: Callable[[], Iterator[str]], metrics: dict[str, set[str]]
) -> None:
    expressions = list(file())
    assert len(expressions) >= 8
    for expression in expressions:
        named = SELECTOR.findall(expression)
        assert named, expression
        for name, selected in named:
            assert name in metrics, expression
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))
            assert labels <= metrics[name], expression
            for group in BY.findall(expression):
                known = metrics[name] | LABELS_OF_PROMETHEUS
                assert {label.strip() for label in group.split(",")} <= known, expression


def test_every_kind_that_is_named_is_counted() -> None:
    kinds = {
        kind
        for expression in (*dashboard(), *alerts())
        for value in re.findall(r'kind=~?"([^"]*)"', expression)
        for kind in value.split("|")
    }
    package = FOLDER.parents[1] / "django_socketio"
    code = "\n".join(path.read_text() for path in package.rglob("*.py"))
    assert kinds == {"lost", "dropped", "slow client"}
    assert all(f'"{kind}"' in code for kind in kinds)
