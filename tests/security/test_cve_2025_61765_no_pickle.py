"""Nothing turns data into code, and what the channel layer brings is checked like any input."""

from __future__ import annotations

import ast
import asyncio
import pickle
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

import django_socketio
from django_socketio import SocketIOConsumer
from django_socketio.cluster.bus import Bus
from django_socketio.cluster.cluster import Cluster
from django_socketio.cluster.messages import EVERYONE, Kind
from django_socketio.server.hubs import current_hub
from django_socketio.server.wiring import Wiring
from django_socketio.stats import counters
from django_socketio.transports import Gateway
from tests.unit.cluster.layers import signed, unsigned

from .inprocess import Wire, joined, registered

PACKAGE = Path(django_socketio.__file__).parent
MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
}
BUILTINS = {"eval", "exec", "compile", "__import__"}


def dangers(source: str) -> list[str]:
    """What of ``source`` could run what came over the wire."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Name) and node.id in BUILTINS | MODULES:
            found.append(node.id)
        elif isinstance(node, ast.Constant) and node.value in MODULES:
            found.append(f"{node.value!r}")  # for import_module("pickle")
        elif isinstance(node, ast.Attribute) and node.attr in {"loads", "load"}:
            owner = ast.unparse(node.value)
            if owner in MODULES:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_cve_2025_61765_no_pickle(path: Path) -> None:
    assert dangers(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "from marshal import loads",
        "import_module('pickle')",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
    ],
)
def test_cve_2025_61765_no_pickle_would_be_found(source: str) -> None:
    assert dangers(source)


class Executed:
    """What must not happen."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("data was executed",))


PICKLE = pickle.dumps(Executed())
ROOMS: list[Any] = [[1], [None], [["user"]], [["user", 1, 2]], [{"a": 1}], [["session", []]]]
SCOPE = {
    "type": "http",
    "path": "/socket.io/",
    "query_string": b"",
    "headers": [],
    "client": ["", 0],
}
OPERATIONS: list[Any] = [
    None,
    "text",
    PICKLE,
    [],
    [[]],
    [999],
    [-1],
    ["EMIT"],
    [None],
    [True],
    [1.5],
    [PICKLE],
    [Kind.EMIT],
    [Kind.EMIT, "0", "/", [], [], 0, '2["said"]', []],
    [Kind.EMIT, 0, None, [], [], 0, '2["said"]', []],
    [Kind.EMIT, 0, "/", [], [], 0, PICKLE, []],
    [Kind.EMIT, 0, "/", [], [], 0, '2["said"]', PICKLE],
    [Kind.EMIT, 0, "/", [], [], 0, '2["said"]', [], "more"],
    *([Kind.EMIT, 0, "/", rooms, [], 0, '2["said"]', []] for rooms in ROOMS),
    *([Kind.EMIT, 0, "/", [], rooms, 0, '2["said"]', []] for rooms in ROOMS),
    [Kind.EMIT, 0, "/", [], [], 0, '51-["said"]', [None]],
    [Kind.EMIT, 0, "/", [], [], 0, '51-["said"]', ["text"]],
    [Kind.ACT, 0, "/", [], [], "__init__", []],
    [Kind.ACT, 0, "/", [], [], "_leave", ["x"]],
    [Kind.ACT, 0, "/", [], [], "join", [1]],
    [Kind.FOUND, 1, PICKLE.hex()],
    [Kind.FOUND, 1, "[[[["],
    [Kind.ASK, 1, "/", [[]], [], 0, "2", '["said"]', [], 1],
    [Kind.ACKED, 1, "3[", []],
    [Kind.SERVER_EVENT, 0, "/", "2[", []],
    [Kind.SERVER_EVENT, 0, "/", PICKLE.hex(), []],
    [Kind.SERVER_EVENT, 0, "/", "51-[]", []],
    [Kind.SERVER_EVENT, 0, "/", "2[]", []],
    [Kind.SERVER_ANSWER, 1, "x", []],
    [Kind.HELLO, 1, "x", "y"],
    [Kind.OPEN, 1, {}],
    [Kind.OPEN, 1, {"type": "lifespan", "headers": [], "client": []}],
    [Kind.OPEN, 1, {**SCOPE, "type": "lifespan"}],
    [Kind.OPEN, 1, {**SCOPE, "headers": [["name", "value"]]}],
    [Kind.OPEN, 1, {**SCOPE, "headers": [1]}],
    [Kind.OPEN, 1, {**SCOPE, "headers": 1}],
    [Kind.OPEN, 1, {**SCOPE, "client": 1}],
    [Kind.OPEN, 1, {**SCOPE, "query_string": "text"}],
    [Kind.OPEN, 1, {**SCOPE, "path": 1}],
    [Kind.OPEN, 1, "text"],
    [Kind.IN, 1, []],
    [Kind.OUT, 1, [1]],
    [Kind.CREDIT, 1, -1],
]
WELL_FORMED = [Kind.EMIT, 0, "/", [], [], 0, '2["well formed"]', []]
VALUES: list[Any] = [None, "text", PICKLE, -1, 10**19, 1.5, [], {}, {"a": 1}, [PICKLE]]


