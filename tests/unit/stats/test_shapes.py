"""Reports that lack something, as another version of this package may send or have written them."""

from __future__ import annotations

from typing import Any

import pytest

from django_socketio.stats.counters import TALLIES, Timing
from django_socketio.stats.shapes import (
    Counters,
    ProcessReport,
    RoomsReport,
    Sample,
    SocketsReport,
    complete,
    complete_process,
    lost_messages,
)
from django_socketio.stats.totals import add_up

HANDLER = {
    "consumer": "C",
    "namespaces": ["/"],
    "event": "e",
    "kind": "async",
    "count": 3,
    "total": 1.5,
    "longest": 1.0,
    "errors": 1,
    "buckets": [1, 2, 0, 0, 0, 0],
}


@pytest.mark.parametrize("given", [{}, None, [], "nonsense"])
def test_nothing_is_completed_to_zeros(given: Any) -> None:
    counted = complete_process(given)["counters"]
    assert counted["sockets"] == {"now": {}, "peak": {}, "total": 0, "highest": 0, "opened": 0}
    assert set(counted["traffic"].values()) == {0}
    assert counted["lag"] == {"last": 0.0, "highest": 0.0}
    assert counted["handlers"] == []
    assert all(counted[name] == {} for name in TALLIES)


@pytest.mark.parametrize("shape", [ProcessReport, SocketsReport, RoomsReport, Counters, Sample])
def test_a_complete_report_stays_as_it_is(shape: Any) -> None:
    whole = complete(shape, {})
    assert complete(shape, whole) == whole
    assert list(complete(shape, {"later": 1, **whole})) == ["later", *whole]


def test_empty_values_are_not_shared() -> None:
    complete(Counters, {})["sockets"]["now"]["/"] = 1
    assert complete(Counters, {})["sockets"]["now"] == {}


def test_what_is_there_stays() -> None:
    report = complete_process(
        {
            "node": "n",
            "layer_up": False,
            "counters": {"sockets": {"total": 5}, "handlers": [HANDLER], "limits": None},
            "later": 1,
        }
    )
    assert report["node"] == "n"
    assert report["layer_up"] is False
    assert report["counters"]["sockets"]["total"] == 5
    assert report["counters"]["sockets"]["now"] == {}
    assert report["counters"]["handlers"] == [HANDLER]
    assert report["counters"]["limits"] == {}
    assert report["later"] == 1  # type: ignore[typeddict-item]


def test_rows_are_completed() -> None:
    report = complete(SocketsReport, {"total": 1, "rows": [{"sid": "s", "namespace": "/"}]})
    (row,) = report["rows"]
    assert row["sid"] == "s"
    assert row["rooms"] == []
    assert row["secure"] is False
    assert row["packets_in"] == 0


def test_a_histogram_with_other_buckets_is_left_out() -> None:
    handlers = [HANDLER, {**HANDLER, "event": "f", "buckets": [1]}, {"event": "g"}]
    report = complete_process({"counters": {"handlers": handlers}})
    assert [row["event"] for row in report["counters"]["handlers"]] == ["e"]
    assert len(HANDLER["buckets"]) == len(Timing.BOUNDS) + 1  # type: ignore[arg-type]


def test_lost_messages() -> None:
    assert lost_messages({"lost": 2, "dropped": 3, "sent": 4}) == 5
    assert lost_messages({}) == 0


def test_nobody_adds_up_to_zeros() -> None:
    assert add_up([]) == complete(Counters, {})


def test_reports_are_added_up() -> None:
    reports = [
        complete_process(
            {
                "counters": {
                    "sockets": {"now": {"/": total}, "peak": {"/": 9}, "total": total},
                    "traffic": {"events_in": 10},
                    "lag": {"last": total / 10, "highest": 0.5},
                    "limits": {"slow client": 1},
                    "handlers": [HANDLER],
                }
            }
        )
        for total in (2, 3)
    ]
    total = add_up(reports)
    assert total["sockets"]["now"] == {"/": 5}
    assert total["sockets"]["peak"] == {"/": 18}
    assert total["sockets"]["total"] == 5
    assert total["traffic"]["events_in"] == 20
    assert total["lag"] == {"last": 0.3, "highest": 0.5}
    assert total["limits"] == {"slow client": 2}
    assert total["handlers"] == [
        {**HANDLER, "count": 6, "total": 3.0, "errors": 2, "buckets": [2, 4, 0, 0, 0, 0]}
    ]
    # What was added up is not changed.
    assert reports[0]["counters"]["handlers"] == [HANDLER]
    assert reports[0]["counters"]["sockets"]["now"] == {"/": 2}
