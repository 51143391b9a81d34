"""Which tests `make test` runs, of those that differ by server, client version or channel layer.

A test that takes such parameters runs once in `make test`, on one combination of them. The other
combinations get the mark `matrix`; `make test-all` runs these as well. All other parameters stay:
a test with three transports runs three times. The choice depends on the names alone, so that each
run and each worker makes the same, and it falls on all servers, versions and layers about equally.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict

import pytest

from tests.harness.cluster import LAYERS
from tests.harness.node import CLIENTS
from tests.harness.servers import SERVERS

# Parameters with these values differ by server or layer, whatever their names.
SERVERS_AND_LAYERS = {*SERVERS, "granian", "node", *LAYERS}
# What differs between workers in the text of a value.
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def mark(items: list[pytest.Item]) -> None:
    """Add the mark `matrix` to all but one combination for each test and its other parameters."""
    groups: defaultdict[str, list[tuple[str, pytest.Item]]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            group, combination = split(item)
            groups[group].append((combination, item))
    for group, found in groups.items():
        combinations = sorted({combination for combination, _ in found})
        chosen = combinations[zlib.crc32(group.encode()) % len(combinations)]
        for combination, item in found:
            if combination != chosen:
                item.add_marker(pytest.mark.matrix)


def split(item: pytest.Function) -> tuple[str, str]:
    """The test with its other parameters, and its combination of server, client and layer."""
    others, combination = [], []
    for name, value in sorted(item.callspec.params.items()):
        if name == "client" and value in CLIENTS:
            combination.append(f"client {value}")
        elif isinstance(value, str) and value in SERVERS_AND_LAYERS:
            combination.append(value)
        else:
            others.append(f"{name} {ADDRESS.sub('', repr(value))}")
    # The same function in two modules is one test, but for a cluster: that is another server.
    where = "cluster" if "cluster" in item.fixturenames else "server"
    test = f"{item.function.__module__}.{item.function.__qualname__}"
    return f"{where} {test} {others}", str(combination)
