"""What hostile clients do, each with about a megabyte on the wire or less.

Each attack takes the server's port and returns the connections that it leaves open. What it sends
is made before, so that the load takes no time while the server is watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.hostile.wire import POLLING, Connection, Poller, Socket, deflated
from benchmarks.load import frames
from benchmarks.load.websocket import HOST

MEGABYTE = 1_000_000
Attack = Callable[[int], Awaitable[list[Connection]]]
ATTACKS: dict[str, Attack] = {}


def attack(title: str) -> Callable[[Attack], Attack]:
    def register(function: Attack) -> Attack:
        ATTACKS[title] = function
        return function

    return register


def objects(size: int) -> str:
    """An array of empty objects, ``size`` characters long."""
    return "[" + ",".join(["{}"] * (size // 3)) + "]"


def nested(size: int, depth: int = 95) -> str:
    one = "[" * depth + "]" * depth
    return "[" + ",".join([one] * (size // (2 * depth + 1))) + "]"


def event(name: str, json: str, namespace: str = "/target") -> str:
    return f'42{namespace},["{name}",{json}]'


def on_a_websocket(
    title: str, text: str, times: int = 1, sockets: int = 1, deflate: bool = False
) -> None:
    """Register an attack: the same message again and again, in one segment per WebSocket."""

    async def run(port: int) -> list[Connection]:
        opened = [await Socket.joined(port, deflate=deflate) for _ in range(sockets)]
        packed = deflated(text) if all(one.deflate for one in opened) else frames.text(text)
        if deflate and not opened[0].deflate:
            return list(opened)  # the server does not inflate: nothing to see
        await asyncio.gather(*(one.send(packed * times) for one in opened))
        return list(opened)

    ATTACKS[title] = run


def in_a_post(title: str, text: str, times: int) -> None:
    """Register an attack: a POST with the same packet again and again."""
    payload = "\x1e".join([text] * times)[: MEGABYTE - 1]
    payload = payload[: payload.rfind("\x1e")]

    async def run(port: int) -> list[Connection]:
        poller = await Poller.joined(port)
        await poller.post(payload)
        return [poller]

    ATTACKS[title] = run


BIG = 999_000  # characters: just within MAX_HTTP_BUFFER_SIZE

on_a_websocket("errors in a plain handler", event("fail", "1"), 40_000)
on_a_websocket("errors in an async handler", event("fail_at_once", "1"), 32_000)
on_a_websocket("1 MB of {} nobody handles", event("nobody", objects(BIG)))
on_a_websocket("1 MB of {} for a handler", event("take", objects(BIG)))
on_a_websocket(
    "1 MB of {} nobody handles, deflated × 40", event("nobody", objects(BIG)), 40, 1, True
)
on_a_websocket("arrays 95 deep, 1 MB", event("take", nested(BIG)))
on_a_websocket("arrays 95 deep, 1 MB, deflated × 20", event("take", nested(BIG)), 20, 1, True)
on_a_websocket("half a surrogate pair in 1 MB", event("echo", '"\\ud800' + "x" * BIG + '"'))
on_a_websocket(
    "half a surrogate pair, deflated × 10", event("echo", '"\\ud800' + "x" * BIG + '"'), 10, 1, True
)
on_a_websocket("escapes", event("take", '"' + "\\u00e9" * (BIG // 6) + '"'))
on_a_websocket("keys", event("take", "{" + ",".join(f'"{n}":1' for n in range(90_000)) + "}"))
on_a_websocket("numbers", event("take", "[" + ",".join(["1e9"] * (BIG // 4)) + "]"))
on_a_websocket("digits", event("take", "9" * BIG))
on_a_websocket("waiting events of 10 KB of {}", event("slow", objects(10_000)), 99)
on_a_websocket(
    "waiting events of 1 MB of {}, deflated, 5 × 5", event("slow", objects(BIG)), 5, 5, True
)
on_a_websocket("small waiting events", event("slow", "1"), 40_000)
on_a_websocket("small concurrent events", event("overlap", "1"), 35_000)
on_a_websocket("unhandled events", event("nobody", "1"), 38_000)
on_a_websocket("events for threads", event("plain", "1"), 40_000)
on_a_websocket("events for threads, answered", '42/target,1["plain",1]', 38_000)
on_a_websocket("pongs", "3", 160_000)
on_a_websocket("acknowledgements of nothing", "43/target,1[]", 50_000)
on_a_websocket("unknown namespaces", "40/" + "n" * 200, 4_500)
on_a_websocket("refused CONNECTs", "40/refused,", 50_000)
in_a_post("a POST of unhandled events", event("nobody", "1"), 100_000)
in_a_post("a POST of errors", event("fail_at_once", "1"), 100_000)
in_a_post("a POST of concurrent events", event("overlap", "1"), 100_000)
in_a_post("a POST of pongs", "3", 100_000)
in_a_post("a POST of waiting events of {}", event("slow", objects(9_000)), 110)


@attack("auth of {}, 1 MB")
async def auth(port: int) -> list[Connection]:
    socket = await Socket.opened(port)
    await socket.text('40/target,{"a":' + objects(BIG) + "}")
    return [socket]


@attack("auth of {} on 60 namespaces, deflated")
async def auth_on_namespaces(port: int) -> list[Connection]:
    packed = [deflated(f'40/many/{n},{{"a":{objects(BIG)}}}') for n in range(20)]
    sockets = [await Socket.opened(port, deflate=True) for _ in range(3)]
    if sockets[0].deflate:
        await asyncio.gather(*(socket.send(b"".join(packed)) for socket in sockets))
    return list(sockets)


@attack("coming and going")
async def churn(port: int) -> list[Connection]:
    socket = await Socket.opened(port)
    both = frames.text("40/target,") + frames.text("41/target,")
    reading = asyncio.ensure_future(socket.reader.read(-1))
    await socket.send(both * (MEGABYTE // len(both)))
    del reading
    return [socket]


@attack("32 clients that never answer call()")
async def unanswered(port: int) -> list[Connection]:
    sockets = [await Socket.joined(port) for _ in range(32)]
    for socket in sockets:
        await socket.text('42/target,["wait"]')
    return list(sockets)


@attack("rooms without end")
async def rooms(port: int) -> list[Connection]:
    socket = await Socket.joined(port)
    names = [f'"room {number:06}"' for number in range(67_000)]
    for start in range(0, len(names), 5000):
        await socket.text(event("enter", ",".join(names[start : start + 5000])))
    return [socket]


@attack("handshakes")
async def handshakes(port: int) -> list[Connection]:
    poller = await Poller.open(port)
    one = f"GET /socket.io/?{POLLING} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    reading = asyncio.ensure_future(poller.reader.read(-1))
    for _ in range(100):
        await poller.send(one * 100)
    del reading
    return [poller]


@attack("attachments that are due")
async def attachments(port: int) -> list[Connection]:
    sockets = []
    for _ in range(8):
        socket = await Socket.joined(port)
        places = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(1000))
        await socket.text(f'451000-/target,["take",{places}]')
        await socket.send(frames.encode(frames.BINARY, b"x" * 100) * 600)
        sockets.append(socket)
    return list(sockets)


@attack("bodies without end")
async def bodies(port: int) -> list[Connection]:
    pollers = []
    for _ in range(50):
        poller = await Poller.joined(port)
        await poller.request("POST", poller.query, b"x" * 20_000, "Content-Length: 20001\r\n")
        pollers.append(poller)
    return list(pollers)


async def _asks_for_more_than_it_reads(port: int, times: int, pongs: int) -> list[Connection]:
    """Ask for 100 KB, again and again, and read nothing."""
    socket = await Socket.joined(port)
    for _ in range(times):
        await socket.text('42/target,["publish",100000]', *["3"] * pongs)
        await asyncio.sleep(0.002)
    return [socket]


@attack("answers that are not read")
async def unread(port: int) -> list[Connection]:
    return await _asks_for_more_than_it_reads(port, 2000, 0)


@attack("answers that are not read, and pongs")
async def lying(port: int) -> list[Connection]:
    return await _asks_for_more_than_it_reads(port, 2000, 10)


@attack("large answers that are not read")
async def unread_on_websockets(port: int) -> list[Connection]:
    sockets = [await Socket.joined(port) for _ in range(20)]
    for socket in sockets:
        await socket.text(*['42/target,["publish",1000000]'] * 15)
    return list(sockets)


@attack("polls that are not read")
async def unread_polls(port: int) -> list[Connection]:
    pollers: list[Any] = [await Poller.joined(port) for _ in range(20)]
    for poller in pollers:
        await poller.post("\x1e".join(['42/target,["publish",1000000]'] * 15))
        await poller.request("GET", poller.query)
    return pollers


@attack("fragments of a byte")
async def fragments(port: int) -> list[Connection]:
    socket = await Socket.joined(port)
    first, middle = bytearray(frames.text("4")), bytearray(frames.text("x"))
    first[0], middle[0] = frames.TEXT, 0
    await socket.send(bytes(first) + bytes(middle) * (MEGABYTE // len(middle)))
    return [socket]


@attack("requests that are refused")
async def refused(port: int) -> list[Connection]:
    poller = await Poller.open(port)
    one = f"GET /socket.io/?{POLLING}&sid={'x' * 30} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    reading = asyncio.ensure_future(poller.reader.read(-1))
    await poller.send(one * (MEGABYTE // len(one)))
    del reading
    return [poller]
