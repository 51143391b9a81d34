"""The list of scenarios, filled by a decorator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.client import Side

Observed = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One scenario: its name, the server profile it needs and what it does."""

    name: str
    profile: str
    run: Callable[[Side], Observed]


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    profile: str = "plain",
) -> Callable[[Callable[[Side], Observed]], Callable[[Side], Observed]]:
    def register(run: Callable[[Side], Observed]) -> Callable[[Side], Observed]:
        name = run.__name__
        assert name not in SCENARIOS, name
        SCENARIOS[name] = Scenario(name, profile, run)
        return run

    return register
