"""Where and with what the figures were measured."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from json import loads
from pathlib import Path

from benchmarks.servers import node_program
from tests.harness.programs import find_redis

PYTHON_PACKAGES = (
    *("channels-socketio", "Django", "channels", "channels-redis", "asgiref", "orjson", "uvloop"),
    *("uvicorn", "websockets", "httptools", "granian", "daphne", "python-socketio", "django-sio"),
)
NODE_PACKAGES = ("socket.io", "@socket.io/redis-adapter", "ws")
MODULES = Path(__file__).resolve().parent / "node_modules"


def describe() -> str:
    """Date, machine and versions as a Markdown list."""
    now = datetime.now(timezone.utc)
    lines = [
        f"{now:%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {_memory()} GiB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}: "
        + _listed((name, _python_package(name)) for name in PYTHON_PACKAGES),
        f"Node {_output(node_program(), '--version')}: "
        + _listed((name, _node_package(name)) for name in NODE_PACKAGES),
        f"Redis: {_output(find_redis(), '--version')}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _listed(versions: Iterable[tuple[str, str | None]]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions if number)


def _python_package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _node_package(name: str) -> str | None:
    try:
        found: str = loads((MODULES / name / "package.json").read_text())["version"]
    except OSError:
        return None
    return found


def _output(program: str | None, argument: str) -> str:
    if program is None or shutil.which(program) is None:
        return "none"
    answer = subprocess.run([program, argument], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
