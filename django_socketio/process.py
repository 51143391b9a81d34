"""Says whether this process serves clients, and how many processes are to do so."""

from __future__ import annotations

import os

# True once a SocketIOApplication is made: this process serves clients, or soon will.
serving = False

# Variables in which servers (gunicorn and uvicorn, uvicorn) find the number of their processes.
_NUMBERS = ("WEB_CONCURRENCY", "UVICORN_WORKERS")


def wanted() -> tuple[str, int]:
    """Return how many processes the environment asks for, and the variable that says so."""
    for name in _NUMBERS:
        number = os.environ.get(name, "")
        if number.isdigit():
            return name, int(number)
    return _NUMBERS[0], 1
