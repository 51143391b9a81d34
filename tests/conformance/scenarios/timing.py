"""Heartbeat and timeouts, with the short times of the profile "quick"."""

from __future__ import annotations

import time
from typing import Any

from tests.conformance.client import Side, WebSocket
from tests.conformance.profiles import (
    CONNECT_TIMEOUT,
    PING_INTERVAL,
    PING_TIMEOUT,
    UPGRADE_TIMEOUT,
)
from tests.conformance.scenarios.registry import Observed, scenario
from tests.harness.protocol import WEBSOCKET

# A timer may be a bit early by our clock, and a busy machine late.
EARLY = 0.06
LATE = 1.5


class Clock:
    """Time since the last look, in words that are the same on a slow machine."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def _took(self) -> float:
        now = time.monotonic()
        took, self._start = now - self._start, now
        return took

    def after(self, expected: float) -> str:
        took = self._took()
        if expected - EARLY <= took <= expected + LATE:
            return "in time"
        return f"{took:.2f} s in place of {expected}"

    def nearest(self, **expected: float) -> str:
        took = self._took()
        return min(expected, key=lambda name: abs(expected[name] - took))


def _answer_pings(socket: WebSocket) -> Any:
    """The first frame that is no ping."""
    while (frame := socket.receive()) == "2":
        socket.send("3")
    return frame


@scenario("quick")
def heartbeat_over_websocket(server: Side) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        shown: Observed = {"first": [socket.receive(), clock.after(PING_INTERVAL)]}
        socket.send("3")
        shown["second"] = [socket.receive(), clock.after(PING_INTERVAL)]
        shown["no pong"] = [socket.receive(), clock.after(PING_TIMEOUT)]
        shown["log"] = server.log(tag, "disconnect")
        return shown


@scenario("quick")
def heartbeat_over_polling(server: Side) -> Observed:
    tag = server.tag()
    session = server.polling()
    clock = Clock()
    session.connect(f'40{{"tag":"{tag}"}}')
    shown: Observed = {"first": [session.get(), clock.after(PING_INTERVAL)]}
    session.post("3")
    shown["second"] = [session.get(), clock.after(PING_INTERVAL)]
    shown["no pong"] = [session.get(), clock.after(PING_TIMEOUT)]
    shown["log"] = server.log(tag, "disconnect")
    shown["fate"] = session.fate()
    return shown


@scenario("quick")
def heartbeat_with_no_poll(server: Side) -> Observed:
    tag = server.tag()
    session = server.polling()
    clock = Clock()
    session.connect(f'40{{"tag":"{tag}"}}')
    log = server.log(tag, "disconnect")
    return {
        "log": log,
        "when": clock.after(PING_INTERVAL + PING_TIMEOUT),
        "fate": session.fate(),
    }


@scenario("quick")
def heartbeat_another_packet_is_no_pong(server: Side) -> Observed:
    """A packet that is no pong gives a client that was pinged more time, but not for ever."""
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        shown: Observed = {"ping": socket.receive()}
        time.sleep(PING_TIMEOUT * 2 / 3)
        socket.send('42["say",1]')
        shown["first"] = socket.receive()
        time.sleep(PING_TIMEOUT * 2 / 3)
        socket.send('42["say",2]')
        shown["second"] = socket.receive()
        shown["then"] = socket.receive()
        shown["log"] = server.log(tag, "disconnect")
        return shown


@scenario("quick")
def heartbeat_who_talks_on_is_not_alive(server: Side) -> Observed:
    """The first packet after a ping counts, and no other: talking does not stand in for a pong."""
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        shown: Observed = {"ping": socket.receive()}
        clock = Clock()
        end: Any = "42"
        while isinstance(end, str) and end.startswith("42"):
            socket.send('42["say",1]')
            end = socket.receive()
            time.sleep(PING_TIMEOUT / 20)
        shown["end"] = [end, clock.nearest(once=PING_TIMEOUT, twice=2 * PING_TIMEOUT)]
        shown["reason"] = server.log(tag, "disconnect")[-1]
        return shown


@scenario("quick")
def heartbeat_a_poll_is_no_pong(server: Side) -> Observed:
    """A client that fetches its pings and never answers has no more time than any other."""
    tag = server.tag()
    session = server.polling()
    session.connect(f'40{{"tag":"{tag}"}}')
    shown: Observed = {"ping": session.get()}
    clock = Clock()
    shown["end"] = [session.get(), clock.nearest(once=PING_TIMEOUT, twice=2 * PING_TIMEOUT)]
    shown["log"] = server.log(tag, "disconnect")
    return shown


@scenario("quick")
def heartbeat_pong_nobody_asked_for(server: Side) -> Observed:
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        socket.connect()
        time.sleep(PING_INTERVAL * 3 / 4)
        socket.send("3")
        ping = socket.receive()
        return {
            "ping": ping,
            "when": clock.nearest(moved=PING_INTERVAL * 7 / 4, same=PING_INTERVAL),
        }


@scenario("quick")
def heartbeat_survives_the_upgrade(server: Side) -> Observed:
    """A ping that was sent by polling is answered over the WebSocket."""
    session = server.polling()
    session.connect()
    ping = session.get()
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        socket.send("2probe")
        pong = socket.receive()
        socket.send("5", "3")
        shown: Observed = {"ping": ping, "pong": pong, "next": socket.receive()}
        socket.send("3")
        shown["and next"] = socket.receive()
        return shown


@scenario("quick")
def upgrade_timeout(server: Side) -> Observed:
    session = server.polling()
    session.connect()
    shown: Observed = {}
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        clock = Clock()
        socket.send("2probe")
        shown["pong"] = socket.receive()
        # The session itself is kept alive over polling.
        while (polled := session.poll(1)) == ["6"]:
            pass
        shown["ping"] = polled
        session.post("3")
        shown["websocket"] = [socket.receive(), clock.after(UPGRADE_TIMEOUT)]
    shown["fate"] = session.fate()
    return shown


@scenario("quick")
def upgrade_timeout_of_a_silent_websocket(server: Side) -> Observed:
    session = server.polling()
    session.connect()
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        clock = Clock()
        session.get()
        session.post("3")
        return {
            "websocket": [socket.receive(), clock.after(UPGRADE_TIMEOUT)],
            "fate": session.fate(),
        }


@scenario("quick")
def connect_timeout_over_websocket(server: Side) -> Observed:
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        return {"then": [_answer_pings(socket), clock.after(CONNECT_TIMEOUT)]}


@scenario("quick")
def connect_timeout_after_a_refusal(server: Side) -> Observed:
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        refused = socket.connect("40/refused,")
        return {
            "refused": refused,
            "then": [_answer_pings(socket), clock.after(CONNECT_TIMEOUT)],
        }


@scenario("quick")
def connect_timeout_over_polling(server: Side) -> Observed:
    session = server.polling()
    clock = Clock()
    while (polled := session.poll(1)) == ["2"]:
        session.post("3")
    return {"then": [polled, clock.after(CONNECT_TIMEOUT)], "fate": session.fate()}


@scenario("quick")
def no_connect_timeout_once_joined_and_left(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send("41")
        pings = []
        for _ in range(int(CONNECT_TIMEOUT / PING_INTERVAL) + 1):
            pings.append(socket.receive())
            socket.send("3")
        return {"pings": pings}
