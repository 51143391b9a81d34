"""The pool of threads: whose turn it is, what waits, how many threads there are."""

from __future__ import annotations

import concurrent.futures
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from django_socketio.exceptions import TooManyWaiting
from django_socketio.runtime.pool import Pool, wait
from tests.harness.waiting import DEADLINE, until

Future = concurrent.futures.Future[Any]


@pytest.fixture
def make() -> Iterator[Callable[..., Pool]]:
    """Makes pools; their threads end with the test."""
    pools: list[Pool] = []

    def make(size: int = 2, share: int = 1, max_waiting: int = 10) -> Pool:
        pools.append(Pool("pool", size, share, max_waiting))
        return pools[-1]

    yield make
    for pool in pools:
        pool.end()
        assert not pool._threads


class Held:
    """A function that is held until it is told to return."""

    def __init__(self, name: Any = None, order: list[Any] | None = None) -> None:
        self.started = threading.Event()
        self.release = threading.Event()
        self.name = name
        self.order = order

    def __call__(self) -> Any:
        if self.order is not None:
            self.order.append(self.name)
        self.started.set()
        assert self.release.wait(DEADLINE)
        return self.name


def result(future: Future) -> Any:
    return future.result(DEADLINE)


def test_no_thread_before_the_first_call(make: Any) -> None:
    before = threading.active_count()
    pool = make()
    assert threading.active_count() == before
    assert result(pool.submit(lambda: 5)) == 5
    assert threading.active_count() == before + 1


def test_one_thread_serves_calls_that_follow_each_other(make: Any) -> None:
    pool = make(size=10)
    names = {result(pool.submit(threading.current_thread)).name for _ in range(100)}
    assert names == {"pool_0"}


def test_an_owner_has_its_share(make: Any) -> None:
    pool = make(size=5, share=2)
    mine = [Held(number) for number in range(4)]
    futures = [pool.submit(function, "me") for function in mine]
    assert all(function.started.wait(DEADLINE) for function in mine[:2])
    assert result(pool.submit(lambda: "other", "you")) == "other"
    assert not mine[2].started.is_set()
    mine[0].release.set()
    assert mine[2].started.wait(DEADLINE)
    assert not mine[3].started.is_set()
    for function in mine:
        function.release.set()
    assert [result(future) for future in futures] == [0, 1, 2, 3]


def test_nobody_in_particular_has_no_share(make: Any) -> None:
    pool = make(size=3, share=1)
    functions = [Held() for _ in range(3)]
    futures = [pool.submit(function) for function in functions]
    assert all(function.started.wait(DEADLINE) for function in functions)
    for function in functions:
        function.release.set()
    assert [result(future) for future in futures] == [None] * 3


def test_owners_take_turns_and_keep_their_own_order(make: Any) -> None:
    pool = make(size=1, share=1)
    order: list[Any] = []
    gate = Held()
    first = pool.submit(gate, "gate")
    assert gate.started.wait(DEADLINE)

    def noting(name: str) -> Future:
        return pool.submit(lambda: order.append(name), name[0])

    names = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]
    futures = [noting(name) for name in names]
    gate.release.set()
    for future in [first, *futures]:
        result(future)
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]
    assert not pool._lanes


def test_a_cancelled_call_is_left_out(make: Any) -> None:
    pool = make(size=1)
    gate = Held()
    pool.submit(gate)
    called: list[str] = []
    cancelled = pool.submit(lambda: called.append("cancelled"), "a")
    kept = pool.submit(lambda: called.append("kept"), "a")
    assert cancelled.cancel()
    gate.release.set()
    result(kept)
    assert called == ["kept"]
    assert not pool._lanes


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_is_raised_is_told_and_freed(make: Any, error: type[BaseException]) -> None:
    pool = make(size=1)

    class Thing: ...

    def fail(thing: Thing) -> None:
        raise error

    thing = Thing()
    freed = weakref.ref(thing)
    gc.disable()
    try:
        future = pool.submit(lambda thing=thing: fail(thing))
        # result() would raise it, with a traceback that holds the future.
        assert isinstance(future.exception(DEADLINE), error)
        del thing, future
        assert result(pool.submit(lambda: "alive")) == "alive"
        until(lambda: freed() is None, "what it was called with to be freed")
    finally:
        gc.enable()


def waiting(answer: Future, order: list[Any] | None = None, name: Any = None) -> Callable[[], Any]:
    def function() -> Any:
        if order is not None:
            order.append(name)
        return wait(answer)

    return function


def test_outside_of_a_pool_a_wait_is_a_wait() -> None:
    answer: Future = Future()
    answer.set_result(5)
    assert wait(answer) == 5


