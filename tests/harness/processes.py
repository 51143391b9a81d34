"""A child process whose output is kept, and which surely ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """Started at once, in a session of its own so that its children end with it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        self.command = [str(word) for word in command]
        self._lines: list[str] = []
        self._popen = subprocess.Popen(
            self.command,
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self._lines.append(line.decode(errors="replace"))

    @property
    def log(self) -> str:
        return "".join(self._lines)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._popen.poll()

    def wait_for_line(self, pattern: str, deadline: float = 30.0) -> re.Match[str]:
        """The match of `pattern` in the output; AssertionError where the process ends before."""

        def look() -> re.Match[str] | None:
            match = re.search(pattern, self.log)
            assert match or self.running, f"{self.command} ended early:\n{self.log}"
            return match

        try:
            return until(look, f"{pattern!r} from {self.command}", deadline)
        except AssertionError:
            self.kill()
            raise

    def stop(self, deadline: float = 15.0) -> int:
        """Ask it to end (SIGTERM), return its exit code. AssertionError where it does not end."""
        if self.running:
            self._popen.terminate()
        try:
            return self._popen.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.command} did not end {deadline} s after SIGTERM:\n{self.log}"
            ) from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, and whatever it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._reader.join(5)
