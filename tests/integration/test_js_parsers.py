"""The official client with another parser than the default one, as the server has it."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.servers import SERVERS, Server, Servers

pytestmark = pytest.mark.node

PARSERS = {"msgpack": "msgpack", "json": "tests.project.parsers.JSONParser"}


@pytest.fixture(params=PARSERS)
def client(request: pytest.FixtureRequest) -> str:
    """The current client with each parser: the official bundle, the documentation's example."""
    return str(request.param)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers, client: str) -> Server:
    return servers.get(request.param, socketio={"PARSER": PARSERS[client]})


@pytest.fixture(params=SERVERS)
def msgpack(request: pytest.FixtureRequest, servers: Servers) -> Server:
    return servers.get(request.param, socketio={"PARSER": "msgpack"})


def test_acks(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("acks", server.url, client=client, transport=transport)
    assert seen["sum"] == [42]
    assert seen["nothing"] == []
    assert seen["pair"] == ["a", {"b": 1}]
    assert seen["types"] == [
        {
            "when": "2026-01-02T03:04:05Z",
            "price": "1.10",
            "id": "12345678-1234-5678-1234-567812345678",
        }
    ]
    assert seen["unanswered"] == []


def test_calls(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("calls", server.url, client=client, transport=transport)
    assert seen["several"] == [[[1, {"two": "2"}, "answered"]]]
    assert seen["late"] == ["AckTimeout"]


def test_rooms(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("rooms", server.url, client=client, transport=transport)
    assert seen["to"] == {"a": [], "b": ["to the room"], "c": []}
    assert seen["all"] == {"a": ["everybody"], "b": ["everybody"], "c": []}
    assert seen["answers"] == ["a", "b"]
    assert seen["kicked"] == ["io server disconnect", "io server disconnect"]


def test_a_namespace_that_does_not_exist(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    options = {"client": client, "transport": transport, "namespace": "/no such namespace"}
    seen = node_runner.run("refused_namespace", server.url, **options)
    assert seen == "Invalid namespace"


def test_values_that_json_does_not_have(
    node_runner: Runner, msgpack: Server, transport: str
) -> None:
    seen = node_runner.run("msgpack_values", msgpack.url, client="msgpack", transport=transport)
    assert seen == {
        "blob": 10_000,
        "inner": [1, 2],
        "empty": [[]],
        "answer": {"was": [5, 6], "more": [9, 8]},
        # As JSON.stringify writes them.
        "dates": ["2009-02-13T23:31:30.123Z", {"at": "1969-12-31T23:59:59.999Z"}],
        "nothing": [None, None, {"a": None}],
        "numbers": [2**53 - 1, 1 - 2**53, 1.5, -0.25, 1e-300, 2**40],
        "texts": ["é😀\0", ""],
    }


def test_nan_is_refused(node_runner: Runner, msgpack: Server, transport: str) -> None:
    seen = node_runner.run("msgpack_nan", msgpack.url, client="msgpack", transport=transport)
    assert seen in ("transport close", "transport error")
