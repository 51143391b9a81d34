"""The wheel: many deadlines, few timers."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.runtime.timers import Wheel


class FakeLoop:
    """A clock, and what is to be called at which time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls: list[tuple[float, Callable[..., Any], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, function: Callable[..., Any], *args: Any) -> None:
        self.calls.append((when, function, args))

    def advance(self, to: float) -> None:
        """Call what is due until then, each at its time."""
        while due := [call for call in self.calls if call[0] <= to]:
            call = min(due, key=lambda call: call[0])
            self.calls.remove(call)
            self.now = max(self.now, call[0])
            call[1](*call[2])
        self.now = to


class Item:
    """Notes when it is called; goes on every ``period`` seconds, if it has one."""

    def __init__(self, period: float | None = None) -> None:
        self.slot: int | None = None
        self.period = period
        self.ticks: list[float] = []
        self.action: Callable[[], Any] = lambda: None

    def tick(self, now: float) -> float | None:
        self.ticks.append(now)
        self.action()
        return None if self.period is None else now + self.period


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def wheel(loop: FakeLoop) -> Wheel:
    return Wheel(loop, 1.0)  # type: ignore[arg-type]


def test_an_item_is_called_at_its_deadline_or_a_little_later(loop: FakeLoop, wheel: Wheel) -> None:
    early, late = Item(), Item()
    wheel.schedule(early, 1001)
    wheel.schedule(late, 1001.2)
    loop.advance(1000.9)
    assert early.ticks == late.ticks == []
    loop.advance(1005)
    assert early.ticks == [1001]
    assert late.ticks == [1002]
    assert early.slot is late.slot is None
    assert len(wheel) == 0


def test_items_that_are_due_together_share_a_timer(loop: FakeLoop, wheel: Wheel) -> None:
    items = [Item() for _ in range(1000)]
    for number, item in enumerate(items):
        wheel.schedule(item, 1010 + number / 1000)
    assert len(wheel) == len(loop.calls) == 2
    loop.advance(1011)
    assert all(len(item.ticks) == 1 for item in items)


def test_an_item_goes_on_as_long_as_it_names_a_deadline(loop: FakeLoop, wheel: Wheel) -> None:
    item = Item(period=5)
    wheel.schedule(item, 1005)
    loop.advance(1021)
    assert item.ticks == [1005, 1010, 1015, 1020]
    item.period = None
    loop.advance(2000)
    assert len(item.ticks) == 5
    assert len(wheel) == len(loop.calls) == 0


def test_a_deadline_in_the_past_is_no_busy_loop(loop: FakeLoop, wheel: Wheel) -> None:
    item = Item(period=-100)
    wheel.schedule(item, 900)
    loop.advance(1010)
    assert 5 <= len(item.ticks) <= 12


def test_a_new_deadline_replaces_the_old_one(loop: FakeLoop, wheel: Wheel) -> None:
    item = Item()
    wheel.schedule(item, 1005)
    wheel.schedule(item, 1010)
    loop.advance(1009)
    assert item.ticks == []
    loop.advance(1100)
    assert item.ticks == [1010]


def test_the_same_deadline_again_makes_no_timer(loop: FakeLoop, wheel: Wheel) -> None:
    item = Item()
    for _ in range(1000):
        wheel.schedule(item, 1005)
        wheel.hasten(item, 1005)
    assert len(loop.calls) == 1


def test_hasten_only_ever_hastens(loop: FakeLoop, wheel: Wheel) -> None:
    item = Item()
    wheel.hasten(item, 1010)
    wheel.hasten(item, 1020)
    wheel.hasten(item, 1005)
    wheel.hasten(item, 1015)
    loop.advance(1100)
    assert item.ticks == [1005]


def test_a_cancelled_item_is_not_called_and_is_freed(loop: FakeLoop, wheel: Wheel) -> None:
    item = Item()
    for deadline in (1010, 1005, 1020):
        wheel.schedule(item, deadline)
    wheel.cancel(item)
    wheel.cancel(item)
    assert item.slot is None
    freed = weakref.ref(item)
    del item
    gc.collect()
    assert freed() is None
    loop.advance(1100)
    assert len(wheel) == 0


def test_an_item_that_is_cancelled_by_another_one_is_not_called(
    loop: FakeLoop, wheel: Wheel
) -> None:
    first, second = Item(), Item()
    first.action = lambda: wheel.cancel(second)
    for item in (first, second):
        wheel.schedule(item, 1005)
    loop.advance(1100)
    assert first.ticks == [1005]
    assert second.ticks == []


def test_an_item_that_is_put_off_by_another_one_is_called_once(
    loop: FakeLoop, wheel: Wheel
) -> None:
    first, second = Item(), Item()
    first.action = lambda: wheel.schedule(second, 1010)
    for item in (first, second):
        wheel.schedule(item, 1005)
    loop.advance(1100)
    assert first.ticks == [1005]
    assert second.ticks == [1010]


def test_an_item_may_schedule_another_one_for_now(loop: FakeLoop, wheel: Wheel) -> None:
    first, second = Item(), Item()
    first.action = lambda: wheel.hasten(second, loop.now)
    wheel.schedule(first, 1005)
    loop.advance(1006)
    assert second.ticks
    assert len(second.ticks) == 1


def test_an_item_that_fails_harms_no_other(
    loop: FakeLoop, wheel: Wheel, caplog: pytest.LogCaptureFixture
) -> None:
    failing, other = Item(), Item(period=5)

    def fail() -> None:
        raise ZeroDivisionError

    failing.action = fail
    for item in (failing, other):
        wheel.schedule(item, 1005)
    with caplog.at_level(logging.ERROR, logger="django_socketio"):
        loop.advance(1011)
    assert other.ticks == [1005, 1010]
    assert "a timer failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@given(
    st.sampled_from([0.005, 0.1, 1.0]),
    st.lists(
        st.tuples(
            st.sampled_from(["schedule", "hasten", "cancel", "advance"]),
            st.integers(0, 4),
            st.floats(0, 20),
        ),
        max_size=30,
    ),
)
def test_every_item_is_called_in_time_and_only_then(
    resolution: float, steps: list[tuple[str, int, float]]
) -> None:
    loop = FakeLoop()
    wheel = Wheel(loop, resolution)  # type: ignore[arg-type]
    items = [Item() for _ in range(5)]
    deadlines: dict[Item, float] = {}
    for step, number, seconds in steps:
        item, deadline = items[number], loop.now + seconds
        if step == "schedule":
            wheel.schedule(item, deadline)
            deadlines[item] = deadline
        elif step == "hasten":
            wheel.hasten(item, deadline)
            deadlines[item] = min(deadline, deadlines.get(item, deadline))
        elif step == "cancel":
            wheel.cancel(item)
            deadlines.pop(item, None)
        else:
            loop.advance(loop.now + seconds)
            for item in items:
                due = deadlines.get(item)
                for tick in item.ticks:
                    assert due is not None
                    # Rounding may make it a hair early; never a whole slot late.
                    assert due - 1e-6 <= tick <= due + resolution + 1e-6
                assert len(item.ticks) <= 1
                if item.ticks:
                    del deadlines[item]
                    item.ticks.clear()
                else:
                    assert due is None or due > loop.now - resolution - 1e-6
        assert len(wheel) == len(loop.calls)


async def test_with_a_real_loop() -> None:
    loop = asyncio.get_running_loop()
    wheel = Wheel(loop, 0.005)
    item = Item(period=0.01)
    done = loop.create_future()

    def check() -> None:
        if len(item.ticks) == 5:
            item.period = None
            done.set_result(None)

    item.action = check
    start = loop.time()
    wheel.schedule(item, start + 0.01)
    await asyncio.wait_for(done, 10)
    assert all(now >= start + 0.009 * (number + 1) for number, now in enumerate(item.ticks))
    assert len(wheel) == 0
