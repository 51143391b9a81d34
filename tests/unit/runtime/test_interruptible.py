"""A coroutine that somebody else may end."""

from __future__ import annotations

import asyncio

import pytest

from django_socketio.runtime.interruptible import Interrupted, Interruptible
from tests.harness.waiting import soon


async def at_once() -> str:
    return "result"


async def later() -> str:
    await asyncio.sleep(0)
    return "result"


async def fails(wait: bool) -> None:
    if wait:
        await asyncio.sleep(0)
    raise LookupError


async def never(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


async def test_what_never_waits_gets_no_task() -> None:
    before = len(asyncio.all_tasks())
    waiting = Interruptible()
    running = waiting.run(at_once())
    with pytest.raises(StopIteration) as finished:
        running.send(None)
    assert finished.value.value == "result"
    assert len(asyncio.all_tasks()) == before


async def test_what_waits_is_waited_for() -> None:
    waiting = Interruptible()
    assert await waiting.run(later()) == "result"
    assert await waiting.run(later(), 5) == "result"
    waiting.interrupt()  # nothing runs
    assert await waiting.run(at_once()) == "result"


@pytest.mark.parametrize("wait", [False, True])
async def test_errors_come_out(wait: bool) -> None:
    with pytest.raises(LookupError):
        await Interruptible().run(fails(wait))


@pytest.mark.parametrize("steps", [1, 3])
async def test_an_interruption(steps: int) -> None:
    waiting, ended = Interruptible(), list[str]()
    task = asyncio.ensure_future(waiting.run(never(ended)))
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting.interrupt()
    with pytest.raises(Interrupted):
        await soon(task)
    assert ended == ["ended"]


async def test_a_timeout() -> None:
    ended: list[str] = []
    with pytest.raises(asyncio.TimeoutError):
        await Interruptible().run(never(ended), 0.01)
    await asyncio.sleep(0)
    assert ended == ["ended"]


async def test_whoever_waits_may_be_cancelled() -> None:
    waiting, ended = Interruptible(), list[str]()
    task = asyncio.ensure_future(waiting.run(never(ended)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert ended == ["ended"]
