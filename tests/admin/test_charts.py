"""What the charts show: whole numbers beside them, and a past that stays as it was."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from django_socketio.admin_pages import charts, live
from django_socketio.admin_pages.recent import Point, Recent
from django_socketio.stats.gather import Gathered
from django_socketio.stats.minutes import KEPT, STEP
from django_socketio.stats.shapes import complete_process

NOW = 1_000_000 * STEP


def test_the_past_stays_when_a_process_has_ended() -> None:
    recent = Recent()
    at = NOW - 5 * STEP
    recent.add("ended", [[at, 3, 10, 20]])
    recent.add("lives", [[at, 4, 1, 2], [at + STEP, 4, 1, 2]])
    assert recent.points(NOW) == {at: Point(7, 11, 22), at + STEP: Point(4, 1, 2)}
    recent.add("lives", [[at + 2 * STEP, 5, 0, 0]])
    assert recent.points(NOW)[at] == Point(7, 11, 22)


def test_a_place_that_a_slow_clock_leaves_out_is_no_gap() -> None:
    recent = Recent()
    at = NOW - 6 * STEP
    recent.add("late", [[at, 3, 0, 0], [at + 2 * STEP, 4, 10, 6]])
    points = recent.points(NOW)
    assert points[at + STEP] == Point(4, 5, 3)
    assert points[at + 2 * STEP] == Point(4, 5, 3)
    recent.add("late", [[at + 5 * STEP, 1, 1, 1]])
    assert at + 3 * STEP not in recent.points(NOW + 9 * STEP)


def test_points_that_may_still_change_or_are_too_old_are_left_out() -> None:
    recent = Recent()
    recent.add("one", [[NOW - STEP, 1, 0, 0], [NOW - 2 * STEP, 2, 0, 0]])
    recent.add("old", [[NOW - (KEPT + 2) * STEP, 9, 0, 0]])
    assert recent.points(NOW + 1) == {NOW - 2 * STEP: Point(2, 0, 0)}


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (0, [0, 1]),
        (0.4, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7.5, [0, 2, 4, 6, 8]),
        (11, [0, 5, 10, 15]),
        (99, [0, 20, 40, 60, 80, 100]),
        (4_100, [0, 1000, 2000, 3000, 4000, 5000]),
    ],
)
def test_whole_numbers_stand_beside_a_chart(highest: float, expected: list[int]) -> None:
    svg = charts.draw("Sockets", ["1", "2"], [("a", [0, highest])])
    shown = [charts._number(value) for value in expected]
    axis = svg[svg.index('class="axis y') : svg.index('class="axis x')]
    assert sorted(re.findall(r">([\d. k]+)</text>", axis)) == sorted(shown)


@pytest.mark.django_db
def test_the_chart_ends_with_the_number_in_the_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "recent", Recent())
    at = int(time.time()) // STEP * STEP
    report: Any = complete_process(
        {
            "node": "one",
            "counters": {"sockets": {"total": 5}},
            "recent": [[at - n * STEP, 2, 0, 0] for n in range(9, 0, -1)],
        }
    )
    context = live.context(Gathered({"one": report}, set(), complete=True))
    assert context["total"]["sockets"]["total"] == 5
    assert context["charts"][0]["legend"][0]["last"] == "5"
