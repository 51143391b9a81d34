"""The logger `django_socketio.packets`, which shows every packet where it is set."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, register
from django_socketio.addressing.ids import shortened
from django_socketio.server.hubs import current_hub
from django_socketio.sockets.client import Client
from tests.harness.inprocess import Poller
from tests.harness.waiting import eventually
from tests.server.conftest import OpenFrames

NAME = "django_socketio.packets"


class Consumer(SocketIOConsumer):
    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        return args

    @event
    async def hurry(self) -> None:
        self.volatile.emit("dropped")


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Any:
    """The lines so far, without what is each session's own."""

    def lines() -> list[str]:
        records = [record for record in caplog.records if record.name == NAME]
        labels = {shortened(sid) for sid in current_hub().clients}
        texts = [record.getMessage() for record in records]
        assert {text.partition(" ")[0] for text in texts} <= labels
        return [text.partition(" ")[2] for text in texts]

    return lines


async def test_every_packet_is_shown(
    frames: OpenFrames, caplog: pytest.LogCaptureFixture, shown: Any
) -> None:
    register()(Consumer)
    caplog.set_level(logging.DEBUG, NAME)
    client = await frames()
    sid = await client.enter("/")
    await client.send('427["echo",1]', "3")
    await client.receive()
    await client.send('451-8["echo",{"_placeholder":true,"num":0}]', b"\x00\x01")
    await client.receive()
    await client.receive()
    assert shown() == [
        "is 127.0.0.1 over websocket",
        "received 0",
        f'sent 0{{"sid":"{sid}"}}',
        'received 27["echo",1]',
        "sent 37[1]",
        'received 51-8["echo",{"_placeholder":true,"num":0}]',
        "received <2 bytes>",
        'sent 61-8[{"_placeholder":true,"num":0}]',
        "sent <2 bytes>",
    ]


async def test_what_a_client_sends_is_escaped_and_shortened(
    frames: OpenFrames, caplog: pytest.LogCaptureFixture, shown: Any
) -> None:
    register()(Consumer)
    caplog.set_level(logging.DEBUG, NAME)
    client = await frames()
    await client.enter("/")
    await client.send('42["echo","a\x7f\u2028"]', f'42["echo","{"é" * 5000}"]')
    await eventually(lambda: len(shown()) == 5, "both packets")
    first, second = shown()[-2:]
    assert first == 'received 2["echo","a\\x7f\\u2028"]'
    assert second.startswith('received 2["echo","\\xe9\\xe9')
    assert second.endswith("…")
    assert len(second) < 1300


async def test_what_a_client_authenticates_with_is_not_shown(
    frames: OpenFrames, caplog: pytest.LogCaptureFixture, shown: Any
) -> None:
    register("/chat")(Consumer)
    caplog.set_level(logging.DEBUG, NAME)
    client = await frames()
    await client.send('40/chat,{"sid":"secret","token":"secret"}')
    await client.receive()
    assert shown()[1] == "received 0/chat,<33 characters>"
    assert "secret" not in caplog.text


async def test_another_parser_may_have_what_is_secret_anywhere(
    frames: OpenFrames, caplog: pytest.LogCaptureFixture, shown: Any, settings: Any
) -> None:
    settings.SOCKETIO = {"PARSER": "tests.project.parsers.JSONParser"}
    register()(Consumer)
    caplog.set_level(logging.DEBUG, NAME)
    client = await frames()
    await client.send('4{"type":0,"nsp":"/","data":{"token":"secret"}}')
    await client.receive()
    assert shown()[1] == "received <46 characters>"
    assert shown()[2].startswith("sent ")
    assert "secret" not in caplog.text


async def test_a_volatile_packet_that_is_dropped(
    poller: Poller, caplog: pytest.LogCaptureFixture, shown: Any
) -> None:
    register()(Consumer)
    caplog.set_level(logging.DEBUG, NAME)
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send('42["hurry"]')
    assert "is 127.0.0.1 over polling" in shown()
    assert shown()[-1] == 'dropped (volatile) 2["dropped"]'


async def test_nobody_pays_who_has_not_asked(
    frames: OpenFrames, caplog: pytest.LogCaptureFixture, shown: Any
) -> None:
    """Neither for the level of the whole package, nor for one that comes later."""
    register()(Consumer)
    caplog.set_level(logging.DEBUG, "django_socketio")
    client = await frames()
    await client.enter("/")
    (kept,) = current_hub().clients.values()
    assert type(kept) is Client
    caplog.set_level(logging.DEBUG, NAME)
    await client.send('427["echo",1]')
    await client.receive()
    assert shown() == []