class Layer(InMemoryChannelLayer):
    """Keeps the last message that was sent."""

    last: dict[str, Any]

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.last = message
        await super().group_send(group, message)


@pytest.fixture
async def layer() -> AsyncIterator[Layer]:
    """Between this process and a stranger."""
    hub, layer = current_hub(), Layer(capacity=1000)
    alone = hub.others
    serve = Gateway(None, {}, Wiring()).serve_forwarded
    cluster = Cluster(hub.runtime, hub.settings, layer, hub.node, hub.members, serve)
    hub.others = hub.local.others = cluster
    cluster.start(listen=True)
    await cluster.membership.settled()
    yield layer
    await cluster.stop()
    hub.others = hub.local.others = alone


@pytest.fixture
async def stranger(layer: Layer) -> AsyncIterator[Bus]:
    bus = Bus(layer, "stranger", lambda *args: None, lambda *args: None, 10**6, 0, 1.0)
    bus.start()
    yield bus
    await bus.stop()


async def frame(wire: Wire) -> str:
    while (found := await wire.receive()) == "2":
        await wire.send("3")
    return str(found)


async def test_cve_2025_61765_operations_are_checked(
    stranger: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    with registered(SocketIOConsumer):
        wire = await joined()
        malformed = counters.layer["malformed"]
        for operation in OPERATIONS:
            # The rest of what is sent is none the worse for it.
            stranger.to_group(EVERYONE, operation)
            stranger.to_group(EVERYONE, WELL_FORMED)
            assert await frame(wire) == '42["well formed"]', operation
        await asyncio.sleep(0.1)
        assert wire.messages == []
        assert counters.layer["malformed"] > malformed + len(OPERATIONS) // 2
        await wire.leave()
    assert "could not be handled" not in caplog.text
    assert "a task failed" not in caplog.text


async def test_cve_2025_61765_messages_are_checked(
    layer: Layer, stranger: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    with registered(SocketIOConsumer):
        wire = await joined()
        await stranger.to_group(EVERYONE, WELL_FORMED)
        assert await frame(wire) == '42["well formed"]'
        sent = unsigned(layer.last)
        for field in sent:
            for value in VALUES:
                await layer.group_send(EVERYONE, signed({**sent, field: value}))
            without = {key: value for key, value in sent.items() if key != field}
            await layer.group_send(EVERYONE, signed(without))
        for value in VALUES:
            await layer.group_send(EVERYONE, signed(value))
        for field in set(layer.last) - {"type"}:
            for value in VALUES:
                await layer.group_send(EVERYONE, {**signed(sent), field: value})
        # A number that is far ahead makes those that follow it late: another process goes on.
        last = [*WELL_FORMED[:6], '2["last"]', []]
        await layer.group_send(EVERYONE, signed({**sent, "n": "another", "o": [last]}))
        while (found := await frame(wire)) != '42["last"]':
            # Some values make no difference.
            assert found == '42["well formed"]'
        await wire.leave()
    assert "could not be handled" not in caplog.text
    assert "a task failed" not in caplog.text
