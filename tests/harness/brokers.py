"""Servers of other channel layers than channels_redis's, each on a free port."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

from tests.harness.processes import Process
from tests.harness.servers import free_port

# Debian's own command would change the user.
RABBITS = "lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"


class Broker(Protocol):
    """A server that carries a layer's messages. It keeps its port over `stop` and `start`."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None:
        """End it for good."""


class Nats:
    """A NATS server."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        program = find_nats()
        assert program is not None
        self.process = Process([program, "--addr", "127.0.0.1", "--port", str(self.port)])
        self.process.wait_for_line("Server is ready")

    def stop(self) -> None:
        self.process.kill()

    def close(self) -> None:
        self.process.kill()


class Rabbit:
    """A RabbitMQ server, with a port mapper (epmd) of its own, which ends with it."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="rabbit"))
        self.port = free_port()
        self._env = {
            "HOME": str(self._folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_MNESIA_BASE": str(self._folder),
            "RABBITMQ_NODENAME": "tests@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
        }
        self._mapper = Process(["epmd"], self._env)
        self.start()

    def start(self) -> None:
        program = find_rabbit()
        assert program is not None
        self.process = Process([program], self._env)
        self.process.wait_for_line("Server startup complete", 60)

    def stop(self) -> None:
        self.process.kill()

    def close(self) -> None:
        self.process.kill()
        self._mapper.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def find_nats() -> str | None:
    return shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


def find_rabbit() -> Path | None:
    return next(Path("/usr").glob(RABBITS), None)
