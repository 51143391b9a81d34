"""uvicorn with our WebSocket end and a plain ASGI application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.harness.processes import Process
from tests.harness.servers import WITH_OWN_END, environment


class End(NamedTuple):
    """A running server."""

    process: Process
    port: int


Start = Callable[..., End]


@pytest.fixture(scope="session")
def start() -> Iterator[Start]:
    """Starts uvicorn with further options, and ends it."""
    started: list[Process] = []

    def run(*options: str, program: tuple[str, ...] = WITH_OWN_END) -> End:
        command = [sys.executable, *program, "tests.servers.app:application"]
        process = Process(
            [*command, "--host", "127.0.0.1", "--port", "0", *options], environment(None)
        )
        started.append(process)
        return End(process, int(process.wait_for_line(r"running on https?://127.0.0.1:(\d+)")[1]))

    yield run
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def end(start: Start) -> End:
    """One server for all tests that do not harm it."""
    return start("--ws-ping-interval", "0")
