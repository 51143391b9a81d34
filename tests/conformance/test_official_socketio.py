"""Each case of the official suite of the Socket.IO protocol, by its title.

https://github.com/socketio/socket.io-protocol/tree/main/test-suite

Its first half is that of the Engine.IO protocol: see test_official_engineio.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.client import Side, WebSocket
from tests.conformance.test_official_engineio import (
    is_over,
    joined_websocket,
    without_pings,
)

pytestmark = pytest.mark.serial

PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
ATTACHMENTS = (b"\x01\x02\x03", b"\x04\x05\x06")


def opened(suite: Side) -> WebSocket:
    socket = suite.websocket()
    socket.open()
    return socket


# connect


@pytest.mark.parametrize(
    ("sent", "prefix", "auth"),
    [
        ("40", "", "{}"),  # to the main namespace
        ('40{"token":"123"}', "", '{"token":"123"}'),  # … with a payload
        ("40/custom,", "/custom,", "{}"),  # to a custom namespace
        ('40/custom,{"token":"abc"}', "/custom,", '{"token":"abc"}'),  # … with a payload
    ],
)
def test_should_allow_connection(suite: Side, sent: str, prefix: str, auth: str) -> None:
    socket = opened(suite)
    socket.send(sent)
    answer = without_pings(socket)
    assert answer.startswith("40" + prefix)
    assert list(json.loads(answer[len("40" + prefix) :])) == ["sid"]
    assert without_pings(socket) == f'42{prefix}["auth",{auth}]'


def test_should_disallow_connection_to_an_unknown_namespace(suite: Side) -> None:
    socket = opened(suite)
    socket.send("40/random")
    assert without_pings(socket) == '44/random,{"message":"Invalid namespace"}'


def test_should_disallow_connection_with_an_invalid_handshake(suite: Side) -> None:
    socket = opened(suite)
    socket.send("4abc")
    assert is_over(without_pings(socket))


def test_should_close_the_connection_if_no_handshake_is_received(suite: Side) -> None:
    socket = opened(suite)
    assert is_over(without_pings(socket))


# disconnect


def test_should_disconnect_from_the_main_namespace(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send("41")
    # Nothing but the next ping: the connection itself stays.
    assert socket.receive() == "2"


def test_should_connect_then_disconnect_from_a_custom_namespace(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send("40/custom")
    assert [without_pings(socket)[:10] for _ in range(2)] == ["40/custom,", "42/custom,"]
    socket.send("41/custom", '42["message","message to main namespace"]')
    assert without_pings(socket) == '42["message-back","message to main namespace"]'


# message


def answers(socket: WebSocket, count: int) -> list[Any]:
    return [without_pings(socket) for _ in range(count)]


def test_should_send_a_plain_text_packet(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send('42["message",1,"2",{"3":[true]}]')
    assert answers(socket, 1) == ['42["message-back",1,"2",{"3":[true]}]']


def test_should_send_a_packet_with_binary_attachments(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send(f'452-["message",{PLACEHOLDERS}]', *ATTACHMENTS)
    assert answers(socket, 3) == [
        f'452-["message-back",{PLACEHOLDERS}]',
        {"bytes": "010203"},
        {"bytes": "040506"},
    ]


def test_should_send_a_plain_text_packet_with_an_ack(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert answers(socket, 1) == ['43456[1,"2",{"3":[false]}]']


def test_should_send_a_packet_with_binary_attachments_and_an_ack(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send(f'452-789["message-with-ack",{PLACEHOLDERS}]', *ATTACHMENTS)
    assert answers(socket, 3) == [
        f"462-789[{PLACEHOLDERS}]",
        {"bytes": "010203"},
        {"bytes": "040506"},
    ]


@pytest.mark.parametrize(
    "packet",
    ["4abc", "42{}", '42abc["message-with-ack",1,"2",{"3":[false]}]'],
    ids=["unknown packet type", "invalid payload format", "invalid ack id"],
)
def test_should_close_the_connection_upon_invalid_format(suite: Side, packet: str) -> None:
    socket = joined_websocket(suite)
    socket.send(packet)
    assert is_over(without_pings(socket))
