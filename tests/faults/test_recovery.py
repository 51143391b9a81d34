"""Official clients lose their connections and their servers, and miss nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import MakeCluster
from tests.harness.cluster import Cluster
from tests.harness.node import Run, Runner
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis]

ON = {"CONNECTION_STATE_RECOVERY": True}
# Seconds between two numbers of one worker.
PACE = 0.02

Member = dict[str, Any]


class Returning:
    """Clients behind the proxy, and workers that count aloud to all of them."""

    def __init__(
        self,
        runner: Runner,
        cluster: Cluster,
        members: int,
        pace: float = PACE,
        **options: Any,
    ) -> None:
        self.cluster = cluster
        self._counting: dict[str, Run] = {}
        for worker in cluster.workers:
            run = runner.start("counting", worker.url, transport="websocket", seconds=pace)
            self._counting[run.wait_for("counting")] = run
        self.nodes = list(self._counting)
        self._run = runner.start("returning", cluster.url, members=members, **options)
        self._round = 0

    def _ask(self, word: str) -> list[Member]:
        self._run.go(f"{word} {self._round}")
        self._round += 1
        members: list[Member] = self._run.wait_for("report")
        return members

    def report(self) -> list[Member]:
        return self._ask("report")

    def cut(self) -> None:
        """Kill every WebSocket from the clients' side."""
        self._ask("cut")

    def cut_network(self) -> None:
        """End every connection in between."""
        assert self.cluster.proxy is not None
        os.kill(self.cluster.proxy.pid, signal.SIGUSR1)

    def wait_until_back(self, comings: int) -> list[Member]:
        """Wait until everybody has connected so often, and is there."""
        found: list[Member] = []

        def back() -> bool:
            found[:] = self.report()
            return all(one["state"] and len(one["comings"]) >= comings for one in found)

        until(back, "everybody to be back", 30.0)
        return found

    def finish(self, *alive: str) -> list[Member]:
        """Have the workers count no more, and wait until everybody has heard the last number."""
        for node in alive:
            self._counting[node].go("stop")
            self._counting[node].result()
        found: list[Member] = []

        def heard() -> bool:
            found[:] = self.report()
            return all(node in one["last"] for one in found for node in alive)

        until(heard, "everybody to hear the last number", 30.0)
        return found

    def stop(self) -> None:
        self._ask("stop")
        self._run.result()


def check(members: list[Member], *alive: str) -> None:
    """Each has heard each number once and in order, up to the last, under the same id."""
    for one in members:
        first, *others = one["comings"]
        assert all(coming == {"sid": first["sid"], "recovered": True} for coming in others), one
        assert one["state"]["recovered"] == bool(others), one
        assert one["state"]["rooms"] == ["lobby"], one
        assert one["state"]["data"]["name"] == first["sid"], one
        assert not any(run["wrong"] for run in one["runs"].values()), one
        assert {node: one["runs"][node]["last"] for node in alive} == {
            node: one["last"][node] for node in alive
        }


MakeReturning = Callable[..., Returning]


@pytest.fixture
def returning(make_cluster: MakeCluster, node_runner: Runner) -> Iterator[MakeReturning]:
    started: list[Returning] = []

    def make(members: int, pace: float = PACE, **options: Any) -> Returning:
        cluster = make_cluster(socketio=ON)
        started.append(Returning(node_runner, cluster, members, pace, **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.mark.parametrize(
    "members", [15, pytest.param(300, marks=[pytest.mark.large, pytest.mark.serial])]
)
def test_connections_are_lost_and_a_worker_ends(returning: MakeReturning, members: int) -> None:
    # As many events in all, however many clients there are.
    pace = PACE * members / 15
    clients = returning(members, pace, transports=["websocket", "polling+websocket"])
    clients.cut()
    clients.wait_until_back(2)
    clients.cut_network()
    clients.wait_until_back(3)
    _, *alive = clients.nodes
    clients.cluster.workers.pop(0).stop()
    clients.wait_until_back(3)
    clients.cut()
    clients.wait_until_back(4)
    check(clients.finish(*alive), *alive)


def test_long_polling(returning: MakeReturning) -> None:
    # Polls are carried from process to process, which costs more than the events.
    clients = returning(6, pace=0.2, transports=["polling"])
    before = clients.wait_until_back(1)
    ended, *alive = clients.nodes
    lost = [one["state"]["node"] == ended for one in before]
    assert any(lost)
    clients.cluster.workers.pop(0).stop()

    def back() -> bool:
        now = zip(lost, clients.report(), strict=True)
        return all(one["state"] and len(one["comings"]) == 1 + was_lost for was_lost, one in now)

    until(back, "everybody to be back", 30.0)
    members = clients.finish(*alive)
    check([one for one, was_lost in zip(members, lost, strict=True) if was_lost], *alive)


def test_a_worker_is_killed(returning: MakeReturning) -> None:
    clients = returning(12)
    before = clients.wait_until_back(1)
    killed, *alive = clients.nodes
    clients.cluster.workers.pop(0).process.kill()
    lost = [one["state"]["node"] == killed for one in before]
    assert any(lost)

    def back() -> bool:
        now = zip(lost, clients.report(), strict=True)
        return all(one["state"] and len(one["comings"]) == 1 + was_lost for was_lost, one in now)

    until(back, "everybody to be back", 30.0)
    members = clients.finish(*alive)
    check([one for one, was_lost in zip(members, lost, strict=True) if not was_lost], *alive)
    for one in (one for one, was_lost in zip(members, lost, strict=True) if was_lost):
        first, second = one["comings"]
        assert second["sid"] != first["sid"]
        assert not second["recovered"]
        assert one["state"]["data"] == {"name": second["sid"]}
        assert one["state"]["rooms"] == ["lobby"]
        assert not one["state"]["recovered"]
