"""When reading pauses, and goes on: for what a client holds itself, and for what all hold."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio.conf import Settings
from django_socketio.packets import LARGE
from django_socketio.sockets.backlog import (
    TOO_MANY_EVENTS,
    TOO_MUCH_IN_ALL,
    Backlog,
    TotalBacklog,
)

SIZE, TOTAL = 100_000, 1_000_000


@pytest.fixture
def total() -> TotalBacklog:
    return TotalBacklog(TOTAL)


def backlog(total: TotalBacklog, **settings: Any) -> Backlog:
    return Backlog(Settings(max_pending_events_size=SIZE, **settings), total)


def test_events_are_counted(total: TotalBacklog) -> None:
    mine = backlog(total, max_pending_events=2)
    for _ in range(2):
        mine.add(10)
        assert mine.excess is None
    mine.add(10)
    assert mine.excess == TOO_MANY_EVENTS
    mine.add(10, -1)
    assert mine.excess is None
    assert (mine.events, mine.size, total.size) == (2, 20, 20)


def test_events_are_weighed(total: TotalBacklog) -> None:
    mine = backlog(total)
    mine.add(SIZE // 2)
    mine.add(SIZE // 2)
    assert mine.excess is None
    mine.add(1)
    assert mine.excess == TOO_MANY_EVENTS


def test_one_event_alone_may_weigh_what_it_wants(total: TotalBacklog) -> None:
    mine = backlog(total)
    mine.add(SIZE * 5)
    assert mine.excess is None
    mine.add(1)
    assert mine.excess == TOO_MANY_EVENTS


def test_what_is_being_handled_counts_for_all_alone(total: TotalBacklog) -> None:
    mine = backlog(total)
    mine.hold(SIZE * 5)
    mine.add(1)
    mine.add(1)
    assert mine.excess is None
    mine.hold(TOTAL)
    assert mine.excess == TOO_MUCH_IN_ALL
    mine.hold(-TOTAL)
    assert mine.excess is None


def test_the_incomplete_packet_is_counted_as_it_is_now(total: TotalBacklog) -> None:
    mine = backlog(total)
    for weight in (5000, 9000, 7000):
        mine.hold_incomplete(weight)
        assert (mine.held, mine.incomplete, total.size) == (weight, weight, weight)
    mine.hold_incomplete(0)
    assert (mine.held, total.size) == (0, 0)


def test_who_holds_next_to_nothing_is_not_punished(total: TotalBacklog) -> None:
    other, mine = backlog(total), backlog(total)
    other.add(TOTAL)
    mine.add(LARGE)
    assert total.full
    assert other.takes_others_room
    assert mine.excess is None
    mine.add(1)
    assert mine.excess == TOO_MUCH_IN_ALL
    assert not total.overflows
    other.add(TOTAL)
    assert total.overflows


async def test_reading_goes_on_when_the_own_events_are_handled(total: TotalBacklog) -> None:
    mine = backlog(total, max_pending_events=1)
    mine.add(10)
    mine.add(10)
    waiter = mine.wait(asyncio.get_running_loop())
    backlog(total).add(10)
    assert not waiter.done()
    mine.add(10, -1)
    assert waiter.done()


async def test_reading_goes_on_when_there_is_room_again(total: TotalBacklog) -> None:
    other, mine = backlog(total), backlog(total)
    other.hold(TOTAL)
    mine.hold(LARGE + 1)
    waiter = mine.wait(asyncio.get_running_loop())
    assert not waiter.done()
    other.hold(-LARGE - 1)
    assert waiter.done()


async def test_reading_goes_on_when_both_allow_it(total: TotalBacklog) -> None:
    other, mine = backlog(total), backlog(total, max_pending_events=1)
    other.hold(TOTAL)
    for _ in range(2):
        mine.add(LARGE)
    waiter = mine.wait(asyncio.get_running_loop())
    other.hold(-TOTAL)
    assert not waiter.done()
    other.hold(TOTAL)
    mine.add(0, -1)
    assert mine.excess == TOO_MUCH_IN_ALL
    assert not waiter.done()
    other.hold(-TOTAL)
    assert waiter.done()


async def test_a_client_that_has_gone_waits_no_more(total: TotalBacklog) -> None:
    mine = backlog(total)
    mine.hold(TOTAL + 1)
    waiter = mine.wait(asyncio.get_running_loop())
    mine.give_up()
    assert waiter.done()
    mine.hold(-TOTAL - 1)
    assert total.size == 0


async def test_counting_costs_nothing_more_while_others_wait_for_their_own_handlers(
    total: TotalBacklog,
) -> None:
    """Else each event would look at every client that waits."""
    looked = 0

    class Watched(Backlog):
        def go_on(self) -> None:
            nonlocal looked
            looked += 1
            super().go_on()

    waiting = Watched(Settings(max_pending_events=1), total)
    for _ in range(2):
        waiting.add(10)
    waiting.wait(asyncio.get_running_loop())
    mine, before = backlog(total), looked
    for _ in range(100):
        mine.add(10)
        mine.add(10, -1)
    assert looked == before
