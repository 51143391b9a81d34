"""Messages of a tunnel that are lost: they are sent again, or the client reconnects.

Nothing is skipped. Most workers here keep nothing that they could send again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeCluster
from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import DEFAULT, POLLING, Crowd, nodes
from tests.harness.cluster import Cluster
from tests.harness.servers import copy_database
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis]

LAYER = "tests.faults.lossy.LossyLayer"


class Losses:
    """Has messages lost, by what they hold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._planned = 0

    def plan(self, *what: str) -> None:
        """The next message that holds one of these will be lost, then one that holds another."""
        for name in what:
            (self._folder / name).touch()
        self._planned += len(what)

    def wait(self) -> None:
        """Wait until what was planned is lost."""
        until(lambda: not list(self._folder.iterdir()), "messages to be lost")

    def wait_until_noticed(self, cluster: Cluster) -> None:
        """Wait until the workers know of all losses: each comes to light with a later message."""
        until(lambda: counted(cluster, "lost") == self._planned, "the losses to be noticed")


def counted(cluster: Cluster, key: str) -> int:
    """What the workers have counted on the layer, together."""
    return sum(worker.counts()["layer"].get(key, 0) for worker in cluster.workers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("losses")


@pytest.fixture(scope="module")
def cluster(database_template: Path, folder: Path) -> Iterator[Cluster]:
    database = copy_database(database_template, folder.name)
    cluster = Cluster(
        database,
        socketio={"MAX_RESEND_BUFFER_SIZE": 0},
        layer=LAYER,
        layer_config={"losses": str(folder)},
    )
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def all_losses(folder: Path) -> Losses:
    return Losses(folder)


@pytest.fixture
def losses(all_losses: Losses, cluster: Cluster, make_crowd: MakeCrowd) -> Iterator[Losses]:
    """The clients of the next test have nothing to suffer from them."""
    yield all_losses
    # Clients whose tunnels lead from every process to every other one, and are in use.
    make_crowd([cluster.url], each=6, transports=[POLLING], say=50)
    all_losses.wait_until_noticed(cluster)


@pytest.fixture
def tickers(cluster: Cluster, make_crowd: MakeCrowd) -> Crowd:
    """A client for each process that is connected to it directly, and makes it send numbers."""
    # The numbers of the test before would count as out of order.
    until(lambda: not cluster.workers[0].io(["of", "/crowd"], ["afetch_sockets"]), "an empty room")
    return make_crowd([worker.url for worker in cluster.workers], each=1, tick=0.05)


@pytest.mark.parametrize(
    ("transport", "kinds"),
    [(POLLING, ["OPEN", "OUT.http", "RECEIPT"]), (DEFAULT, ["IN.text", "OUT.text"])],
    ids=["polling", "websocket"],
)
def test_a_loss_closes_the_session_and_nothing_is_skipped(
    cluster: Cluster,
    make_crowd: MakeCrowd,
    tickers: Crowd,
    losses: Losses,
    transport: list[str],
    kinds: list[str],
) -> None:
    crowd = make_crowd([cluster.url], each=9, transports=[transport], say=50, reconnectionDelay=200)
    alive = nodes(cluster.workers)
    for kind in kinds:
        before = crowd.losses
        losses.plan(kind)
        losses.wait()
        crowd.wait_for_losses(before + 1)
        crowd.wait_until_back(alive)
        crowd.wait_for_more(alive)
    for member in crowd.members:
        assert member.in_order
        assert sum(member.missed(node) for node in alive) == 0
        assert all(loss["reason"].startswith("transport ") for loss in member.losses), member
    for worker in cluster.workers:
        assert "skipped" not in worker.process.log
    assert all(member.losses == [] for member in tickers.report())


def test_the_loss_of_the_end_of_a_session(
    cluster: Cluster, make_crowd: MakeCrowd, losses: Losses
) -> None:
    """Even where the owner has nothing more to say in that tunnel, and the client is silent."""
    crowd = make_crowd([cluster.url], each=6, transports=[DEFAULT], reconnectionDelay=200)
    # What the client would disconnect for, and the end of its WebSocket.
    losses.plan("OUT.text", "OUT.close")
    cluster.workers[0].io(["of", "/crowd"], ["disconnect_sockets", True])
    losses.wait()
    crowd.wait_for_losses(6)
    reasons = {loss["reason"] for member in crowd.members for loss in member.losses}
    assert "transport close" in reasons


def test_the_loss_of_a_clients_farewell(
    cluster: Cluster, make_crowd: MakeCrowd, losses: Losses
) -> None:
    crowd = make_crowd([cluster.url], each=6, transports=[DEFAULT])

    def transports() -> dict[str, str]:
        found = cluster.workers[0].io(["of", "/crowd"], ["afetch_sockets"])
        return {socket["sid"]: socket["transport"] for socket in found}

    # A client whose "upgrade" packet is lost with its farewell polls no more, and is missed only
    # when it does not answer a ping.
    sids = {member.sid for member in crowd.report()}
    until(
        lambda: [transports().get(str(sid)) for sid in sids] == ["websocket"] * 6,
        "the clients to upgrade",
    )
    losses.plan("IN.end", "ABORT")
    crowd.stop()
    losses.wait()

    def gone() -> bool:
        return sids.isdisjoint(transports())

    until(gone, "the sessions to end")


def test_a_loss_that_heals_is_noticed_by_nobody(
    make_cluster: MakeCluster, make_crowd: MakeCrowd, tmp_path: Path
) -> None:
    losses = Losses(tmp_path)
    cluster = make_cluster(layer=LAYER, layer_config={"losses": str(tmp_path)})
    alive = nodes(cluster.workers)
    urls = [worker.url for worker in cluster.workers]
    crowds = [
        make_crowd([cluster.url], each=6, transports=[DEFAULT], say=50),
        make_crowd(urls, each=1, tick=0.05),
    ]
    for crowd in crowds:
        crowd.wait_for_more(alive)
    losses.plan("IN.text", "OUT.text", "EMIT")
    losses.wait()
    until(lambda: counted(cluster, "sent again") >= 3, "messages to be sent again")
    for crowd in crowds:
        crowd.wait_for_more(alive)
        for member in crowd.members:
            assert (member.losses, member.errors) == ([], [])
            assert member.in_order
            assert sum(member.missed(node) for node in alive) == 0
    assert counted(cluster, "lost") == 0
    for worker in cluster.workers:
        assert "skipped" not in worker.process.log
