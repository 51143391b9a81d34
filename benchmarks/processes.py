"""Server processes: started on a core of their own, and surely ended."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import measure
from benchmarks.load.websocket import HOST

ROOT = Path(__file__).resolve().parents[1]
START, END = 30.0, 5.0  # seconds


class ServerFailed(Exception):
    """A server ended or did not start; the text has the end of its output."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


class Process:
    """A command in a session of its own; its children count as a part of it."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cores: set[int]) -> None:
        self.command = list(command)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._popen = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _prepare(cores),
        )

    def pids(self) -> list[int]:
        return measure.processes_of(self._popen.pid)

    def output(self) -> str:
        """The end of what it has written."""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - 4000))
        return self._output.read().decode(errors="replace")

    def written(self) -> int:
        """How many bytes it has written."""
        return self._output.seek(0, os.SEEK_END)

    def check(self) -> None:
        """Raises ServerFailed once it has ended."""
        if self._popen.poll() is not None:
            raise ServerFailed(f"{' '.join(self.command)} has ended:\n{self.output()}")

    async def listening(self, port: int) -> None:
        """Wait until it accepts connections. Raises ServerFailed after 30 seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START
        while loop.time() < deadline:
            self.check()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise ServerFailed(f"{' '.join(self.command)} does not listen:\n{self.output()}")

    def stop(self) -> None:
        """Ask it to end, then end it and whatever it started."""
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(END)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._output.close()


PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _prepare(cores: set[int]) -> None:
    """Between fork and exec: the server's cores, and that it ends when we do, however that is."""
    os.sched_setaffinity(0, cores)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def python(*words: str) -> list[str]:
    """A command of this Python."""
    return [sys.executable, *words]
