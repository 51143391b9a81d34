"""The official client 2.5.0: what is special to it. All else it does as the newer ones do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import socketio

from tests.harness.node import Runner
from tests.harness.servers import Server
from tests.harness.waiting import DEADLINE, until

pytestmark = pytest.mark.node

TRANSPORTS = ("polling", "websocket", "default")


def run(runner: Runner, scenario: str, server: Server, transport: str, **params: Any) -> Any:
    return runner.run(scenario, server.url, client="2", transport=transport, **params)


def test_the_query_of_a_namespace_is_auth(
    node_runner: Runner, server: Server, transport: str
) -> None:
    """It is a part of the connection's query, too, where it opens the connection."""
    wanted = {"token": "right", "more": "a&b=é, c"}
    seen = run(node_runner, "query", server, transport, namespace="/auth", query=wanted)
    me = seen["me"]
    assert me["auth"] == wanted
    assert me["query"]["EIO"] == "3"
    assert me["query"]["more"] == "a&b=é, c"
    assert me["sid"] == seen["id"]
    assert me["sid"].startswith("/auth#")


def test_refusals(node_runner: Runner, server: Server, transport: str) -> None:
    """ERROR carries the data, or the message where there are none."""

    def refused(namespace: str, **query: str) -> Any:
        seen = run(
            node_runner, "refused_2", server, transport, namespace=namespace, query=query or None
        )
        assert (seen["connected"], seen["sum"]) == (False, [3])
        return seen["data"]

    assert refused("/auth") == {"code": 401}
    assert refused("/auth", token="forbidden") == "Permission denied"
    assert refused("/members") == "Login required"
    assert refused("/nowhere") == "Invalid namespace"


def test_namespaces(node_runner: Runner, server: Server, transport: str) -> None:
    """The client is in "/" without asking. Its sockets have the names that it gives them."""
    seen = run(node_runner, "namespaces_2", server, transport)
    assert seen["hello"] == ["Hello!"]
    assert seen["sameEngine"] is True
    engine = seen["engine"]
    assert seen["ids"] == [engine, f"/lab#{engine}", *[f"/any#{engine}"] * 2]
    assert seen["sum"] == [3]
    assert seen["again"] == [["back", []]]
    left = until(lambda: server.journal(seen["ids"][2], "disconnect"), "the disconnect")
    assert left[0]["reason"] == "client namespace disconnect"


@pytest.mark.parametrize("base64", [False, True], ids=["binary", "base64"])
def test_characters_and_bytes(
    node_runner: Runner, server: Server, transport: str, base64: bool
) -> None:
    seen = run(node_runner, "characters", server, transport, forceBase64=base64)
    assert seen == {
        "texts": [True] * 5,
        "text": "😀",
        "blobs": [[0, 4, 30, 255], [], [0, 4, 30, 255]],
    }


async def test_one_room_for_all_versions(node_runner: Runner, server: Server) -> None:
    """2.x, 3.x, 4.x and python-socketio, over each transport: each hears each, once."""
    room = f"mixed {server.name}"
    versions = ["2", "3", "4"]
    run = node_runner.start("mixed_room", server.url, room=room, versions=versions, others=2)
    await asyncio.to_thread(run.wait_for, "joined")
    names = [f"{version} {transport}" for version in versions for transport in TRANSPORTS]
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(server.url, namespace="/lab")
        await client.call("join", room)
        run.go("say")
        for said in ("from Python", b"\x00\x04\xff"):
            await client.call("say all", (room, said))
        mine = [await client.receive(DEADLINE) for _ in range(len(names) + 2)]
        heard = await asyncio.to_thread(run.result)
    texts = [*(f"é😀 {name}" for name in names), "from Python"]
    assert sorted(map(str, mine)) == sorted(
        map(str, [["said", said] for said in [*texts, b"\x00\x04\xff"]])
    )
    everything = sorted(map(str, [*texts, {"type": "Buffer", "data": [0, 4, 255]}]))
    assert {name: sorted(map(str, said)) for name, said in heard.items()} == dict.fromkeys(
        names, everything
    )
