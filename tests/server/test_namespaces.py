"""Several namespaces over one connection, packet by packet."""

from __future__ import annotations

import json
import re
from typing import Any

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.server.hubs import current_hub
from tests.harness.inprocess import Poller
from tests.harness.waiting import eventually
from tests.server.conftest import OpenFrames


class Echo(SocketIOConsumer):
    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        self.emit("said", *args)
        return args


async def test_each_namespace_has_its_own_socket(frames: OpenFrames) -> None:
    register("/")(Echo)
    register("/a")(Echo)
    register("/a/b")(Echo)
    client = await frames()
    sids = {await client.enter(name) for name in ("/", "/a", "/a/b")}
    assert len(sids) == 3
    await client.send('421["echo","root"]', '42/a,1["echo","a"]', '42/a/b,1["echo","b"]')
    assert [await client.receive() for _ in range(6)] == [
        '42["said","root"]',
        '431["root"]',
        '42/a,["said","a"]',
        '43/a,1["a"]',
        '42/a/b,["said","b"]',
        '43/a/b,1["b"]',
    ]


async def test_the_default_namespace_needs_no_class(frames: OpenFrames) -> None:
    register("/a")(Echo)
    client = await frames()
    sid = await client.enter("/")
    await client.enter("/a")
    await client.send('421["echo","nobody handles it"]')
    io.to(sid).emit("pushed", 1)
    assert await client.receive() == '42["pushed",1]'
    assert [socket.sid for socket in await io.afetch_sockets()] == [sid]


async def test_a_pattern_that_matches_it_serves_the_default_namespace(frames: OpenFrames) -> None:
    register(re.compile(r"/[a-z]*"))(Echo)
    client = await frames()
    await client.enter("/")
    await client.send('421["echo",1]')
    assert [await client.receive(), await client.receive()] == ['42["said",1]', "431[1]"]


async def test_a_refusal_leaves_the_other_namespaces_alone(frames: OpenFrames) -> None:
    register("/a")(Echo)
    client = await frames()
    await client.enter("/a")
    await client.send("40/nowhere,", '42/a,1["echo",1]')
    assert await client.receive() == '44/nowhere,{"message":"Invalid namespace"}'
    assert await client.receive() == '42/a,["said",1]'


async def test_namespaces_do_not_share_rooms_or_users(frames: OpenFrames) -> None:
    class Joining(Echo):
        async def connect(self, auth: Any) -> None:
            self.join("room")

    register("/a")(Joining)
    register("/b")(Joining)
    client = await frames()
    sid = await client.enter("/a")
    await client.enter("/b")
    io.of("/a").to("room").emit("for a")
    io.of("/b").to(sid).emit("for nobody: that sid is of the other namespace")
    io.of("/b").to("room").emit("for b")
    io.to("room").emit("for nobody")
    assert await client.receive() == '42/a,["for a"]'
    assert await client.receive() == '42/b,["for b"]'


async def test_acknowledgement_ids_are_each_namespaces_own(frames: OpenFrames) -> None:
    answers = []

    class Asking(SocketIOConsumer):
        @event(concurrent=True)
        async def ask(self) -> None:
            answers.append((self.namespace.name, await self.acall("question")))
            self.emit("thanks")

    register("/a")(Asking)
    register("/b")(Asking)
    client = await frames()
    await client.enter("/a")
    await client.enter("/b")
    await client.send('42/a,["ask"]', '42/b,["ask"]')
    ids = {}
    for _ in range(2):
        packet = await client.receive()
        name, rest = packet[2:].split(",", 1)
        ids[name] = int(rest.partition("[")[0])
    # An answer in the wrong namespace answers nothing.
    if ids["/a"] != ids["/b"]:
        await client.send(f'43/b,{ids["/a"]}["wrong"]')
    await client.send(f'43/b,{ids["/b"]}["b"]')
    assert await client.receive() == '42/b,["thanks"]'
    await client.send(f'43/a,{ids["/a"]}["a"]')
    assert await client.receive() == '42/a,["thanks"]'
    assert answers == [("/b", "b"), ("/a", "a")]


async def test_binary_events_of_two_namespaces(frames: OpenFrames) -> None:
    register("/a")(Echo)
    register("/b")(Echo)
    client = await frames()
    await client.enter("/a")
    await client.enter("/b")
    placeholder = json.dumps({"_placeholder": True, "num": 0}, separators=(",", ":"))
    await client.send(
        f'451-/a,["echo",{placeholder}]', b"a", f'451-/b,["echo",{placeholder}]', b"b"
    )
    assert [await client.receive() for _ in range(4)] == [
        f'451-/a,["said",{placeholder}]',
        b"a",
        f'451-/b,["said",{placeholder}]',
        b"b",
    ]


async def test_over_polling_too(poller: Poller) -> None:
    register("/")(Echo)
    register("/a")(Echo)
    await poller.open()
    await poller.send("40", "40/a,")
    packets = await poller.receive()
    assert [packet[:6] for packet in packets] == ['40{"si', "40/a,{"]
    await poller.send('421["echo","é"]', '42/a,2["echo",2]')
    assert await poller.receive() == ['42["said","é"]', '431["é"]', '42/a,["said",2]', "43/a,2[2]"]
    await poller.send(
        '453-["echo",{"_placeholder":true,"num":0},1,{"_placeholder":true,"num":2},{"_placeholder":true,"num":1}]'
    )
    await poller.send("bAQ==", "bAg==", "bAw==")
    assert (await poller.receive())[1:] == ["bAQ==", "bAw==", "bAg=="]


async def test_a_namespace_goes_with_its_last_socket(frames: OpenFrames) -> None:
    """Node's cleanupEmptyChildNamespaces, always."""
    register(re.compile(r"/doc-\d+"))(Echo)
    one, other = await frames(), await frames()
    held = current_hub().local.namespaces
    await one.enter("/doc-1")
    await other.enter("/doc-1")
    await other.enter("/doc-2")
    assert set(held) == {"/doc-1", "/doc-2"}
    await one.drop()
    await other.send("41/doc-2,")
    await eventually(lambda: set(held) == {"/doc-1"}, "the empty namespace to go")
    await other.drop()
    await eventually(lambda: not held, "the other one to go")
    client = await frames()
    assert await client.enter("/doc-1")  # there is nothing that cannot come again
