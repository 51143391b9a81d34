"""``gunicorn -k django_socketio.servers.gunicorn.Worker``."""

from __future__ import annotations

import sys

import pytest

from tests.harness.redis import Redis
from tests.harness.waiting import until
from tests.harness.wire import Poller, open_peer
from tests.servers.starting import LISTENING, Listens, started
from tests.servers.test_command import peers

# Not the one of tests.project: that of the package needs no help with its sockets.
GUNICORN = (
    *(sys.executable, "-m", "gunicorn", "-k", "django_socketio.servers.gunicorn.Worker"),
    *("--no-control-socket", "-b", "127.0.0.1:0", "tests.project.asgi:application"),
)


@pytest.mark.redis
def test_two_workers() -> None:
    redis = Redis()
    try:
        with started(*GUNICORN, "-w", "2", redis=redis.url) as process:
            server = Listens(int(process.wait_for_line(LISTENING)[1]))
            until(lambda: peers(server.port) == 1, "the workers to meet", 60)
            with open_peer(server) as peer:
                assert peer.echoes()
            for _ in range(8):
                assert Poller(server).join()
    finally:
        redis.close()
