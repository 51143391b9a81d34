"""Messages of a tunnel that the channel layer loses: the client reconnects, and nothing is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import MakeCluster, MakeCrowd
from tests.faults.crowd import DEFAULT, POLLING
from tests.faults.waiting import go_on
from tests.harness.cluster import Cluster
from tests.harness.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.redis]

LAYER = "tests.faults.lossy.LossyLayer"


@pytest.fixture
def losses(tmp_path: Path) -> Path:
    folder = tmp_path / "losses"
    folder.mkdir()
    return folder


@pytest.fixture
def cluster(make_cluster: MakeCluster, losses: Path) -> Cluster:
    return make_cluster(layer=LAYER, layer_config={"losses": str(losses)})


@pytest.mark.parametrize(
    ("transport", "lost"),
    [
        (POLLING, ["OPEN", "OUT.http", "RECEIPT"]),
        (DEFAULT, ["IN.text", "OUT.text"]),
    ],
    ids=["polling", "websocket"],
)
def test_a_loss_closes_the_session(
    cluster: Cluster, make_crowd: MakeCrowd, losses: Path, transport: list[str], lost: list[str]
) -> None:
    crowd = make_crowd([cluster.url], each=9, transports=[transport], tick=0.05, say=50)
    ticker = crowd.members[0].node
    ...
