"""The pages over three processes: all are shown, an action reaches all, a dead one is marked."""

from __future__ import annotations

import json
import queue
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx
import pytest

from django_socketio.admin_pages.feed import NAMESPACE
from django_socketio.stats.identity import HOST
from tests.admin.people import log_in_staff
from tests.harness.cluster import Cluster
from tests.harness.protocol import Closed
from tests.harness.servers import Server
from tests.harness.waiting import until
from tests.harness.wire import Peer

pytestmark = pytest.mark.redis

CONNECTIONS = "/admin/django_socketio/connection/"
LIVE = "/admin/django_socketio/serverprocess/"
TABLE = "django_socketio_serverprocess"
HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT = 1, 4


@pytest.fixture(scope="module")
def cluster(_clusters: Callable[..., Cluster]) -> Iterator[Cluster]:
    """Overrides the one for all tests: statistics are on, and one worker is killed at last."""
    made = _clusters(layer="pubsub", socketio={"STATS_INTERVAL": 1})
    yield made
    made.kill()


def browser(worker: Server, cookie: str) -> httpx.Client:
    name, value = cookie.split("=")
    return httpx.Client(base_url=worker.url, cookies={name: value}, timeout=20)


@contextmanager
def join(worker: Server, namespace: str, cookie: str = "") -> Iterator[tuple[Peer, str]]:
    """A client that asked to enter a namespace, and the answer."""
    with Peer(worker, headers={"Cookie": cookie}) as client:
        client.handshake()
        client.send(f"40{namespace},")
        yield client, str(client.next())


def is_open(client: Peer) -> bool:
    try:
        while True:
            client.next(0.05)
    except queue.Empty:
        return True
    except Closed:
        return False


def test_all_processes_are_shown_and_reached(cluster: Cluster) -> None:
    staff, alice = log_in_staff(cluster.workers[0], "boss"), cluster.workers[0].log_in("alice")
    bob = cluster.workers[0].log_in("bob")
    with ExitStack() as stack:

        def enter(worker: Server, namespace: str, cookie: str) -> Peer:
            client, answer = stack.enter_context(join(worker, namespace, cookie))
            assert answer.startswith(f"40{namespace},"), answer
            return client

        hers = [enter(worker, "/members", alice) for worker in cluster.workers]
        hers += [enter(worker, "/lab", alice) for worker in cluster.workers]
        his = [enter(worker, "/members", bob) for worker in cluster.workers]
        with browser(cluster.workers[0], staff) as page:
            text = page.get(CONNECTIONS, params={"user": "alice"}).text
            assert "6 sockets" in text
            assert "did not answer" not in text
            assert len(set(re.findall(r'<td data-label="Process">([^<]+:\d+)</td>', text))) == 3
            text = page.get(LIVE).text
            assert text.count("● running") == 3
            form = page.get(CONNECTIONS, params={"user": "alice"}).text
            target = re.search(r'name="target" value="([^"]+)"', form)
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
            assert target is not None
            assert token is not None
            data = {
                "csrfmiddlewaretoken": token[1],
                "action": "disconnect",
                "target": target[1],
                "whole_user": "1",
            }
            assert (
                page.post(CONNECTIONS, data={**data, "csrfmiddlewaretoken": ""}).status_code == 403
            )
            # The page asks first, and says whom.
            asked = page.post(CONNECTIONS, data=data)
            assert asked.status_code == 200
            assert "<strong>alice</strong>" in asked.text
            assert all(map(is_open, hers))
            data["confirmed"] = "1"
            assert page.post(CONNECTIONS, data=data).status_code == 302
        until(lambda: not any(map(is_open, hers)), "her sockets to be closed")
        assert all(map(is_open, his))


