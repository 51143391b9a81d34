"""A coroutine that somebody else may end."""

from __future__ import annotations

import asyncio
import sys

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


class Never:
    """What never ends by itself, and the task that waits for it."""

    def __init__(self, timeout: float | None = None) -> None:
        self.ended: list[str] = []
        self.waiting = Interruptible()
        self.task = asyncio.ensure_future(self.waiting.run(self._run(), timeout))

    async def _run(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise

    async def started(self) -> None:
        await asyncio.sleep(0)


async def test_nothing_gets_a_task() -> None:
    before = asyncio.all_tasks()
    assert await Interruptible().run(at_once()) == "result"
    never = Never()
    await never.started()
    assert asyncio.all_tasks() == {*before, never.task}
    never.waiting.interrupt()
    await asyncio.wait([never.task])


async def test_what_waits_is_waited_for() -> None:
    waiting = Interruptible()
    assert await waiting.run(later()) == "result"
    assert await waiting.run(later(), 5) == "result"
    waiting.interrupt()  # nothing runs
    assert await waiting.run(later()) == "result"


@pytest.mark.parametrize("wait", [False, True])
async def test_errors_come_out(wait: bool) -> None:
    with pytest.raises(LookupError):
        await Interruptible().run(fails(wait))


async def test_an_interruption() -> None:
    never = Never(5)
    await never.started()
    never.waiting.interrupt()
    never.waiting.interrupt()
    with pytest.raises(Interrupted) as error:
        await soon(never.task)
    assert error.value.__cause__ is None
    assert never.ended == ["cancelled"]


async def test_a_timeout() -> None:
    never = Never(0.01)
    with pytest.raises(asyncio.TimeoutError):
        await soon(never.task)
    assert never.ended == ["cancelled"]


async def test_whoever_waits_may_go_on_and_be_cancelled_later() -> None:
    """Our cancellation is taken back: the task is as any other afterwards."""
    never = Never()

    async def wait() -> str:
        with pytest.raises(Interrupted):
            await never.task
        waiting = Interruptible()
        asyncio.get_running_loop().call_soon(waiting.interrupt)
        with pytest.raises(Interrupted):
            await waiting.run(asyncio.sleep(60))
        assert sys.version_info < (3, 11) or asyncio.current_task().cancelling() == 0
        return await asyncio.wait_for(later(), 60)

    await never.started()
    never.waiting.interrupt()
    assert await soon(wait()) == "result"


@pytest.mark.parametrize("interrupted", [False, True])
async def test_a_cancellation_by_others_wins(interrupted: bool) -> None:
    never = Never()
    await never.started()
    if interrupted and sys.version_info >= (3, 11):
        never.waiting.interrupt()
    never.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await never.task
