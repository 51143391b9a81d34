"""Users who come and go over three processes, one of which is killed, or all of which restart."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
import pytest_asyncio
import socketio

from tests.conftest import MakeCluster
from tests.harness.cluster import Cluster
from tests.harness.servers import Server
from tests.harness.sizes import sizes
from tests.harness.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.redis, pytest.mark.serial]

NAMESPACE = "/fleet"
TIMEOUT, GRACE = 2.0, 2.0
SETTINGS = {
    "PRESENCE": True,
    "PRESENCE_GRACE": GRACE,
    "HEARTBEAT_INTERVAL": 0.5,
    "HEARTBEAT_TIMEOUT": TIMEOUT,
}
# What a busy machine may take beyond what is promised.
SLACK = 4.0


class Users:
    """Clients of as many users, and what was said of each of them in any process."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.clients: list[socketio.AsyncClient] = []
        self.names: dict[str, str] = {}
        # What processes said that run no more.
        self._before: list[dict[str, Any]] = []

    async def come(self, name: str, url: str, **options: Any) -> None:
        if name not in self.names:
            self.names[name] = await asyncio.to_thread(self.cluster.workers[-1].log_in, name)
        client = socketio.AsyncClient(reconnection_delay=0.2, reconnection_delay_max=0.5, **options)
        self.clients.append(client)
        await client.connect(
            url,
            headers=lambda: {"Cookie": self.names[name]},  # the client takes it out of a dict
            namespaces=[NAMESPACE],
            transports=["websocket"],
            wait_timeout=DEADLINE,
        )

    def keep(self, worker: Server) -> None:
        """Keep what a process has said, which ends now."""
        self._before += worker.journal("presence")

    def said(self) -> dict[str, list[str]]:
        """What was said of each user: "online" and "offline"."""
        running = [one for one in self.cluster.workers if one.process.running]
        entries = self._before + [entry for one in running for entry in one.journal("presence")]
        said = defaultdict(list)
        for entry in entries:
            assert entry["model"] == "User"
            said[entry["user"]].append(entry["what"])
        return said

    def summary(self) -> Counter[tuple[str, ...]]:
        """How many users have the same said of them, in any order."""
        return Counter(tuple(sorted(words)) for words in self.said().values())

    async def until(self, wanted: dict[tuple[str, ...], int], seconds: float = DEADLINE) -> None:
        await eventually(lambda: self.summary() == wanted, f"{wanted}", seconds, every=0.1)

    async def leave(self) -> None:
        await asyncio.gather(*(client.shutdown() for client in self.clients))


@pytest_asyncio.fixture
async def users(make_cluster: MakeCluster) -> AsyncIterator[Users]:
    users = Users(make_cluster(socketio=SETTINGS))
    yield users
    await users.leave()


async def fill(users: Users, names: Iterable[str], urls: list[str], **options: Any) -> None:
    for number, name in enumerate(names):
        await users.come(name, urls[number % len(urls)], **options)


@pytest.mark.parametrize("total", sizes(21, 99))
async def test_a_killed_process(users: Users, total: int) -> None:
    """Who was only there is offline, once, and nobody else."""
    victim, *others = users.cluster.workers
    names = [f"user{number}" for number in range(total)]
    urls = [worker.url for worker in users.cluster.workers]
    await fill(users, names, urls, reconnection=False)
    # Every second one of the victim's users has a socket elsewhere as well.
    doubled = names[::6]
    await fill(users, doubled, [others[0].url], reconnection=False)
    await users.until({("online",): total})

    users.keep(victim)
    victim.process.kill()
    killed = time.monotonic()
    lost = total // 3 - len(doubled)
    wanted = {("online",): total - lost, ("offline", "online"): lost}
    await users.until(wanted, TIMEOUT + GRACE + SLACK)
    assert time.monotonic() - killed > GRACE
    # Nobody is said to be anything a second time: a new user's coming is behind it.
    await users.come("last", others[0].url)
    await users.until({**wanted, ("online",): total - lost + 1})


@pytest.mark.matrix  # half a minute
async def test_a_rolling_restart(users: Users) -> None:
    """Clients come back to another process: nobody was away."""
    total = 20
    await fill(users, [f"user{number}" for number in range(total)], [users.cluster.url])
    await users.until({("online",): total})
    for worker in users.cluster.workers:
        users.keep(worker)
        await asyncio.to_thread(worker.stop)
        await asyncio.to_thread(worker.start)
        await asyncio.to_thread(users.cluster.wait_until_met)
        await eventually(
            lambda: all(client.connected for client in users.clients), "all to be back"
        )
    # Longer than anybody may be away, then a user who comes and goes.
    await users.come("guest", users.cluster.url, reconnection=False)
    await users.until({("online",): total + 1}, 2 * GRACE + SLACK)
    await users.clients.pop().disconnect()
    await users.until({("online",): total, ("offline", "online"): 1}, 2 * GRACE + SLACK)
