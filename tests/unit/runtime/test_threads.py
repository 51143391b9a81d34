"""The process's threads: its end, a fork, and what a function may raise."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from django_socketio.runtime.threads import WorkerThreads

# A function runs when the process ends, and one in a forked process.
PROGRAM = """
import asyncio, os, threading, time
import django
from django.conf import settings
settings.configure()
django.setup()
from django_socketio.runtime.threads import WorkerThreads, forget_threads

def job(name):
    time.sleep(0.2)
    print(name, threading.current_thread().name, flush=True)

async def main(name, wait):
    job_done = asyncio.ensure_future(WorkerThreads("pool", 2, 2, 2).call(job, name))
    await asyncio.sleep(0)
    if wait:
        await job_done

assert threading.active_count() == 1
asyncio.run(main("first", True))
child = os.fork()
if child == 0:
    forget_threads()
    asyncio.run(main("forked", True))
else:
    os.waitpid(child, 0)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main("last", False))
"""


@pytest.fixture
def _database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A thread that other tests have used looks after its connections, query or no query."""
    with django_db_blocker.unblock():
        yield


def test_a_process_that_forks_and_ends() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = ran.stdout.splitlines()
    assert lines == ["first pool_0", "forked pool_0", "last pool_0"], ran.stderr
    assert ran.returncode == 0


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize("sensitive", [False, True])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
async def test_what_a_function_raises_does_not_end_the_loop(
    error: type[BaseException], sensitive: bool
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(RuntimeError) as raised:
        await WorkerThreads("pool", 1, 1, 1).call(fail, sensitive=sensitive)
    assert isinstance(raised.value.__cause__, error)
    assert error.__name__ in str(raised.value)


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize("error", [LookupError, asyncio.CancelledError])
async def test_what_else_it_raises_is_raised(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(error):
        await WorkerThreads("pool", 1, 1, 1).call(fail)
