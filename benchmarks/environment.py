"""What a benchmark needs around it: a core, open files, a database."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from benchmarks import measure
from benchmarks.processes import ROOT, python
from benchmarks.servers import Options

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or until SIGINT or SIGTERM; the servers are stopped in any case."""

    async def interruptible() -> T:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await main

    try:
        return uvloop.run(interruptible())
    except asyncio.CancelledError:
        sys.exit("interrupted")


@contextmanager
def prepared() -> Iterator[Options]:
    """Take the load's core and make the database that the servers are to use."""
    servers, load = measure.cores()
    if servers == load:
        print("One core only: the load takes time from the servers.", file=sys.stderr)
    os.sched_setaffinity(0, load)
    # Thousands of connections are as many open files, here and in the servers.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "benchmarks.sqlite3")
        subprocess.run(
            python("-m", "benchmarks.project.prepare"),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BENCH_DATABASE": path},
            check=True,
        )
        yield Options(database=path)
