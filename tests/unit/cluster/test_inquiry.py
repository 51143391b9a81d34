"""Questions to other processes: who answers, who is missing, when it is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio.cluster.inquiry import Inquiry


def inquiry(*nodes: str) -> Inquiry:
    return Inquiry(set(nodes), asyncio.get_running_loop())


async def at_once(asked: Inquiry) -> Inquiry:
    """Wait for its end, which must not need the timeout."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.wait_for(asked.wait(60), 30)
    assert loop.time() - start < 30
    return asked


def found(asked: Inquiry) -> tuple[list[object], int, int]:
    return asked.found, asked.gone, asked.silent


async def test_nobody_to_ask() -> None:
    assert found(await at_once(inquiry())) == ([], 0, 0)


async def test_it_ends_with_the_last_answer() -> None:
    asked = inquiry("a", "b")
    waiting = asyncio.ensure_future(at_once(asked))
    asked.asked("a", 2)
    asked.answered("a", 1)
    asked.asked("b", 1)
    asked.answered("b", 2)
    asked.finished("b")
    asked.answered("a", 3)
    await asyncio.sleep(0)
    assert not waiting.done()
    asked.finished("a")
    assert found(await waiting) == ([1, 2, 3], 0, 0)


async def test_sockets_that_left_or_are_silent() -> None:
    asked = inquiry("a", "b")
    asked.asked("a", 5)
    asked.answered("a", 1)
    asked.finished("a", gone=3, silent=1)
    asked.finished("b")
    assert found(await at_once(asked)) == ([1], 3, 1)


async def test_an_answer_that_was_lost_is_missing() -> None:
    asked = inquiry("a")
    asked.asked("a", 3)
    asked.answered("a", 1)
    asked.finished("a", gone=1, silent=0)
    assert found(await at_once(asked)) == ([1], 1, 1)


async def test_a_process_that_dies_takes_its_sockets_with_it() -> None:
    asked = inquiry("a", "b")
    asked.asked("a", 3)
    asked.answered("a", 1)
    asked.died("a")
    asked.died("a")
    asked.died("stranger")
    asked.finished("b")
    assert found(await at_once(asked)) == ([1], 2, 0)


async def test_a_process_that_dies_before_it_says_anything() -> None:
    asked = inquiry("a")
    asked.died("a")
    assert found(await at_once(asked)) == ([], 0, 0)


async def test_time_runs_out() -> None:
    asked = inquiry("a", "b", "c")
    asked.asked("a", 3)
    asked.answered("a", 1)
    asked.asked("b", 2)
    asked.answered("b", 2)
    asked.answered("b", 2)
    await asked.wait(0.01)
    # Two of a; none of b, which only did not say that it has finished; c has not said how many.
    assert found(asked) == ([1, 2, 2], 0, 3)
    assert asked.waiting == {"a", "b", "c"}


async def test_who_has_no_sockets_there_is_not_missing() -> None:
    asked = inquiry("a")
    asked.asked("a", 0)
    await asked.wait(0.01)
    assert found(asked) == ([], 0, 0)


@pytest.mark.parametrize("late", ["answered", "finished"])
async def test_what_comes_late_does_no_harm(late: str) -> None:
    asked = inquiry("a")
    await asked.wait(0.01)
    if late == "answered":
        asked.answered("a", 1)
    else:
        asked.finished("a", 1, 1)
    await at_once(asked)


async def test_answers_that_are_passed_on_are_counted() -> None:
    named: list[Any] = []
    asked = Inquiry({"a"}, asyncio.get_running_loop(), lambda *item: named.append(item))
    asked.asked("a", 2)
    asked.count("a")
    asked.finished("a", silent=1)
    assert found(await at_once(asked)) == ([], 0, 1)
    assert named == []