def test_who_waits_has_no_place(make: Any) -> None:
    pool = make(size=1)
    answers: list[Future] = [Future() for _ in range(5)]
    futures = [pool.submit(waiting(answer), number) for number, answer in enumerate(answers)]
    until(lambda: len(pool._waiting) == 5, "all to wait")
    assert result(pool.submit(lambda: "served", "other")) == "served"
    for number, answer in enumerate(answers):
        answer.set_result(number)
    assert [result(future) for future in futures] == [0, 1, 2, 3, 4]
    assert pool._free == 1


def test_who_waits_still_has_its_share(make: Any) -> None:
    pool = make(size=5, share=2)
    answers: list[Future] = [Future() for _ in range(3)]
    order: list[Any] = []
    futures = [
        pool.submit(waiting(answer, order, number), "me") for number, answer in enumerate(answers)
    ]
    until(lambda: len(pool._waiting) == 2, "two to wait")
    assert order == [0, 1]
    answers[1].set_result("second")
    until(lambda: order == [0, 1, 2], "the third to begin")
    for answer in (answers[0], answers[2]):
        answer.set_result("too")
    assert [result(future) for future in futures] == ["too", "second", "too"]


def test_who_has_waited_goes_on_though_no_place_is_free(make: Any) -> None:
    """It may hold what the others wait for: a row that it has locked, for example."""
    pool = make(size=1)
    answer: Future = Future()
    lock = threading.Lock()

    def hold_the_lock() -> Any:
        with lock:
            return wait(answer)

    def want_the_lock() -> str:
        with lock:
            return "got it"

    first = pool.submit(hold_the_lock, "a")
    until(lambda: pool._waiting, "the first to wait")
    second = pool.submit(want_the_lock, "b")
    third = pool.submit(lambda: "later", "c")
    answer.set_result("answered")
    assert [result(future) for future in (first, second, third)] == ["answered", "got it", "later"]
    assert pool._free == 1


def test_the_oldest_of_too_many_gives_up(make: Any) -> None:
    pool = make(size=2, max_waiting=3)
    answers: list[Future] = [Future() for _ in range(5)]
    futures = []
    for number, answer in enumerate(answers):
        futures.append(pool.submit(waiting(answer), number))
        until(lambda: answer in pool._waiting.values(), "it to wait")  # noqa: B023
    for number in (0, 1):
        with pytest.raises(TooManyWaiting):
            result(futures[number])
        assert answers[number].cancelled()
    for number in (4, 2, 3):
        answers[number].set_result(number)
    assert [result(future) for future in futures[2:]] == [2, 3, 4]
    assert pool._free == 2
    assert len(pool._threads) <= 2 + 3


def test_a_wait_that_is_cancelled_is_cancelled(make: Any) -> None:
    pool = make()
    answer: Future = Future()
    future = pool.submit(waiting(answer), "a")
    until(lambda: pool._waiting, "it to wait")
    answer.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(DEADLINE)
    assert pool._free == 2


def test_more_threads_than_places_end(make: Any) -> None:
    pool = make(size=2)
    answers: list[Future] = [Future() for _ in range(8)]
    futures = [pool.submit(waiting(answer), number) for number, answer in enumerate(answers)]
    until(lambda: len(pool._waiting) == 8, "all to wait")
    assert len(pool._threads) == 8
    for answer in answers:
        answer.set_result(None)
    for future in futures:
        result(future)
    until(lambda: len(pool._threads) == 2, "the threads to end")
    gates = [Held(), Held()]
    futures = [pool.submit(gate, number) for number, gate in enumerate(gates)]
    assert all(gate.started.wait(DEADLINE) for gate in gates)
    for gate in gates:
        gate.release.set()
    for future in futures:
        result(future)
    assert len(pool._threads) == 2


def test_a_system_without_further_threads(
    make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make(size=2)
    gate = Held()
    first = pool.submit(gate, "a")
    assert gate.started.wait(DEADLINE)

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        second = pool.submit(lambda: "waited", "b")
    assert "no further thread could be started" in caplog.text
    assert not second.done()
    gate.release.set()
    result(first)
    assert result(second) == "waited"
    assert result(pool.submit(lambda: "served", "c")) == "served"


def test_many_at_once(make: Any) -> None:
    """Nothing is lost or doubled, whatever the order."""
    pool = make(size=4, share=2, max_waiting=3)
    done: list[int] = []
    timer = concurrent.futures.ThreadPoolExecutor(2)

    def work(number: int) -> int:
        if number % 3 == 0:
            with suppress(TooManyWaiting):
                wait(timer.submit(lambda: number))
        done.append(number)
        return number

    futures = [pool.submit(lambda n=n: work(n), n % 7) for n in range(2000)]
    assert [result(future) for future in futures] == list(range(2000))
    assert sorted(done) == list(range(2000))
    until(lambda: pool._free == 4 and not pool._lanes, "all places to be free")
    assert not pool._line
    assert not pool._waiting
    assert len(pool._threads) <= 4 + 3
    timer.shutdown()
