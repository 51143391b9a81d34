"""A real Redis server on a free port, which may be stopped and started again."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

import redis

from tests.harness.processes import Process
from tests.harness.programs import find_redis
from tests.harness.servers import free_port

READY = r"(?i)ready to accept connections"


class Redis:
    """Keeps nothing on disk. It keeps its port over `stop` and `start`: others find it again."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self.port = 0
        self._start_on_any_port()
        self.client = redis.Redis(port=self.port, decode_responses=True)

    def _start_on_any_port(self) -> None:
        for attempt in range(5):
            self.port = free_port()
            try:
                self.start()
            except AssertionError:  # somebody else was quicker to take the port
                if attempt == 4:
                    raise
            else:
                return

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = find_redis()
        assert program is not None
        self.process = Process(
            [
                *(program, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", self._folder.name),
            ]
        )
        self.process.wait_for_line(READY)

    def stop(self) -> None:
        """Ask it to end; its memory is lost."""
        self.process.stop()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()

    def close(self) -> None:
        """End it for good."""
        self.client.close()
        self.process.kill()
        self._folder.cleanup()

    def calls(self) -> dict[str, int]:
        """How often each command has been called since the last `reset`."""
        stats: dict[str, dict[str, Any]] = self.client.info("commandstats")
        return {name.removeprefix("cmdstat_"): found["calls"] for name, found in stats.items()}

    def reset(self) -> None:
        """Count from nought again."""
        self.client.config_resetstat()

    def clients(self) -> list[dict[str, str]]:
        """Who is connected, ourselves left out."""
        mine = self.client.client_id()
        found: list[dict[str, str]] = self.client.client_list()
        return [client for client in found if client["id"] != str(mine)]
