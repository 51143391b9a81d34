"""How far a queue has come; and those who wait for it."""

from __future__ import annotations

import asyncio

from django_socketio.cluster.progress import Progress
from tests.harness.waiting import soon


def test_milestones_are_reached_in_order() -> None:
    progress = Progress()
    first, second = progress.give(), progress.give()
    assert (first.done, second.done) == (False, False)
    progress.finish(1)
    assert (first.done, second.done) == (True, False)
    progress.finish(2)
    assert second.done


def test_all_that_has_gone_in_so_far() -> None:
    progress = Progress()
    assert progress.all().done
    progress.give()
    everything = progress.all()
    progress.give()
    assert not everything.done
    progress.finish(1)
    assert everything.done


def test_a_lower_number_takes_nothing_back() -> None:
    progress = Progress()
    last = [progress.give() for _ in range(5)][-1]
    progress.finish(5)
    progress.finish(2)
    assert last.done


async def test_several_wait_for_the_same_one() -> None:
    progress = Progress()
    milestone = progress.give()
    waiting = [asyncio.ensure_future(soon(milestone)) for _ in range(3)]
    later = asyncio.ensure_future(soon(progress.give()))
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    progress.finish(1)
    await asyncio.gather(*waiting[1:])
    assert not later.done()
    progress.finish(2)
    await later
