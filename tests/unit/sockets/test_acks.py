"""The rule of acknowledgements, both ways, and what becomes of a question."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.addressing.outcomes import Outcome, as_arguments, as_result
from django_socketio.exceptions import AckTimeout, Disconnected
from django_socketio.sockets.acks import Question
from tests.unit.strategies import values


@pytest.mark.parametrize(
    ("result", "arguments"),
    [
        (None, []),
        ((), []),
        (1, [1]),
        (False, [False]),
        ("", [""]),
        ([], [[]]),
        ([1, 2], [[1, 2]]),
        ({}, [{}]),
        ((1,), [1]),
        ((1, 2), [1, 2]),
        ((None,), [None]),
        ((None, None), [None, None]),
        (((1, 2),), [(1, 2)]),
    ],
)
def test_what_a_handler_returned_as_arguments(result: Any, arguments: list[Any]) -> None:
    assert as_arguments(result) == arguments


@pytest.mark.parametrize(
    ("arguments", "result"),
    [([], None), ([1], 1), ([None], None), ([[]], []), ([1, 2], (1, 2)), ([None, 1], (None, 1))],
)
def test_arguments_as_what_call_returns(arguments: list[Any], result: Any) -> None:
    assert as_result(arguments) == result


@given(st.lists(values, max_size=4))
def test_arguments_survive_the_way_there_and_back(arguments: list[Any]) -> None:
    expected = [] if arguments == [None] else arguments
    assert as_arguments(as_result(arguments)) == expected


def test_a_named_tuple_is_one_argument() -> None:
    outcome = Outcome([], 0, 0)
    assert as_arguments(outcome) == [outcome]


# Outcomes


def test_the_one_that_was_asked() -> None:
    assert Outcome(["yes"], 0, 0).one() == "yes"
    assert Outcome([None], 0, 0).one() is None
    with pytest.raises(Disconnected):
        Outcome([], 1, 0).one()
    with pytest.raises(Disconnected):
        Outcome([], 0, 0).one()
    with pytest.raises(AckTimeout) as late:
        Outcome([], 0, 1).one()
    assert (late.value.answers, late.value.missing) == ([], 1)


def test_everyone_that_was_asked() -> None:
    assert Outcome([], 0, 0).all() == []
    assert Outcome([1, 2], 0, 0).all() == [1, 2]
    with pytest.raises(AckTimeout) as late:
        Outcome([1, 2], 3, 4).all()
    assert (late.value.answers, late.value.missing) == ([1, 2], 7)
    assert isinstance(late.value, TimeoutError)


def test_outcomes_add_up() -> None:
    total = sum([Outcome([1], 2, 3), Outcome([4, 5], 6, 7)], Outcome([], 0, 0))
    assert total == Outcome([1, 4, 5], 8, 10)


# Questions


class Socket:
    """What a question needs of a socket."""

    def __init__(self, sid: str = "sid", present: bool = True) -> None:
        self.sid = sid
        self.present = present
        self.written: list[Any] = []
        self.given_up: list[Question] = []

    def expect(self, question: Question) -> bool:
        return self.present

    def expect_no_more(self, question: Question) -> None:
        self.given_up.append(question)

    def write(self, frames: Any, volatile: bool) -> bool:
        self.written.append((frames, volatile))
        return True


async def ask(question: Question, *sockets: Any, timeout: float = 1000) -> asyncio.Task[Outcome]:
    task = asyncio.create_task(question.ask(sockets, ("frame",), timeout))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return task


async def outcome(task: asyncio.Task[Outcome]) -> Outcome:
    """What came of it, long before its time is up."""
    done, _ = await asyncio.wait([task], timeout=20)
    assert done
    return task.result()


async def test_a_question_ends_with_its_last_answer() -> None:
    question, one, two = Question(1), Socket(), Socket()
    assert question.ack_id == 1
    task = await ask(question, one, two)
    assert one.written == two.written == [(("frame",), False)]
    question.answer(one, [1])
    await asyncio.sleep(0)
    assert not task.done()
    question.answer(two, [2, 3])
    assert await outcome(task) == Outcome([1, (2, 3)], 0, 0)
    assert one.given_up == two.given_up == []


async def test_a_question_to_nobody_ends_at_once() -> None:
    assert await Question(1).ask([], (), 10) == Outcome([], 0, 0)


async def test_whoever_has_left_is_not_waited_for() -> None:
    gone = Socket(present=False)
    assert await Question(1).ask([gone], (), 10) == Outcome([], 1, 0)
    assert gone.written == []


async def test_whoever_leaves_is_counted() -> None:
    question, one, two = Question(1), Socket(), Socket()
    task = await ask(question, one, two)
    question.socket_left(one)
    question.answer(two, [])
    assert await outcome(task) == Outcome([None], 1, 0)


async def test_whoever_is_silent_is_counted_and_forgotten() -> None:
    question, one, two = Question(1), Socket(), Socket()
    task = await ask(question, one, two, timeout=0.01)
    question.answer(two, ["in time"])
    assert await outcome(task) == Outcome(["in time"], 0, 1)
    assert one.given_up == [question]
    assert two.given_up == []


async def test_a_question_that_is_cancelled_is_forgotten_by_everyone() -> None:
    question, one = Question(1), Socket()
    task = await ask(question, one)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert one.given_up == [question]


async def test_an_answer_may_come_while_the_question_is_still_put() -> None:
    question = Question(1)

    class Fast(Socket):
        def write(self, frames: Any, volatile: bool) -> bool:
            question.answer(self, ["fast"])
            return True

    fast, slow = Fast(), Socket()
    task = await ask(question, fast, slow)
    question.answer(slow, ["slow"])
    assert await outcome(task) == Outcome(["fast", "slow"], 0, 0)


async def test_answers_may_be_passed_on_as_they_come() -> None:
    answers: list[Any] = []
    question = Question(1, lambda sid, answer: answers.append((sid, answer)))
    one, two = Socket("one"), Socket("two")
    task = await ask(question, one, two)
    question.answer(one, [1])
    assert answers == [("one", 1)]
    question.answer(two, [2, 3])
    assert await outcome(task) == Outcome([], 0, 0)
    assert answers == [("one", 1), ("two", (2, 3))]
