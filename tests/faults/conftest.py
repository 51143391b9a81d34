"""Crowds of clients, for servers that a test may stop and kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.crowd import Crowd
from tests.harness.node import Runner

MakeCrowd = Callable[..., Crowd]


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
