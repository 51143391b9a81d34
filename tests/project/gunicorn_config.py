"""What gunicorn needs here that it does not do by itself."""

from __future__ import annotations

from typing import Any

# All gunicorns of a user would share it.
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Hand the sockets themselves to uvicorn, in place of gunicorn's wrappers.

    Of a wrapper, uvloop and gunicorn both close the file descriptor when the worker ends. A thread
    that opens a file in between gets the same number, and loses it: "disk I/O error" from SQLite.
    """
    worker.sockets = [wrapper.sock for wrapper in worker.sockets]
