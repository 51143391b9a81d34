"""Clusters whose processes and Redis a test may stop and kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.crowd import Crowd
from tests.harness.cluster import Cluster
from tests.harness.node import Runner
from tests.harness.servers import copy_database

MakeCluster = Callable[..., Cluster]
MakeCrowd = Callable[..., Crowd]


@pytest.fixture
def make_cluster(database_template: Path, tmp_path: Path) -> Iterator[MakeCluster]:
    """Makes a cluster for this test alone."""
    started: list[Cluster] = []

    def make(**options: Any) -> Cluster:
        database = copy_database(database_template, f"{tmp_path.name}-{len(started)}")
        started.append(Cluster(database, **options))
        return started[-1]

    yield make
    for cluster in started:
        cluster.kill()


@pytest.fixture
def make_crowd(node_runner: Runner) -> Iterator[MakeCrowd]:
    """Connects a crowd of JavaScript clients."""
    started: list[Crowd] = []

    def make(urls: list[str], **options: Any) -> Crowd:
        started.append(Crowd(node_runner, urls, **options))
        return started[-1]

    yield make
    for crowd in started:
        crowd.stop()
