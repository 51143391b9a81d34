"""Sockets whose packets are encoded by another parser than the default one."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from django_socketio import ConnectionRefused, event, io, register
from django_socketio.packets import Packet, PacketType
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

encoded: list[Packet] = []


class Counting:
    """JSON of a packet, before that of an event a message; keeps what it has encoded."""

    def encode(self, packet: Packet) -> list[str | bytes]:
        encoded.append(packet)
        value = [packet.type, packet.namespace, packet.data, packet.id]
        message = json.dumps(value).encode()
        return ["event", message] if packet.type == PacketType.EVENT else [message]

    def decoder(self) -> CountingDecoder:
        return CountingDecoder()


class CountingDecoder:
    def feed(self, data: str | bytes) -> Packet | None:
        return None if data == "event" else Packet(*json.loads(data))


PATH = f"{__name__}.Counting"


class Chat(Base):
    login_required = False

    async def connect(self, auth: Any) -> None:
        if auth == {"refuse": True}:
            raise ConnectionRefused("No", data={"code": 1})
        self.join("room")

    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        self.emit("echoed", *args)
        return args

    @event
    async def ask(self) -> Any:
        return [await self.acall("question", b"1")]


@pytest.fixture(autouse=True)
def chat() -> None:
    register("/chat")(Chat)
    encoded.clear()


@pytest.fixture
def msgpack(settings: Any) -> None:
    settings.SOCKETIO = {"PARSER": "msgpack"}


@pytest.fixture
def own(settings: Any) -> None:
    settings.SOCKETIO = {"PARSER": PATH, "ATTACHMENTS_TIMEOUT": 0.05}


async def test_events_and_answers(msgpack: None, connect: Connect) -> None:
    client = await connect("/chat")
    data = ["é", b"\0", {"deep": [b"1", None, 1.5, 2**40]}]
    assert await client.call("echo", *data) == tuple(data)
    assert await client.receive_event() == ("echoed", data)


async def test_the_types_that_json_takes(msgpack: None, connect: Connect) -> None:
    """Sent as the default parser sends them."""
    client = await connect("/chat")
    when = datetime(2026, 1, 2, tzinfo=timezone.utc)
    io.of("/chat").emit("news", when, math.nan, {1: (2,)}, bytearray(b"x"), 2**70)
    wanted = ["2026-01-02T00:00:00Z", None, {"1": [2]}, b"x", float(2**70)]
    assert await client.receive_event() == ("news", wanted)


async def test_a_refusal(msgpack: None, refused: Callable[..., Any]) -> None:
    details = await refused("/chat", {"refuse": True})
    assert details == {"message": "No", "data": {"code": 1}}
    assert await refused("/nothing") == {"message": "Invalid namespace"}


async def test_questions(msgpack: None, connect: Connect) -> None:
    client = await connect("/chat")
    await client.emit("ask")
    assert await client.receive_event() == ("question", [b"1"])
    await client.acknowledge((b"2", "3"))
    asking = asyncio.ensure_future(io.of("/chat").to("room").timeout(5).acall("all?"))
    assert await client.receive_event() == ("all?", [])
    await client.acknowledge({"a": b"4"})
    assert await asking == [{"a": b"4"}]


async def test_text_is_a_violation(msgpack: None, frames: OpenFrames) -> None:
    client = await frames()
    await client.send("40/chat,")
    assert await client.rest() == []


async def test_a_broadcast_is_encoded_once(own: None, connect: Connect) -> None:
    clients = [await connect("/chat") for _ in range(3)]
    encoded.clear()
    io.of("/chat").to("room").emit("news", 1)
    for client in clients:
        assert await client.receive_event() == ("news", [1])
    assert encoded == [Packet(PacketType.EVENT, "/chat", ["news", 1])]
    io.of("/chat").to("nobody").emit("news", 2)
    assert len(encoded) == 1


async def test_what_cannot_be_encoded_is_the_project_s_mistake(
    own: None, connect: Connect, errors: Callable[..., Any]
) -> None:
    client = await connect("/chat")
    with pytest.raises(TypeError, match="bytes is not JSON serializable"):
        io.of("/chat").emit("news", b"x")
    await client.emit("ask")
    assert await client.call("echo", 1) == 1
    assert "the handler of event ask in namespace /chat failed" in errors()[0].getMessage()


async def test_a_packet_that_stays_incomplete(
    own: None, connect: Connect, logged: Callable[..., Any]
) -> None:
    client = await connect("/chat")
    await client.send_input({"type": "websocket.receive", "text": "4event"})
    message = await client.receive_output(5)
    assert message["type"] == "websocket.close"
    assert (
        logged()[-1]
        .getMessage()
        .startswith("session closed, the client broke the protocol: attachments overdue")
    )


async def test_a_packet_begins_before_any_namespace(own: None, frames: OpenFrames) -> None:
    client = await frames()
    await client.send("4event")
    assert await client.rest() == []
