"""Clients 2.x: Engine.IO 3 and Socket.IO 4, as the Node server answers them with allowEIO3."""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.client import Side, WebSocket
from tests.conformance.scenarios.registry import Observed, scenario

POLLING = "EIO=3&transport=polling&b64=1"
WEBSOCKET = "EIO=3&transport=websocket"
# How long a session's id is differs, and with it the length of the handshake's packet.
_LENGTH_OF_OPEN = re.compile(r"^\d+(?=:0{)")

# Sent by a client that is in "/".
PACKETS: dict[str, tuple[str | bytes, ...]] = {
    "nothing": (),
    "ping": ("2",),
    "ping with data": ("2probe",),
    "pong": ("3",),
    "close": ("1",),
    "noop": ("6",),
    "unknown type": ("7",),
    "empty": ("",),
    "CONNECT to / again": ("40",),
    "CONNECT": ("40/other,",),
    "CONNECT with a query": ("40/other?a=1&b=%C3%A9,",),
    "CONNECT twice": ("40/other,", "40/other,"),
    "CONNECT refused": ("40/refused,",),
    "CONNECT refused with data": ("40/refused-with-data?x=1,",),
    "CONNECT to an unknown namespace": ("40/nowhere,",),
    "DISCONNECT": ("40/other,", "41/other,"),
    "EVENT": ('427["echo","é","😀"]',),
    "EVENT with a dynamic namespace": ("40/room-1,", '42/room-1,7["echo",1]'),
    "EVENT to a namespace not joined": ('42/other,["say",1]',),
    "BINARY_EVENT": ('451-7["echo",{"_placeholder":true,"num":0}]', b"\x04\x01\x02"),
    "BINARY_EVENT in base64": ('451-7["echo",{"_placeholder":true,"num":0}]', "b4AQI="),
    "binary data that is not due": (b"\x04\x01",),
}


def _open(server: Side, query: str = WEBSOCKET) -> tuple[WebSocket, list[Any]]:
    websocket = server.websocket(query)
    return websocket, [websocket.receive(), websocket.receive()]


@scenario("clients 2.x")
def packets_of_client2(server: Side) -> Observed:
    seen: Observed = {}
    for label, packets in PACKETS.items():
        websocket, frames = _open(server)
        for packet in packets:
            websocket.send(packet)
            if str(packet).startswith("40"):  # an answer to it may come behind later ones
                frames.append(websocket.receive())
        seen[label] = [*frames, *websocket.answers()]
    return seen


@scenario("clients 2.x")
def queries_of_client2(server: Side) -> Observed:
    """The query of a namespace is auth; that of the connection is the handshake's."""
    websocket, _ = _open(server, f"{WEBSOCKET}&inner=no")
    entered = websocket.connect("40/other?inner=yes&b=%C3%A9,")
    websocket.send('42/other,3["handshake"]')
    return {"entered": entered, "handshake": websocket.receive()}


@scenario("clients 2.x")
def bytes_to_client2(server: Side) -> Observed:
    seen: Observed = {}
    for label, query in (("binary", WEBSOCKET), ("base64", f"{WEBSOCKET}&b64=1")):
        websocket, _ = _open(server, query)
        websocket.send('42["binary"]')
        seen[label] = websocket.frames(3)
    return seen


@scenario("clients 2.x")
def polling_of_client2(server: Side) -> Observed:
    opened = server.start("GET", POLLING).show(headers=True)
    (text,) = opened["packets"]
    opened["packets"] = [_LENGTH_OF_OPEN.sub("*", text)]
    sid = _sid(server)
    query = f"{POLLING}&sid={sid}"

    def post(body: str | bytes) -> Any:
        kind = "application/octet-stream" if isinstance(body, bytes) else "text/plain;charset=UTF-8"
        return server.request("POST", query, body, {"Content-Type": kind})

    seen: Observed = {"opened": opened, "main": server.request("GET", query)}
    event = b'451-2["echo",{"_placeholder":true,"num":0}]'
    bodies: dict[str, str | bytes] = {
        "text": '20:427["echo","é","😀"]',
        "ping": "1:2",
        "two": '11:421["echo"]11:422["echo"]',
        "base64": '43:451-7["echo",{"_placeholder":true,"num":0}]6:b4AQI=',
        "binary": b"\x00\x04\x03\xff" + event + b"\x01\x03\xff\x04\x01\x02",
    }
    for label, body in bodies.items():
        seen[label] = [post(body), server.request("GET", query)]
    seen["revision 4"] = server.request("GET", query.replace("EIO=3", "EIO=4"))
    seen["broken"] = post("4:42")
    seen["gone"] = server.request("GET", query)
    return seen


def _sid(server: Side) -> str:
    reply = server.start("GET", POLLING).reply()
    assert reply is not None
    return reply.text.partition('"sid":"')[2].partition('"')[0]
