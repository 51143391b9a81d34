"""Starts servers as a project does, and ends them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.harness.processes import Process
from tests.harness.servers import FAILURES, FORBIDDEN, HOSTILE, environment

LISTENING = r"(?:running on|Listening at:) https?://127\.0\.0\.1:(\d+)"
MANAGE = (sys.executable, "-m", "django", "socketio_server")


class Listens(NamedTuple):
    """Where a server is."""

    port: int


@contextmanager
def started(*command: str, cwd: Path | None = None, **options: Any) -> Iterator[Process]:
    """A process, which ends on SIGTERM and has logged no failure."""
    env = environment(None, app=HOSTILE, **options)
    process = Process(command, env, *([] if cwd is None else [cwd]))
    try:
        yield process
        process.stop()
    finally:
        process.kill()
    for words in (*FORBIDDEN, *FAILURES):
        assert words not in process.log, process.log


@contextmanager
def serving(*arguments: str, **options: Any) -> Iterator[tuple[Process, Listens]]:
    """``manage.py socketio_server`` with arguments, on a free port of its own."""
    with started(*MANAGE, *arguments, **options) as process:
        yield process, Listens(int(process.wait_for_line(LISTENING)[1]))
