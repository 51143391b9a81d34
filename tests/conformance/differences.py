"""Where ours is meant to differ from the Node server, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

Observed = dict[str, Any]


class Difference(NamedTuple):
    """What each server shows under one label of a scenario, and the reason."""

    node: Any
    ours: Any
    reason: str


DIFFERENCES: dict[str, dict[str, Difference]] = {}


def expected(name: str, node: Observed) -> Observed:
    """What ours has to show where Node shows ``node``; AssertionError where Node shows something new."""
    shown = dict(node)
    for label, difference in DIFFERENCES.get(name, {}).items():
        assert node[label] == difference.node, f"Node has changed: {label}"
        shown[label] = difference.ours
    return shown
