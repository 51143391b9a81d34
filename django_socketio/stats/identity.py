"""Who this process is, for whoever reads what it reports."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timezone

HOST = socket.gethostname()[:200]
STARTED = datetime.now(timezone.utc)


def process_name() -> str:
    """Return "host:pid"."""
    return f"{HOST}:{os.getpid()}"
