"""The demo project on servers that start several processes: nothing is set but the Redis server."""

from __future__ import annotations

import re
import sys
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.cluster.test_servers import COMMANDS, LISTENING
from tests.harness.node import PACKAGES, Runner
from tests.harness.processes import Process
from tests.harness.redis import Redis
from tests.harness.servers import FORBIDDEN
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis]

CLIENT = PACKAGES / "socket.io-client" / "dist"
EACH = 10


def log_in(url: str, name: str) -> str:
    """A Cookie header of that user's session."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with browser.open(f"{url}/login/", timeout=20) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert token
    form = {"username": name, "password": "demo", "csrfmiddlewaretoken": token[1]}
    request = urllib.request.Request(
        f"{url}/login/", urllib.parse.urlencode(form).encode(), {"Referer": url}
    )
    with browser.open(request, timeout=20):
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@pytest.mark.parametrize("command", ["uvicorn", pytest.param("gunicorn", marks=pytest.mark.matrix)])
def test_two_people_on_four_workers(node_runner: Runner, tmp_path: Path, command: str) -> None:
    redis = Redis()
    environment = {
        "DJANGO_SETTINGS_MODULE": "demo_project.settings",
        "DEMO_DATABASE": str(tmp_path / "demo.sqlite3"),
        "DEMO_SOCKETIO_CLIENT": str(CLIENT),
        "REDIS_URL": redis.url,
    }
    set_up = Process([sys.executable, "manage.py", "setup_demo"], environment)
    until(lambda: not set_up.running, "setup_demo", 60)
    assert set_up.stop() == 0, set_up.log
    arguments = [sys.executable, "-m", *COMMANDS[command], "demo_project.asgi:application"]
    server = Process(arguments, environment)
    try:
        url = server.wait_for_line(LISTENING)[1]
        until(lambda: answers(url), "a worker", 60)
        cookies = [log_in(url, name) for name in ("alice", "bob")]
        for transport in ("polling", "default"):
            told = node_runner.run("people", url, transport=transport, cookies=cookies, each=EACH)
            said = [[f"{place}: {n}" for n in range(EACH)] for place in range(2)]
            assert sorted(told["saved"]) == sorted(said[0] + said[1])
            assert told["seen"] == [said[1], said[0]]
        server.stop()
    finally:
        server.kill()
        redis.close()
    for words in (*FORBIDDEN, "Traceback"):
        assert words not in server.log, server.log


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/login/", timeout=20):
            return True
    except OSError:
        return False
