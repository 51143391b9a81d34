"""A real PostgreSQL server on a free port, which may be stopped and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg

from tests.harness.processes import Process
from tests.harness.servers import free_port
from tests.harness.waiting import until


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs; None without one, or without a user to run it as."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return None
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


class Postgres:
    """Keeps its port over `stop` and `start`."""

    def __init__(self) -> None:
        programs = find_postgres()
        assert programs is not None
        self._programs = programs
        # Short, for a socket's path must be.
        self._folder = Path(mkdtemp(prefix="pg"))
        if _unprivileged():
            shutil.chown(self._folder, "nobody", "nogroup")
        self._data = self._folder / "data"
        subprocess.run(
            [
                *(*_unprivileged(), str(programs / "initdb"), "-D", str(self._data)),
                *("-U", "tests", "--auth", "trust", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            timeout=60,
            cwd="/",
        )
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self.process = Process(
            [
                *(*_unprivileged(), str(self._programs / "postgres"), "-D", str(self._data)),
                *("-p", str(self.port), "-h", "127.0.0.1", "-k", str(self._folder), "-F"),
            ],
            cwd=Path("/"),
        )
        self.process.wait_for_line("ready to accept connections")

    def stop(self) -> None:
        """End it at once: connections break."""
        self.process.kill()
        until(lambda: not self.process.running, "PostgreSQL to end")

    def close(self) -> None:
        """End it for good."""
        self.process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def settings(self) -> dict[str, Any]:
        """What Django's DATABASES needs."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "tests",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a query finds."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="tests", dbname="postgres", connect_timeout=5
        ) as connection:
            return list(connection.execute(sql.encode()).fetchall())
