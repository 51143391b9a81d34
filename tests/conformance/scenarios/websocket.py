"""Engine.IO packets over a WebSocket."""

from __future__ import annotations

from tests.conformance.client import Side
from tests.conformance.scenarios.payloads import BROKEN, HARMLESS
from tests.conformance.scenarios.registry import Observed, scenario

FRAMES: dict[str, tuple[str | bytes, ...]] = {
    **{label: (body,) for label, body in HARMLESS.items()},
    **{label: (body,) for label, body in BROKEN.items()},
    "binary frame nobody waits for": (b"\x01\x02",),
    "empty binary frame": (b"",),
    "binary frame that looks like a packet": (b"41",),
    "attachment as base64": ('451-1["echo",{"_placeholder":true,"num":0}]', "bAQID"),
    "attachment as frame": ('451-1["echo",{"_placeholder":true,"num":0}]', b"\x01\x02\x03"),
    "attachment of no bytes": ('451-1["echo",{"_placeholder":true,"num":0}]', b""),
    "ping between an event and its attachment": (
        '451-1["echo",{"_placeholder":true,"num":0}]',
        "3",
        b"\x01",
    ),
}


def _frames(label: str, frames: tuple[str | bytes, ...]) -> None:
    def run(server: Side) -> Observed:
        tag = server.tag()
        with server.websocket() as socket:
            socket.open()
            socket.connect(f'40{{"tag":"{tag}"}}')
            for frame in frames:
                socket.send(frame)
                server.fence()
            answers = socket.answers()
            awaited = None if answers[-1] == "lives" else "disconnect"
            return {"frames": answers, "log": server.log(tag, awaited)}

    run.__name__ = f"frame_{label.replace(' ', '_').replace('.', '_')}"
    scenario()(run)


for _label, _packets in FRAMES.items():
    _frames(_label, _packets)


@scenario()
def frame_over_the_limit(server: Side) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        socket.send('42["say","' + "x" * 20_000 + '"]')
        return {"frames": socket.frames(), "log": server.log(tag, "disconnect")}


@scenario()
def frame_at_the_limit(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        empty = '42["take",""]'
        socket.send('42["take","' + "x" * (20_000 - len(empty)) + '"]')
        return {"frames": socket.answers()}


@scenario()
def binary_frame_over_the_limit(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send('451-1["echo",{"_placeholder":true,"num":0}]', b"x" * 20_001)
        return {"frames": socket.frames()}


@scenario()
def websocket_closed_by_the_client(server: Side) -> Observed:
    shown: Observed = {}
    for label, code in (("1000", 1000), ("1001", 1001), ("4000", 4000)):
        tag = server.tag()
        socket = server.websocket()
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        socket.close_with(code)
        shown[label] = server.log(tag, "disconnect")
    tag = server.tag()
    socket = server.websocket()
    socket.open()
    socket.connect(f'40{{"tag":"{tag}"}}')
    socket.drop()
    shown["dropped"] = server.log(tag, "disconnect")
    return shown


@scenario()
def websocket_closed_by_the_server(server: Side) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        socket.send('42["leave all"]')
        return {"frames": socket.frames(), "log": server.log(tag, "disconnect")}


@scenario()
def websocket_leaves_the_namespace(server: Side) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        socket.send('42["leave"]')
        log = server.log(tag, "disconnect")
        socket.send("40")
        server.fence()
        return {"log": log, "frames": socket.answers()}


@scenario()
def websocket_sends_each_packet_in_a_frame(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send('42["burst",3]', '42["binary"]')
        return {"frames": socket.answers()}
