"""The test project on a real ASGI server, in a process of its own, on a free port."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import urllib.parse
import urllib.request
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.harness.processes import Process
from tests.harness.waiting import until

SERVERS = ("daphne", "uvicorn")

# What must never be in a server's log, whatever clients do.
FORBIDDEN = (
    "Task exception was never retrieved",
    "Exception in ASGI application",
    "was never awaited",
    "Task was destroyed but it is pending",
)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def command(server: str, application: str, port: int) -> list[str]:
    """How `server` is started; it says itself on which port it listens (0: any free one)."""
    if server == "daphne":
        options = ["-b", "127.0.0.1", "-p", str(port), "--verbosity", "1", application]
    elif server == "granian":  # cannot tell which port it was given
        options = ["--interface", "asgi", "--port", str(port or free_port()), application]
    else:
        options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", application]
    return [sys.executable, "-m", server, *options]


LISTENING = (
    r"(?:Listening on TCP address |Listening at: http://|running on http://)127\.0\.0\.1:(\d+)"
)


class Server:
    """A running server. It keeps its port over `stop` and `start`: clients find it again."""

    def __init__(
        self,
        server: str,
        database: Path | dict[str, Any],
        socketio: dict[str, Any] | None = None,
        redis: str | None = None,
        layer: str = "pubsub",
        layer_config: dict[str, Any] | None = None,
    ) -> None:
        self.name = server
        self.port = 0
        asked = {
            "DATABASE": database if isinstance(database, dict) else str(database),
            "SOCKETIO": socketio or {},
            "REDIS": redis,
            "LAYER": layer,
            "LAYER_CONFIG": layer_config or {},
        }
        self.env = {
            "DJANGO_SETTINGS_MODULE": "tests.project.server_settings",
            "TEST_PROJECT": json.dumps(asked),
        }
        self.start()

    def start(self) -> None:
        """At first on any free port, after `stop` on the same one again."""
        arguments = command(self.name, "tests.project.asgi:application", self.port)
        self.process = Process(arguments, self.env)
        self.port = int(self.process.wait_for_line(LISTENING)[1])
        if self.name == "granian":  # listens before anybody is there to answer
            self.process.wait_for_line("Started worker")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it; AssertionError where it does not, or where its log holds what it must not."""
        self.process.stop()
        for words in FORBIDDEN:
            assert words not in self.process.log, self.process.log

    def request(self, path: str, body: Any = None, cookie: str = "") -> tuple[Any, SimpleCookie]:
        """The JSON that a view answers, and the cookies it set. With `body`, a POST."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Cookie": cookie},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            cookies = SimpleCookie()
            for value in response.headers.get_all("Set-Cookie", []):
                cookies.load(value)
            return json.load(response), cookies

    def log_in(self, username: str) -> str:
        """A Cookie header of that user's session."""
        _, cookies = self.request("/login/", {"username": username})
        return f"sessionid={cookies['sessionid'].value}"

    def counts(self) -> dict[str, Any]:
        """What the process has counted, and whom it knows; see the project's view."""
        answer, _ = self.request("/counts/")
        return dict(answer)

    def io(self, *steps: Any, thread: bool = False) -> Any:
        """What the last step of a chain on `io` returns in this process; see the project's view."""
        answer, _ = self.request("/io/in-thread/" if thread else "/io/", {"steps": steps})
        return answer["result"]

    def several(self, *chains: Any) -> None:
        """Start several such chains at once, in this order, in one turn of the loop."""
        self.request("/io/several/", {"chains": chains})

    def queries(self) -> int:
        return int(self.request("/state/")[0]["queries"])

    def journal(self, sid: str, *kinds: str) -> list[dict[str, Any]]:
        """What the server noted about this socket, of these kinds where some are named."""
        answer, _ = self.request(f"/state/?tag={urllib.parse.quote(sid)}")
        return [
            {key: value for key, value in entry.items() if key != "tag"}
            for entry in answer["entries"]
            if not kinds or entry["what"] in kinds
        ]

    def disconnect_of(self, sid: str) -> dict[str, Any]:
        """The one note of this socket's disconnect, which may still be on its way."""
        (entry,) = until(lambda: self.journal(sid, "disconnect"), f"the disconnect of {sid}")
        return entry


def make_database(folder: Path) -> Path:
    """A migrated SQLite file to copy for each server."""
    template = folder / "template.sqlite3"
    migrate(str(template))
    return template


def migrate(database: str | dict[str, Any]) -> None:
    """Make the tables in a database."""
    asked = {"DATABASE": database, "SOCKETIO": {}, "REDIS": None}
    process = Process(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0"],
        {
            "DJANGO_SETTINGS_MODULE": "tests.project.server_settings",
            "TEST_PROJECT": json.dumps(asked),
        },
    )
    until(lambda: not process.running, "the migrations", 60)
    assert process.stop() == 0, process.log


def copy_database(template: Path, name: str) -> Path:
    return Path(shutil.copy(template, template.with_name(f"{name}.sqlite3")))
