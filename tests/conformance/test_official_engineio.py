"""Each case of the official suite of the Engine.IO protocol, by its title.

https://github.com/socketio/engine.io-protocol/tree/main/test-suite

The suite sends back Engine.IO messages; here Socket.IO events stand in for them. It runs with a
ping interval and timeout of a fraction of a second, so these tests run alone.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.conformance.client import Polling, Side, WebSocket
from tests.conformance.profiles import SUITE_PING_INTERVAL, SUITE_PING_TIMEOUT
from tests.harness.protocol import POLLING, WEBSOCKET

pytestmark = pytest.mark.serial

OPTIONS = {
    "pingInterval": SUITE_PING_INTERVAL * 1000,
    "pingTimeout": SUITE_PING_TIMEOUT * 1000,
    "maxPayload": 1_000_000,
}


def status(side: Side, method: str, query: str) -> int | None:
    """The status of the answer to a request, None where the server hangs up."""
    reply = side.start(method, query).reply()
    return None if reply is None else reply.status


def without_pings(socket: WebSocket) -> Any:
    """The next frame that is no PING; those are answered."""
    while (frame := socket.receive()) == "2":
        socket.send("3")
    return frame


def is_over(frame: Any) -> bool:
    """Whether the server has refused the WebSocket, or closed it."""
    return isinstance(frame, dict) and bool({"refused", "closed"} & set(frame))


def joined(session: Polling) -> Polling:
    """A session whose socket is in the main namespace, and has been greeted."""
    session.post("40")
    assert [packet[:2] for packet in session.poll(2)] == ["40", "42"]
    return session


def joined_websocket(side: Side) -> WebSocket:
    socket = side.websocket()
    socket.open()
    return join(socket)


def join(socket: WebSocket) -> WebSocket:
    socket.send("40")
    assert [without_pings(socket)[:2] for _ in range(2)] == ["40", "42"]
    return socket


def upgraded(side: Side, session: Polling) -> WebSocket:
    """A WebSocket that says all that an upgrade needs, and does not wait for the answer."""
    socket = side.websocket(f"{WEBSOCKET}&sid={session.sid}")
    socket.send("2probe", "5")
    return socket


# handshake


def test_polling_successfully_opens_a_session(suite: Side) -> None:
    reply = suite.start("GET", POLLING).reply()
    assert reply is not None
    assert reply.status == 200
    assert reply.text[0] == "0"
    opened = json.loads(reply.text[1:])
    assert isinstance(opened.pop("sid"), str)
    assert opened == {"upgrades": ["websocket"], **OPTIONS}


@pytest.mark.parametrize("query", ["transport=polling", "EIO=abc&transport=polling"])
def test_polling_fails_with_an_invalid_eio_query_parameter(suite: Side, query: str) -> None:
    assert status(suite, "GET", query) == 400


@pytest.mark.parametrize("query", ["EIO=4", "EIO=4&transport=abc"])
def test_polling_fails_with_an_invalid_transport_query_parameter(suite: Side, query: str) -> None:
    assert status(suite, "GET", query) == 400


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_polling_fails_with_an_invalid_request_method(suite: Side, method: str) -> None:
    assert status(suite, method, POLLING) == 400


def test_websocket_successfully_opens_a_session(suite: Side) -> None:
    opened = suite.websocket().open()
    assert isinstance(opened.pop("sid"), str)
    assert opened == {"upgrades": [], **OPTIONS}


@pytest.mark.parametrize("query", ["transport=websocket", "EIO=abc&transport=websocket"])
def test_websocket_fails_with_an_invalid_eio_query_parameter(suite: Side, query: str) -> None:
    assert is_over(suite.websocket(query).receive())


@pytest.mark.parametrize("query", ["EIO=4", "EIO=4&transport=abc"])
def test_websocket_fails_with_an_invalid_transport_query_parameter(suite: Side, query: str) -> None:
    assert is_over(suite.websocket(query).receive())


# message


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        # a payload containing one plain text packet
        (['42["message","hello"]'], ['42["message-back","hello"]']),
        # … several plain text packets
        (
            ['42["message","test1"]', '42["message","test2"]', '42["message","test3"]'],
            [
                '42["message-back","test1"]',
                '42["message-back","test2"]',
                '42["message-back","test3"]',
            ],
        ),
        # … plain text and binary packets
        (
            ['42["message","hello"]', '451-["message",{"_placeholder":true,"num":0}]', "bAQIDBA=="],
            [
                '42["message-back","hello"]',
                '451-["message-back",{"_placeholder":true,"num":0}]',
                "bAQIDBA==",
            ],
        ),
    ],
    ids=["one", "several", "binary"],
)
def test_polling_sends_and_receives_a_payload(
    suite: Side, sent: list[str], received: list[str]
) -> None:
    session = joined(suite.polling())
    posted = session.start_post("\x1e".join(sent)).reply()
    assert posted is not None
    assert (posted.status, posted.text) == (200, "ok")
    assert session.poll(len(received)) == received


def test_polling_closes_the_session_upon_invalid_packet_format(suite: Side) -> None:
    session = suite.polling()
    session.post("abc")
    assert status(suite, "GET", session.query) == 400


def test_polling_closes_the_session_upon_duplicate_poll_requests(suite: Side) -> None:
    session = suite.polling()
    first = session.start_get()
    # Node answers 500, and the suite allows that.
    assert status(suite, "GET", session.query) in (400, 500)
    answer = first.reply()
    assert answer is not None
    assert (answer.status, answer.text) == (200, "1")
    assert status(suite, "GET", session.query) == 400


def test_websocket_sends_and_receives_a_plain_text_packet(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send('42["message","hello"]')
    assert without_pings(socket) == '42["message-back","hello"]'


def test_websocket_sends_and_receives_a_binary_packet(suite: Side) -> None:
    socket = joined_websocket(suite)
    socket.send('451-["message",{"_placeholder":true,"num":0}]', b"\x01\x02\x03\x04")
    assert without_pings(socket) == '451-["message-back",{"_placeholder":true,"num":0}]'
    assert without_pings(socket) == {"bytes": "01020304"}


def test_websocket_closes_the_session_upon_invalid_packet_format(suite: Side) -> None:
    socket = suite.websocket()
    socket.open()
    socket.send("abc")
    assert is_over(without_pings(socket))


# heartbeat


def test_polling_sends_ping_pong_packets(suite: Side) -> None:
    session = suite.polling()
    for _ in range(3):
        answer = session.start_get(fence=False).reply()
        assert answer is not None
        assert (answer.status, answer.text) == (200, "2")
        assert session.post("3")["status"] == 200


def test_polling_closes_the_session_upon_ping_timeout(
    suite: Side, until_ping_timeout: float
) -> None:
    session = suite.polling()
    time.sleep(until_ping_timeout)
    assert status(suite, "GET", session.query) == 400


def test_polling_closes_the_session_upon_ping_timeout_and_a_post(
    suite: Side, until_ping_timeout: float
) -> None:
    """The same for the other request; no case of the suite."""
    session = suite.polling()
    time.sleep(until_ping_timeout)
    assert session.post("3")["status"] == 400


def test_websocket_sends_ping_pong_packets(suite: Side) -> None:
    socket = suite.websocket()
    socket.open()
    for _ in range(3):
        assert socket.receive() == "2"
        socket.send("3")


def test_websocket_closes_the_session_upon_ping_timeout(suite: Side) -> None:
    socket = suite.websocket()
    socket.open()
    began = time.monotonic()
    ping, end = socket.frames()
    assert ping == "2"
    assert is_over(end)
    # Not before its time; the wheel of timers makes it no later than a busy machine does.
    assert time.monotonic() - began > SUITE_PING_INTERVAL


# close


def test_polling_forcefully_closes_the_session(suite: Side) -> None:
    session = suite.polling()
    poll = session.start_get()
    session.post("1")
    answer = poll.reply()
    assert answer is not None
    assert (answer.status, answer.text) == (200, "6")
    assert status(suite, "GET", session.query) == 400


def test_websocket_forcefully_closes_the_session(suite: Side) -> None:
    socket = suite.websocket()
    socket.open()
    socket.send("1")
    assert is_over(without_pings(socket))


# upgrade


def test_successfully_upgrades_from_polling_to_websocket(suite: Side) -> None:
    session = suite.polling()
    socket = suite.websocket(f"{WEBSOCKET}&sid={session.sid}")
    socket.send("2probe")
    assert socket.receive() == "3probe"
    answer = session.start_get(fence=False).reply()
    assert answer is not None
    assert (answer.status, answer.text) == (200, "6")
    socket.send("5")
    join(socket).send('42["message","hello"]')
    assert without_pings(socket) == '42["message-back","hello"]'


def test_ignores_http_requests_with_same_sid_after_upgrade(suite: Side) -> None:
    session = suite.polling()
    socket = upgraded(suite, session)
    assert status(suite, "GET", session.query) == 400
    assert socket.receive() == "3probe"
    join(socket).send('42["message","hello"]')
    assert without_pings(socket) == '42["message-back","hello"]'


def test_ignores_websocket_connection_with_same_sid_after_upgrade(suite: Side) -> None:
    session = suite.polling()
    socket = upgraded(suite, session)
    assert is_over(suite.websocket(f"{WEBSOCKET}&sid={session.sid}").receive())
    assert socket.receive() == "3probe"
    join(socket).send('42["message","hello"]')
    assert without_pings(socket) == '42["message-back","hello"]'
