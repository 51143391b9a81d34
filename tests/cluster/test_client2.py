"""Clients 2.x on three workers without sticky sessions: sessions are carried, rooms are joined."""

from __future__ import annotations

import pytest

from django_socketio.addressing.ids import new_id, new_node, owner_of
from tests.harness.cluster import Cluster
from tests.harness.node import Runner

pytestmark = [pytest.mark.node, pytest.mark.redis]


def test_a_socket_is_found_by_its_id(node_runner: Runner, cluster: Cluster, transport: str) -> None:
    """It ends with the id of the session, which names the process."""
    seen = node_runner.run("by_id", cluster.url, client="2", transport=transport)
    assert seen["said"] == ["privately"]
    assert seen["found"] == [[seen["ids"][1]]]


def test_one_room_for_all_versions(node_runner: Runner, cluster: Cluster) -> None:
    versions = ["2", "4"]
    room = "mixed over processes"
    run = node_runner.start("mixed_room", cluster.url, room=room, versions=versions, others=0)
    run.wait_for("joined")
    run.go("say")
    result = run.result()
    assert len(result) == 6
    for said in result.values():
        assert sorted(said) == sorted(f"é😀 {name}" for name in result)


def test_characters_and_bytes(node_runner: Runner, cluster: Cluster, transport: str) -> None:
    seen = node_runner.run("characters", cluster.url, client="2", transport=transport)
    assert seen["texts"] == [True] * 5
    assert seen["blobs"] == [[0, 4, 30, 255], [], [0, 4, 30, 255]]


def test_the_owner_of_an_id() -> None:
    node = new_node()
    sid = new_id(node)
    assert owner_of(sid) == owner_of(f"/chat#{sid}") == owner_of(f"/a#b#{sid}") == node
    for other in ("", "room", f"chat#{sid}", f"/chat{sid}", f"/chat#{sid}x", f"/#{sid[1:]}"):
        assert owner_of(other) is None
