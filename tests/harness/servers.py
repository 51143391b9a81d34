"""The test project on a real ASGI server, in a process of its own, on a free port."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import uvicorn

from tests.harness.processes import Process
from tests.harness.waiting import DEADLINE, until

# "uvicorn-picows" is uvicorn with our own WebSocket end.
SERVERS = ("daphne", "uvicorn", "uvicorn-picows")
OWN_END = "django_socketio.servers.uvicorn:WebSocketProtocol"
OLD_UVICORN = tuple(map(int, uvicorn.__version__.split(".")[:2])) < (0, 36)
WITH_OWN_END = (
    ("-m", "tests.harness.own_end") if OLD_UVICORN else ("-m", "uvicorn", "--ws", OWN_END)
)

# What must never be in a server's log, whatever clients do.
FORBIDDEN = (
    "Task exception was never retrieved",
    "Exception in ASGI application",
    "was never awaited",
    "Task was destroyed but it is pending",
)
# Nor these, where no handler fails on purpose: in any app but the first.
FAILURES = ("Traceback", "Unhandled", "never retrieved")
# uvicorn's own traceback for a text frame that is not UTF-8.
OWN = re.compile(r"Invalid UTF-8 sequence.*?\nTraceback.*?\nUnicodeDecodeError[^\n]*\n", re.DOTALL)

# The apps with namespaces, of which a server has one.
MAIN = "tests.project"
HOSTILE = "tests.security.app"
REFERENCE = "tests.conformance.app"
SUITE_APP = "tests.conformance.suite"

# What of all that a server holds shows whether something was left behind.
LEFT_BEHIND = (
    "clients",
    "pending",
    "namespaces",
    "timers",
    "hub_tasks",
    "tasks",
    "queued",
    "pending_acks",
)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def command(server: str, application: str, port: int = 0) -> list[str]:
    """How `server` is started; it says itself on which port it listens (0: any free one)."""
    if server == "socketio_server":
        address = f"127.0.0.1:{port}"
        return [sys.executable, "-m", "django", server, address, "--app", application]
    if server == "daphne":
        options = ["-b", "127.0.0.1", "-p", str(port), "--verbosity", "1", application]
    elif server == "granian":  # cannot tell which port it was given
        options = ["--interface", "asgi", "--port", str(port or free_port()), application]
    else:
        options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", application]
        if server == "uvicorn-picows":
            return [sys.executable, *WITH_OWN_END, *options]
    return [sys.executable, "-m", server, *options]


LISTENING = (
    r"(?:Listening on TCP address |Listening at: http://|running on http://)127\.0\.0\.1:(\d+)"
)


def environment(
    database: Path | dict[str, Any] | None,
    *,
    app: str = MAIN,
    socketio: dict[str, Any] | None = None,
    redis: str | None = None,
    layer: str = "pubsub",
    layer_config: dict[str, Any] | None = None,
) -> dict[str, str]:
    """The environment variables of a process with the test project; see its settings."""
    asked = {
        "APP": app,
        "DATABASE": str(database) if isinstance(database, Path) else database,
        "SOCKETIO": socketio or {},
        "REDIS": redis,
        "LAYER": layer,
        "LAYER_CONFIG": layer_config or {},
    }
    return {
        "DJANGO_SETTINGS_MODULE": "tests.project.server_settings",
        "TEST_PROJECT": json.dumps(asked),
    }


class Server:
    """A running server. It keeps its port over `stop` and `start`: clients find it again."""

    def __init__(
        self,
        server: str,
        database: Path | dict[str, Any] | None = None,
        *,
        app: str = MAIN,
        **options: Any,
    ) -> None:
        self.name = server
        self.port = 0
        self.env = environment(database, app=app, **options)
        self._failures = () if app == MAIN else FAILURES
        self.start()

    def start(self) -> None:
        """At first on any free port, after `stop` on the same one again."""
        arguments = command(self.name, "tests.project.asgi:application", self.port)
        self._checked = 0
        self.process = Process(arguments, self.env)
        self.port = int(self.process.wait_for_line(LISTENING)[1])
        if self.name == "granian":  # listens before anybody is there to answer
            self.process.wait_for_line("Started worker")
            until(self._answers, "granian to answer")

    def _answers(self) -> bool:
        """Whether an HTTP request is answered, by whatever."""
        try:
            urllib.request.urlopen(self.url, timeout=20).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it; AssertionError where it does not, or where its log holds what it must not."""
        self.process.stop()
        self.check_log()

    def check_log(self) -> None:
        """AssertionError where the log, since it was last checked, holds what it must not."""
        whole = self.process.log
        log, self._checked = whole[self._checked :], len(whole)
        for words in FORBIDDEN:
            assert words not in log, f"{words!r} in the log of {self.name}:\n{log}"
        log = OWN.sub("", log)
        for words in self._failures:
            assert words not in log, f"{words!r} in the log of {self.name}:\n{log}"

    def expect_in_log(self, text: str) -> None:
        """Wait for `text`, with which what the log holds since it was last checked is meant to be.

        What a process writes reaches us a little later than its answers.
        """
        until(lambda: text in self.process.log[self._checked :], f"{text!r} in the log")
        self._checked = len(self.process.log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
        return [entry for entry in answer["entries"] if not kinds or entry["what"] in kinds]

    def disconnect_of(self, sid: str) -> dict[str, Any]:
        """The one note of this socket's disconnect, which may still be on its way."""
        (entry,) = until(lambda: self.journal(sid, "disconnect"), f"the disconnect of {sid}")
        return entry

    def log(self, sid: str) -> list[list[Any]]:
        """The journal's entries as lists, without names: `["disconnect", reason]`."""
        entries, _ = self.request(f"/log?tag={urllib.parse.quote(sid)}")
        return list(entries)

    def reason(self, sid: str) -> str:
        """Why a socket was disconnected; waits for it."""
        return str(self.disconnect_of(sid)["reason"])

    def tag(self, what: str) -> str:
        """The one socket to which this happened first of all."""
        ((sid,), _) = self.request(f"/tags/?what={what}")
        return str(sid)

    def release(self, gate: str) -> None:
        """Open a gate at which handlers wait."""
        self.request(f"/release/?gate={gate}")

    def memory(self) -> int:
        """Resident memory in bytes, without garbage."""
        return int(self.request("/collect/")[0]["memory"])

    def state(self) -> dict[str, Any]:
        """What the process holds and has counted; see the project's view."""
        return dict(self.request("/held/")[0])

    def until(
        self, condition: Callable[[dict[str, Any]], Any], what: str, deadline: float = DEADLINE
    ) -> dict[str, Any]:
        """The first state that `condition` finds right."""

        def look() -> dict[str, Any] | None:
            state = self.state()
            return state if condition(state) else None

        return until(look, what, deadline)

    def holds_no_more_than(self, before: dict[str, Any]) -> bool:
        """Whether there are no more sessions, timers and tasks than in an earlier state."""
        held = self.state()["held"]
        # Sessions that other tests have left behind may end meanwhile, or get a ping.
        return all(held[name] <= before["held"][name] for name in LEFT_BEHIND)

    def until_it_holds_no_more_than(self, before: dict[str, Any]) -> None:
        """Wait until everything that was begun since then is over."""
        until(
            lambda: self.holds_no_more_than(before),
            f"everything to be let go; before it was {before['held']}",
        )

    @contextmanager
    def counting(self, counter: str, key: str, times: int = 1) -> Iterator[None]:
        """The block makes the server count `key` so many times more."""
        before = self.state()["counted"][counter].get(key, 0)
        yield
        self.until(
            lambda state: state["counted"][counter].get(key, 0) >= before + times,
            f"{counter}[{key!r}] to be counted",
        )
        assert self.state()["counted"][counter][key] == before + times


class Servers:
    """Starts servers, each with a copy of the database `template`, and ends them all."""

    def __init__(self, template: Callable[[], Path]) -> None:
        self._template = template
        self._shared: dict[str, Server] = {}
        self._all: list[Server] = []

    def start(self, name: str, **options: Any) -> Server:
        """A server of the caller's own. Only the first app has tables."""
        if options.get("app", MAIN) == MAIN:
            options["database"] = copy_database(self._template(), f"server{len(self._all)}")
        self._all.append(Server(name, **options))
        return self._all[-1]

    def get(self, name: str, **options: Any) -> Server:
        """The one server of this name and these options, for tests that do not harm it."""
        key = json.dumps([name, options], sort_keys=True)
        if key not in self._shared:
            self._shared[key] = self.start(name, **options)
        return self._shared[key]

    def stop(self) -> None:
        """End the shared ones in an orderly way, and kill what is left of the others."""
        try:
            for server in self._shared.values():
                server.stop()
        finally:
            for server in self._all:
                server.process.kill()


def make_database(folder: Path) -> Path:
    """A migrated SQLite file to copy for each server."""
    template = folder / "template.sqlite3"
    migrate(template)
    return template


def migrate(database: Path | dict[str, Any], *arguments: str, **options: Any) -> None:
    """Make the tables in a database, or what else the arguments of the command name."""
    process = Process(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0", *arguments],
        environment(database, **options),
    )
    until(lambda: not process.running, "the migrations", 60)
    assert process.stop() == 0, process.log


def copy_database(template: Path, name: str) -> Path:
    return Path(shutil.copy(template, template.with_name(f"{name}.sqlite3")))
