"""Messages of a tunnel that are lost: the client reconnects, and nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import DEFAULT, POLLING, Crowd, nodes
from tests.harness.cluster import Cluster
from tests.harness.servers import copy_database
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis]

LAYER = "tests.faults.lossy.LossyLayer"


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("losses")


@pytest.fixture(scope="module")
def cluster(database_template: Path, losses: Path) -> Iterator[Cluster]:
    database = copy_database(database_template, losses.name)
    cluster = Cluster(database, layer=LAYER, layer_config={"losses": str(losses)})
    yield cluster
    cluster.stop()


@pytest.fixture
def tickers(cluster: Cluster, make_crowd: MakeCrowd) -> Crowd:
    """A client for each process that is connected to it directly, and makes it send numbers."""
    # The numbers of the test before would count as out of order.
    until(lambda: not cluster.workers[0].io(["of", "/crowd"], ["afetch_sockets"]), "an empty room")
    return make_crowd([worker.url for worker in cluster.workers], each=1, tick=0.05)


def lose(losses: Path, what: str) -> None:
    """Have a message lost, and wait until it is."""
    (losses / what).touch()
    until(lambda: not (losses / what).exists(), f"{what} to be lost")


@pytest.mark.parametrize(
    ("transport", "kinds"),
    [(POLLING, ["OPEN", "OUT.http", "RECEIPT"]), (DEFAULT, ["IN.text", "OUT.text"])],
    ids=["polling", "websocket"],
)
def test_a_loss_closes_the_session_and_nothing_is_skipped(
    cluster: Cluster,
    make_crowd: MakeCrowd,
    tickers: Crowd,
    losses: Path,
    transport: list[str],
    kinds: list[str],
) -> None:
    crowd = make_crowd([cluster.url], each=9, transports=[transport], say=50, reconnectionDelay=200)
    alive = nodes(cluster.workers)
    for kind in kinds:
        before = crowd.losses
        lose(losses, kind)
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
    cluster: Cluster, make_crowd: MakeCrowd, losses: Path
) -> None:
    """Even where the owner has nothing more to say in that tunnel, and the client is silent."""
    crowd = make_crowd([cluster.url], each=6, transports=[DEFAULT], reconnectionDelay=200)
    # What the client would disconnect for, and the end of its WebSocket.
    for kind in ("OUT.text", "OUT.close"):
        (losses / kind).touch()
    cluster.workers[0].io(["of", "/crowd"], ["disconnect_sockets", True])
    until(lambda: not list(losses.iterdir()), "the end to be lost")
    crowd.wait_for_losses(6)
    reasons = {loss["reason"] for member in crowd.members for loss in member.losses}
    assert "transport close" in reasons


def test_the_loss_of_a_clients_farewell(
    cluster: Cluster, make_crowd: MakeCrowd, losses: Path
) -> None:
    crowd = make_crowd([cluster.url], each=6, transports=[DEFAULT])
    for kind in ("IN.end", "ABORT"):
        (losses / kind).touch()
    sids = {member.sid for member in crowd.stop()}
    until(lambda: not list(losses.iterdir()), "the farewells to be lost")

    def gone() -> bool:
        found = cluster.workers[0].io(["of", "/crowd"], ["afetch_sockets"])
        return sids.isdisjoint(socket["sid"] for socket in found)

    until(gone, "the sessions to end", 5)