def test_every_page_shows_all_processes(cluster: Cluster) -> None:
    staff = log_in_staff(cluster.workers[0], "boss")
    with ExitStack() as stack:
        for worker in cluster.workers:
            client, answer = stack.enter_context(join(worker, "/lab"))
            assert answer.startswith("40/lab,")
            client.send('42/lab,0["join","everywhere"]')
            client.send('42/lab,1["pair"]')
            assert str(client.next()).startswith("43/lab,0")
            assert str(client.next()).startswith("43/lab,1")
        names = {f"{HOST}:{worker.process.pid}" for worker in cluster.workers}
        with browser(cluster.workers[1], staff) as page:

            def missing(path: str) -> set[str]:
                text = page.get(path).text
                return {name for name in names if name not in text}

            assert not missing(LIVE)
            assert not missing(CONNECTIONS)
            assert not missing("/admin/django_socketio/room/")
            text = page.get("/admin/django_socketio/namespace/").text
            row = re.search(r">pair</span></th>.*?class=\"number\">(\d+)<", text, re.DOTALL)
            assert row is not None
            assert int(row[1]) >= 3
    database = json.loads(cluster.workers[0].env["TEST_PROJECT"])["DATABASE"]

    def recorded() -> set[str]:
        with closing(sqlite3.connect(database, timeout=20)) as connection:
            return {f"{h}:{p}" for h, p in connection.execute("select host, pid from " + TABLE)}

    until(lambda: names <= recorded(), "a row of each process")


def test_without_the_permission_nothing_can_be_done(cluster: Cluster) -> None:
    clerk = log_in_staff(cluster.workers[0], "clerk", "view_serverprocess", "send_events")
    alice = cluster.workers[0].log_in("alice")
    with ExitStack() as stack:
        hers = [
            stack.enter_context(join(worker, "/members", alice))[0] for worker in cluster.workers
        ]
        with browser(cluster.workers[0], clerk) as page:
            text = page.get(CONNECTIONS, params={"user": "alice"}).text
            assert "3 sockets" in text
            buttons = set(re.findall(r'name="action" value="(\w+)"', text))
            assert buttons == {"emit"}
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
            targets = re.findall(r'name="target" value="([^"]+)"', text)
            assert token is not None
            assert len(targets) == 3
            data = {"csrfmiddlewaretoken": token[1], "target": targets, "whole_user": "1"}
            for action in ("disconnect", "join", "leave"):
                answer = page.post(CONNECTIONS, data={**data, "action": action, "room": "r"})
                assert answer.status_code == 403
        assert all(map(is_open, hers))


def test_nobody_else_enters_the_feed(cluster: Cluster) -> None:
    worker = cluster.workers[0]
    for cookie, message in (("", "Login required"), (worker.log_in("bob"), "Permission denied")):
        with join(worker, NAMESPACE, cookie) as (_client, answer):
            assert answer == f'44{NAMESPACE},{{"message":"{message}"}}'


@pytest.mark.serial
def test_the_feed_shows_a_dead_process_as_stale(cluster: Cluster) -> None:
    staff = log_in_staff(cluster.workers[0], "boss")

    def wait_for(client: Peer, wanted: Callable[[str], Any]) -> str:
        def look() -> str:
            text = str(client.next())
            return text if text.startswith("42") and wanted(text) else ""

        return until(look, "the feed to show it", 30)

    def sockets(text: str) -> int:
        found = re.search(r"<dt>Sockets</dt><dd>(\d+)", text)
        assert found is not None
        return int(found[1])

    with ExitStack() as stack:
        client, answer = stack.enter_context(join(cluster.workers[0], NAMESPACE, staff))
        assert answer.startswith("40")
        for _ in range(5):
            stack.enter_context(join(cluster.workers[2], "/lab"))
        before = wait_for(client, lambda text: sockets(text) >= 6)
        assert before.count("● running") == 3
        name = f"{HOST}:{cluster.workers[2].process.pid}"
        cluster.workers[2].process.kill()
        killed = time.monotonic()
        after = wait_for(client, lambda text: "▲ stale" in text)
        # The others notice at a heartbeat of their own, the page shows it when it is next fed.
        assert time.monotonic() - killed < HEARTBEAT_TIMEOUT + HEARTBEAT_INTERVAL
        assert after.count("● running") == 2
        assert sockets(after) == sockets(before) - 5
        with browser(cluster.workers[1], staff) as page:
            assert "▲ stale" in page.get(LIVE).text
            for path in (CONNECTIONS, "/admin/django_socketio/room/"):
                text = page.get(path).text
                assert name not in text
                assert "did not answer" not in text
