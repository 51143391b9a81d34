"""The pages over three processes: all are shown, an action reaches all, a dead one is marked."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from django_socketio.admin_pages.feed import NAMESPACE
from tests.harness.cluster import Cluster
from tests.harness.servers import Server
from tests.harness.waiting import until

pytestmark = pytest.mark.redis

CONNECTIONS = "/admin/django_socketio/connection/"
LIVE = "/admin/django_socketio/serverprocess/"


@pytest.fixture(scope="module")
def cluster(_clusters: Callable[..., Cluster]) -> Iterator[Cluster]:
    """Overrides the one for all tests: statistics are on, and one worker is killed at last."""
    made = _clusters(layer="pubsub", socketio={"STATS_INTERVAL": 1})
    yield made
    made.kill()


def make_staff(cluster: Cluster, name: str) -> str:
    """A Cookie header of a superuser's session."""
    worker = cluster.workers[0]
    cookie = worker.log_in(name)
    database = json.loads(worker.env["TEST_PROJECT"])["DATABASE"]
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        query = "update auth_user set is_staff = 1, is_superuser = 1 where username = ?"
        assert connection.execute(query, [name]).rowcount == 1
    return cookie


def browser(worker: Server, cookie: str) -> httpx.Client:
    name, value = cookie.split("=")
    return httpx.Client(base_url=worker.url, cookies={name: value}, timeout=20)


@contextmanager
def join(
    worker: Server, namespace: str, cookie: str = ""
) -> Iterator[tuple[ClientConnection, str]]:
    """A WebSocket whose client asked to enter a namespace, and the answer."""
    url = worker.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    with connect(url, additional_headers={"Cookie": cookie}) as client:
        assert str(client.recv(timeout=10)).startswith("0")
        client.send(f"40{namespace},")
        yield client, str(client.recv(timeout=10))


def is_open(client: ClientConnection) -> bool:
    try:
        while True:
            client.recv(timeout=0.05)
    except TimeoutError:
        return True
    except ConnectionClosed:
        return False


def test_all_processes_are_shown_and_reached(cluster: Cluster) -> None:
    staff, alice = make_staff(cluster, "boss"), cluster.workers[0].log_in("alice")
    bob = cluster.workers[0].log_in("bob")
    with ExitStack() as stack:

        def enter(worker: Server, namespace: str, cookie: str) -> ClientConnection:
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
            assert len(set(re.findall(r"<td>([^<]+:\d+)</td>", text))) == 3
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
            assert page.post(CONNECTIONS, data=data).status_code == 302
        until(lambda: not any(map(is_open, hers)), "her sockets to be closed")
        assert all(map(is_open, his))


def test_nobody_else_enters_the_feed(cluster: Cluster) -> None:
    worker = cluster.workers[0]
    for cookie, message in (("", "Login required"), (worker.log_in("bob"), "Permission denied")):
        with join(worker, NAMESPACE, cookie) as (_client, answer):
            assert answer == f'44{NAMESPACE},{{"message":"{message}"}}'


def test_the_feed_shows_a_dead_process_as_stale(cluster: Cluster) -> None:
    staff = make_staff(cluster, "boss")

    def wait_for(client: ClientConnection, wanted: Callable[[str], Any]) -> str:
        def look() -> str:
            text = str(client.recv(timeout=10))
            if text == "2":
                client.send("3")
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
        cluster.workers[2].process.kill()
        after = wait_for(client, lambda text: "▲ stale" in text)
        assert after.count("● running") == 2
        assert sockets(after) == sockets(before) - 5
