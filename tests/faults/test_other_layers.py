"""Layers beside channels_redis's whose server ends and comes back."""

from __future__ import annotations

import time

import pytest

from django_socketio.cluster.layer import CALL_TIMEOUT
from tests.conftest import MakeCluster
from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import WEBSOCKET, nodes
from tests.harness.layers import other_layers

pytestmark = [pytest.mark.node, pytest.mark.serial]


@pytest.mark.parametrize("layer", other_layers())
def test_a_server_that_is_restarted(
    make_cluster: MakeCluster, make_crowd: MakeCrowd, layer: str
) -> None:
    """Each process serves its own clients meanwhile; then all hear each other again."""
    cluster = make_cluster(layer=layer)
    known = nodes(cluster.workers)
    urls = [worker.url for worker in cluster.workers]
    crowd = make_crowd(urls, each=2, transports=[WEBSOCKET], tick=0.05)
    crowd.wait_for_more(known)
    cluster.broker.stop()
    for place, node in enumerate(known):
        crowd.wait_for_more([node], places=(place,))
    if layer == "rabbitmq":  # whose calls wait, longer than we let any other layer's
        time.sleep(CALL_TIMEOUT)
    cluster.broker.start()
    crowd.wait_for_more(known)
    for member in crowd.report():
        assert (member.losses, member.errors) == ([], [])
        assert member.in_order
        assert member.missed(member.node) == 0
    cluster.wait_until_met()
