"""Heartbeat and timeouts: pings every 300 ms, 200 ms for a pong, 400 ms to upgrade, 600 ms to join."""

from __future__ import annotations

import time

from tests.conformance.client import WEBSOCKET, Server
from tests.conformance.scenarios.registry import Observed, scenario


class Clock:
    """Time in coarse steps, so that a slow machine sees the same."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def after(self, expected: float) -> str:
        took = time.monotonic() - self._start
        self._start = time.monotonic()
        if took < expected - 0.06:
            return f"too early for {expected}: {took:.2f}"
        if took > expected + 0.5:
            return f"too late for {expected}: {took:.2f}"
        return f"after {expected}"


@scenario("quick")
def heartbeat_over_websocket(server: Server) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        shown: Observed = {"first": [socket.receive(), clock.after(0.3)]}
        socket.send("3")
        shown["second"] = [socket.receive(), clock.after(0.3)]
        shown["no pong"] = [socket.receive(), clock.after(0.2)]
        shown["log"] = server.log(tag, "disconnect")
        return shown


@scenario("quick")
def heartbeat_over_polling(server: Server) -> Observed:
    tag = server.tag()
    session = server.polling()
    clock = Clock()
    session.connect(f'40{{"tag":"{tag}"}}')
    shown: Observed = {"first": [session.get(), clock.after(0.3)]}
    session.post("3")
    shown["second"] = [session.get(), clock.after(0.3)]
    shown["no pong"] = [session.get(), clock.after(0.2)]
    shown["log"] = server.log(tag, "disconnect")
    shown["fate"] = session.fate()
    return shown


@scenario("quick")
def heartbeat_with_no_poll(server: Server) -> Observed:
    tag = server.tag()
    session = server.polling()
    clock = Clock()
    session.connect(f'40{{"tag":"{tag}"}}')
    log = server.log(tag, "disconnect")
    return {"log": log, "when": clock.after(0.5), "fate": session.fate()}


@scenario("quick")
def heartbeat_another_packet_is_no_pong(server: Server) -> Observed:
    """A packet that is no pong gives a client that was pinged some more time, once."""
    tag = server.tag()
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        shown: Observed = {"ping": [socket.receive(), clock.after(0.3)]}
        time.sleep(0.12)
        socket.send('42["say",1]')
        said = socket.receive()
        time.sleep(0.12)
        socket.send('42["say",2]')
        shown["after 0.24 s"] = [said, socket.receive()]
        shown["then"] = [socket.receive(), clock.after(0.32)]
        shown["log"] = server.log(tag, "disconnect")
        return shown


@scenario("quick")
def heartbeat_pong_nobody_asked_for(server: Server) -> Observed:
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        socket.connect()
        time.sleep(0.2)
        socket.send("3")
        return {"ping": [socket.receive(), clock.after(0.5)]}


@scenario("quick")
def heartbeat_survives_the_upgrade(server: Server) -> Observed:
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
def upgrade_timeout(server: Server) -> Observed:
    session = server.polling()
    session.connect()
    shown: Observed = {}
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        clock = Clock()
        socket.send("2probe")
        shown["pong"] = socket.receive()
        # The session itself is kept alive over polling.
        polled = session.get()
        while polled.get("packets") == ["6"]:
            polled = session.get()
        shown["ping"] = polled
        session.post("3")
        shown["websocket"] = [socket.receive(), clock.after(0.4)]
    shown["polling goes on"] = session.answers()
    return shown


@scenario("quick")
def upgrade_timeout_of_a_silent_websocket(server: Server) -> Observed:
    session = server.polling()
    session.connect()
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        clock = Clock()
        session.get()
        session.post("3")
        return {"websocket": [socket.receive(), clock.after(0.4)], "fate": session.fate()}


@scenario("quick")
def connect_timeout_over_websocket(server: Server) -> Observed:
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        ping = socket.receive()
        socket.send("3")
        return {"ping": ping, "then": [socket.receive(), clock.after(0.6)]}


@scenario("quick")
def connect_timeout_after_a_refusal(server: Server) -> Observed:
    with server.websocket() as socket:
        clock = Clock()
        socket.open()
        refused = socket.connect("40/refused,")
        ping = socket.receive()
        socket.send("3")
        return {"refused": refused, "ping": ping, "then": [socket.receive(), clock.after(0.6)]}


@scenario("quick")
def connect_timeout_over_polling(server: Server) -> Observed:
    session = server.polling()
    clock = Clock()
    ping = session.get()
    session.post("3")
    return {"ping": ping, "then": [session.get(), clock.after(0.6)], "fate": session.fate()}


@scenario("quick")
def no_connect_timeout_once_joined_and_left(server: Server) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send("41")
        pings = []
        for _ in range(3):
            pings.append(socket.receive())
            socket.send("3")
        return {"pings": pings}
