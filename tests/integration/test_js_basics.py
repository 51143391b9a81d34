"""The official JavaScript clients connect: introduction, auth, refusals, namespaces, transports."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node

# Clients 2.x have no auth, and another event for errors; see test_js_client2.py.
SINCE_3 = pytest.mark.parametrize("client", ["3", "4"], ids="js{}".format)


def test_introduction(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("introduction", server.url, client=client, transport=transport)
    assert seen["message"] == ["Hello!"]
    assert seen["greetings"] == [
        "Hey!",
        {"ms": "jane"},
        {"type": "Buffer", "data": [4, 3, 3, 1]},
    ]
    assert seen["binary"] is True
    assert seen["finished"] == []
    assert server.journal(seen["sid"], "message", "salutations") == [
        {"what": "message", "args": ["Hello!"]},
        {"what": "salutations", "args": ["Hello!", {"mr": "john"}, {"bytes": "01020304"}]},
    ]


def test_transport(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("transport", server.url, client=client, transport=transport)
    first = "polling" if transport == "default" else transport
    last = "websocket" if transport == "default" else transport
    assert (seen["first"], seen["last"]) == (first, last)
    assert seen["server"]["transport"] == last
    assert seen["server"]["namespace"] == "/lab"
    assert seen["server"]["rooms"] == [seen["server"]["sid"]]


@SINCE_3
def test_auth(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("auth", server.url, client=client, transport=transport)
    me = seen["me"]
    assert me["sid"] == seen["id"]
    assert me["auth"] == {"token": "right", "more": {"numbers": [1, 2.5], "nothing": None}}
    assert me["query"]["colour"] == "blue & green"
    assert me["query"]["EIO"] == "4"


@SINCE_3
def test_refused(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("refused", server.url, client=client, transport=transport)
    assert seen == {
        "message": "Wrong token",
        "data": {"code": 401},
        "connected": False,
        "sum": [3],
    }


@SINCE_3
def test_refused_by_permission_denied(node_runner: Runner, server: Server, client: str) -> None:
    seen = node_runner.run("refused", server.url, client=client, auth={"token": "forbidden"})
    assert seen["message"] == "Permission denied"
    assert "data" not in seen


@SINCE_3
def test_unknown_namespace(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    seen = node_runner.run("unknown_namespace", server.url, client=client, transport=transport)
    assert seen == {"message": "Invalid namespace", "isError": True}


@SINCE_3
def test_namespaces(node_runner: Runner, server: Server, client: str, transport: str) -> None:
    seen = node_runner.run("namespaces", server.url, client=client, transport=transport)
    assert seen["sameEngine"] is True
    assert len({*seen["ids"], seen["newId"]}) == 4
    assert seen["any"] == [["what ever", [1, {"two": [2]}]]]
    assert seen["doc"] == seen["again"] == [{"pk": 42}]
    assert seen["wrong"] == "Invalid namespace"
    assert seen["anyAgain"] == [["back", []]]
    assert server.disconnect_of(seen["ids"][1])["reason"] == "client namespace disconnect"
