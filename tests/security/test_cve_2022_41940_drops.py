"""A client that drops at any point of handshake, probe or refusal leaves nothing behind."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from tests.harness.protocol import PATH, WEBSOCKET
from tests.harness.servers import Server
from tests.harness.wire import (
    Peer,
    Poller,
    frame,
    open_socket,
    raw_websocket,
    reset,
    upgrade_request,
)

TIMES = 10


def http(target: str, headers: str = "", method: str = "GET", body: bytes = b"") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode() + body


def probing(server: Server, *frames: bytes) -> socket.socket:
    poller = Poller(server)
    poller.join()
    sock = raw_websocket(server, f"{WEBSOCKET}&sid={poller.id}")
    for data in frames:
        sock.sendall(data)
    return sock


def sent(server: Server, data: bytes) -> socket.socket:
    sock = open_socket(server)
    sock.sendall(data)
    return sock


def session(server: Server) -> str:
    poller = Poller(server)
    poller.join()
    return poller.query


FOREIGN = "Origin: http://evil.example\r\n"
BAD = "EIO=4&transport=websocket&sid=unknown"

# Each leaves a connection in some state, to be dropped there.
POINTS: dict[str, Callable[[Server], socket.socket]] = {
    "connected": open_socket,
    "half a request": lambda server: sent(server, http(PATH)[:30]),
    "polling handshake": lambda server: sent(server, http(f"{PATH}?EIO=4&transport=polling")),
    "polling refusal": lambda server: sent(server, http(f"{PATH}?EIO=4&transport=no")),
    "foreign polling": lambda server: sent(
        server, http(f"{PATH}?EIO=4&transport=polling", FOREIGN)
    ),
    "poll": lambda server: sent(server, http(f"{PATH}?{session(server)}")),
    "half a post": lambda server: sent(
        server,
        http(f"{PATH}?{session(server)}", "Content-Length: 100\r\n", "POST", b'42["echo"'),
    ),
    "post": lambda server: sent(
        server,
        http(f"{PATH}?{session(server)}", "Content-Length: 10\r\n", "POST", b'42["echo"]'),
    ),
    "upgrade request": lambda server: sent(server, upgrade_request()),
    "half an upgrade request": lambda server: sent(server, upgrade_request()[:80]),
    "refusal": lambda server: sent(server, upgrade_request(BAD)),
    "foreign websocket": lambda server: sent(server, upgrade_request(headers=FOREIGN)),
    "websocket": raw_websocket,
    "half a frame": lambda server: _and(raw_websocket(server), frame(b"40")[:4]),
    "connect": lambda server: _and(raw_websocket(server), frame(b"40")),
    "connect that waits": lambda server: _and(raw_websocket(server), frame(b"40/gated,")),
    "events": lambda server: _and(
        raw_websocket(server), frame(b"40") + frame(b'421["echo",1]') * 50
    ),
    "thread": lambda server: _and(
        raw_websocket(server), frame(b"40") + frame(b'421["in_thread","x"]') * 5
    ),
    "violation": lambda server: _and(raw_websocket(server), frame(b"9")),
    "unused upgrade": probing,
    "half a probe": lambda server: probing(server, frame(b"2probe")[:4]),
    "probe": lambda server: probing(server, frame(b"2probe")),
    "wrong probe": lambda server: probing(server, frame(b"2wrong")),
    "upgrade": lambda server: probing(server, frame(b"2probe") + frame(b"5")),
    "events after upgrade": lambda server: probing(
        server, frame(b"2probe") + frame(b"5") + frame(b'421["echo",1]') * 50
    ),
    "second upgrade": lambda server: _second_upgrade(server),
}


def _and(sock: socket.socket, data: bytes) -> socket.socket:
    sock.sendall(data)
    return sock


def _second_upgrade(server: Server) -> socket.socket:
    poller = Poller(server)
    query = f"{WEBSOCKET}&sid={poller.id}"
    first = raw_websocket(server, query)
    second = sent(server, upgrade_request(query))
    reset(first)
    return second


@pytest.mark.parametrize("properly", [False, True], ids=["reset", "closed"])
@pytest.mark.parametrize("point", POINTS)
def test_cve_2022_41940_drops(server: Server, bystander: Peer, point: str, properly: bool) -> None:
    before = server.state()["held"]
    for _ in range(TIMES):
        sock = POINTS[point](server)
        if properly:
            sock.close()
        else:
            reset(sock)
    # Handlers of the gated namespace still wait; nothing else does, and the log (see the fixture)
    # tells of no failed task.
    if point == "connect that waits":
        server.release("None")
    server.until(
        lambda state: (
            state["held"]["hub_tasks"] <= before["hub_tasks"]
            and state["held"]["tasks"] <= before["tasks"] + 1
        ),
        f"the tasks to end; before: {before}",
    )
