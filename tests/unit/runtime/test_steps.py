"""Coroutines stepped by hand: the same results, errors, cancellations and context as with await."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Generator
from typing import Any

import pytest

from django_socketio.runtime.steps import FINISHED, resume, start

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Failed(Exception):
    """What the coroutines of these tests raise."""


def run(coro: Any) -> Any:
    """Run a coroutine that never waits, without a loop."""
    with pytest.raises(StopIteration) as finished:
        coro.send(None)
    return finished.value.value


async def at_once(result: Any = "result") -> Any:
    return result


async def fails() -> None:
    raise Failed


async def later(*values: Any) -> Any:
    for _ in values:
        await asyncio.sleep(0)
    return values


async def watched(coro: Any, calls: list[str]) -> Any:
    """As whoever starts a coroutine by hand does it."""
    waited_for = start(coro)
    if waited_for is FINISHED:
        return None
    calls.append("waits")
    return await resume(coro, waited_for)


def test_what_finishes_at_once_needs_no_loop_and_calls_nobody() -> None:
    calls: list[str] = []
    assert start(at_once()) is FINISHED
    assert run(watched(at_once(None), calls)) is None
    assert calls == []


def test_what_raises_at_once_raises() -> None:
    calls: list[str] = []
    with pytest.raises(Failed):
        watched(fails(), calls).send(None)
    assert calls == []


async def test_what_waits_calls_once_and_finishes() -> None:
    calls: list[str] = []
    assert await watched(later(1, 2, 3), calls) == (1, 2, 3)
    assert calls == ["waits"]


async def test_the_call_comes_before_the_rest() -> None:
    order: list[str] = []

    async def work() -> None:
        order.append("start")
        await asyncio.sleep(0)
        order.append("end")

    await watched(work(), order)
    assert order == ["start", "waits", "end"]


async def test_what_raises_later_raises() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise Failed

    with pytest.raises(Failed):
        await watched(work(), [])


async def test_what_the_future_raises_reaches_the_coroutine() -> None:
    future = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await future
        except Failed:
            return "caught"
        return "missed"

    asyncio.get_running_loop().call_soon(future.set_exception, Failed())
    assert await watched(work(), []) == "caught"


async def test_a_future_s_result_reaches_the_coroutine() -> None:
    future = asyncio.get_running_loop().create_future()

    async def work() -> Any:
        return await future

    asyncio.get_running_loop().call_soon(future.set_result, "value")
    assert await watched(work(), []) == "value"


async def test_cancelling_the_task_cancels_the_coroutine() -> None:
    order: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            order.append("cancelled")
            raise
        finally:
            order.append("finally")

    task = asyncio.create_task(watched(work(), order))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert order == ["waits", "cancelled", "finally"]


async def test_a_coroutine_may_survive_its_cancellation() -> None:
    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "survived"

    task = asyncio.create_task(watched(work(), []))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "survived"


async def test_timeouts_work_inside() -> None:
    async def work() -> str:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        except asyncio.TimeoutError:
            return "timed out"
        return "no"

    assert await watched(work(), []) == "timed out"


async def test_task_and_context_are_those_of_whoever_awaits() -> None:
    async def work() -> tuple[Any, str]:
        variable.set("inside")
        first = asyncio.current_task()
        await asyncio.sleep(0)
        assert asyncio.current_task() is first
        return first, variable.get()

    assert await watched(work(), []) == (asyncio.current_task(), "inside")
    assert variable.get() == "inside"


async def test_closing_closes_the_coroutine() -> None:
    order: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("closed")

    outer = watched(work(), order)
    outer.send(None)
    outer.close()
    assert order == ["waits", "closed"]


async def test_the_rest_may_be_awaited_in_another_task() -> None:
    future = asyncio.get_running_loop().create_future()

    async def work() -> Any:
        return await future, await later(1, 2)

    coro = work()
    waited_for = coro.send(None)

    async def rest() -> Any:
        return await resume(coro, waited_for)

    task = asyncio.create_task(rest())
    await asyncio.sleep(0)
    future.set_result("value")
    assert await task == ("value", (1, 2))


async def test_the_rest_may_fail() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise Failed

    coro = work()
    with pytest.raises(Failed):
        await resume(coro, coro.send(None))


def test_any_awaitable_may_be_waited_for() -> None:
    """Not only futures: what is yielded goes out as it is, what is sent comes in."""

    class Odd:
        def __await__(self) -> Generator[Any, Any, Any]:
            self.got = yield "first"
            return self.got

    async def work() -> Any:
        return await Odd()

    calls: list[str] = []
    outer = watched(work(), calls)
    assert outer.send(None) == "first"
    with pytest.raises(StopIteration) as finished:
        outer.send("second")
    assert finished.value.value == "second"
    assert calls == ["waits"]
