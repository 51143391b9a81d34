"""That project on a real ASGI server, in a process of its own, on a free port."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.harness.processes import Process
from tests.harness.servers import FORBIDDEN, LISTENING, command
from tests.harness.waiting import until

# Whatever clients do, the server's log holds none of these.
NEVER = (*FORBIDDEN, "Traceback", "Unhandled", "never retrieved")

# uvicorn's own traceback for a text frame that is not UTF-8.
OWN = re.compile(r"Invalid UTF-8 sequence.*?\nTraceback.*?\nUnicodeDecodeError[^\n]*\n", re.DOTALL)

# What of a server's state shows whether something was left behind.
HELD = (
    "clients",
    "pending",
    "namespaces",
    "timers",
    "hub_tasks",
    "tasks",
    "queued",
    "pending_acks",
)

Condition = Callable[[dict[str, Any]], Any]


class Server:
    """``name`` is "daphne" or "uvicorn", ``socketio`` the setting SOCKETIO."""

    def __init__(self, name: str, **socketio: Any) -> None:
        self.name = name
        self._checked = 0
        self.process = Process(
            command(name, "tests.security.support.project.asgi:application", 0),
            {
                "DJANGO_SETTINGS_MODULE": "tests.security.support.project.settings",
                "SOCKETIO": json.dumps(socketio),
            },
        )
        self.port = int(self.process.wait_for_line(LISTENING)[1])

    @property
    def log(self) -> str:
        return self.process.log

    def stop(self) -> None:
        """End it; AssertionError where its log holds what it must not."""
        self.process.stop()
        self.check_log()

    def check_log(self) -> None:
        """AssertionError where the log, since it was last checked, holds what it must not."""
        log, self._checked = self.log[self._checked :], len(self.log)
        log = OWN.sub("", log)
        for words in NEVER:
            if words in log:
                start = max(log.index(words) - 1000, 0)
                raise AssertionError(f"{words!r} in the log of {self.name}:\n{log[start:][:5000]}")

    def expect_in_log(self, text: str) -> None:
        """What the log holds since it was last checked is meant to be there, ``text`` with it."""
        assert text in self.log[self._checked :]
        self._checked = len(self.log)

    def state(self) -> dict[str, Any]:
        """What the process holds and has counted; see the project's view."""
        answer: dict[str, Any] = self._get("/state/")
        return answer

    def release(self, gate: str) -> None:
        """Open a gate at which handlers wait."""
        self._get(f"/release/?gate={gate}")

    def _get(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=20) as response:
            return json.load(response)

    def until(self, condition: Condition, what: str, deadline: float = 15) -> dict[str, Any]:
        """The first state that ``condition`` finds right."""

        def look() -> dict[str, Any] | None:
            state = self.state()
            return state if condition(state) else None

        found = until(look, what, deadline)
        assert found is not None
        return found

    def holds_no_more_than(self, before: dict[str, Any]) -> bool:
        """Whether there are no more sessions, timers and tasks than in an earlier state."""
        held = self.state()["held"]
        # Sessions that other tests have left behind may end meanwhile, or get a ping.
        return all(held[name] <= before["held"][name] for name in HELD)

    def until_it_holds_no_more_than(self, before: dict[str, Any]) -> None:
        """Wait until everything that was begun since then is over."""
        until(
            lambda: self.holds_no_more_than(before),
            f"everything to be let go; before it was {before['held']}",
        )

    def journal(self, sid: str) -> list[Any]:
        """What happened to the socket of this sid."""
        found: list[Any] = self.state()["journal"].get(sid, [])
        return found

    def reason(self, sid: str) -> str:
        """Why that socket was disconnected; waits for it."""

        def look() -> list[str]:
            return [what[1] for what in self.journal(sid) if what[0] == "disconnect"]

        (reason,) = until(look, f"disconnect() of {sid}")
        return reason

    def rss(self) -> int:
        """Resident memory in bytes, without garbage."""
        self._get("/collect/")
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * 4096

    @contextmanager
    def counting(self, counter: str, key: str, times: int = 1) -> Iterator[None]:
        """The block makes the server count ``key`` so many times more."""
        before = self.state()["counted"][counter].get(key, 0)
        yield
        self.until(
            lambda state: state["counted"][counter].get(key, 0) >= before + times,
            f"{counter}[{key!r}] to be counted",
        )
        assert self.state()["counted"][counter][key] == before + times


class Servers:
    """Starts servers as they are asked for, one for each name and settings, and ends them all."""

    def __init__(self) -> None:
        self._running: dict[str, Server] = {}

    def get(self, name: str, **socketio: Any) -> Server:
        key = json.dumps([name, socketio], sort_keys=True)
        if key not in self._running:
            self._running[key] = Server(name, **socketio)
        return self._running[key]

    def stop(self) -> None:
        running, self._running = self._running, {}
        try:
            for server in running.values():
                server.stop()
        finally:
            for server in running.values():
                server.process.kill()
