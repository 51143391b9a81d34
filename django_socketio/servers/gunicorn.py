"""gunicorn's worker: ``gunicorn -k django_socketio.servers.gunicorn.Worker mysite.asgi``.

It is uvicorn's worker with our ends of its connections; see docs/deployment.md.
"""

from __future__ import annotations

import warnings
from typing import Any

from ..conf import get_settings
from .options import recommended

try:
    import uvicorn_worker as workers
except ImportError:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it names that package
            from uvicorn import workers
    except ImportError as error:
        raise ImportError(
            f"{error}; the cure: pip install 'channels-socketio[server,speedups]' uvicorn-worker"
        ) from error


Base: Any = workers.UvicornWorker


class Worker(Base):
    """A worker process of gunicorn that runs uvicorn."""

    sockets: list[Any]
    CONFIG_KWARGS: dict[str, Any] = {"loop": "auto"}  # noqa: RUF012 - uvicorn's name

    async def _serve(self) -> None:
        # Here, because the project is loaded only now: without --preload its settings are not
        # known when a worker is made.
        for name, value in recommended(get_settings().max_http_buffer_size).items():
            setattr(self.config, name, value)
        # Of gunicorn's wrappers, uvloop and gunicorn both close the file descriptor when a worker
        # ends. A thread that opens a file in between gets the same number, and loses it.
        self.sockets = [getattr(wrapper, "sock", wrapper) for wrapper in self.sockets]
        await super()._serve()
