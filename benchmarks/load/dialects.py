"""How to say the same thing to servers of different protocols.

Every server offers the same: "echo" sends its argument back as an event, "ack" acknowledges with
it, "join" enters the room "all", "broadcast" sends its argument there, "query" asks the database.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from benchmarks.load import frames
from benchmarks.load.websocket import WebSocket

Message = list[str | bytes]


@dataclass(frozen=True)
class Exchange:
    """A request and the answer to it, each a list of WebSocket messages."""

    request: Message
    answer: Message

    def request_bytes(self) -> bytes:
        return b"".join(map(frames.message, self.request))

    def answer_bytes(self) -> bytes:
        return b"".join(frames.message(part, masked=False) for part in self.answer)

    async def probe(self, socket: WebSocket) -> None:
        """Do it once. Raises ConnectionError where the answer is another."""
        socket.send(self.request_bytes())
        answer = [await socket.receive() for _ in self.answer]
        if answer != self.answer:
            raise ConnectionError(f"{self.request!r} was answered with {answer!r}")


class Dialect(Protocol):
    """What the scenarios need of a protocol."""

    async def connect(self, port: int) -> WebSocket:
        """A connection that is ready for events."""

    def echo(self, data: str) -> Exchange: ...
    def ack(self, data: str) -> Exchange: ...
    def binary(self, data: bytes) -> Exchange: ...
    def join(self) -> Exchange: ...
    def broadcast(self, data: str) -> Exchange: ...
    def query(self, answer: str) -> Exchange: ...


def _compact(*values: object) -> str:
    return json.dumps(values, separators=(",", ":"))


class SocketIO:
    """Engine.IO 4, Socket.IO 5."""

    path = "/socket.io/?EIO=4&transport="

    async def connect(self, port: int) -> WebSocket:
        socket = await WebSocket.open(port, self.path + "websocket")
        opened = await socket.receive()
        socket.send(frames.text("40"))
        connected = await socket.receive()
        if not (str(opened).startswith("0{") and str(connected).startswith("40{")):
            raise ConnectionError(f"no Socket.IO server: {opened!r}, {connected!r}")
        return socket

    def echo(self, data: str) -> Exchange:
        packet = "42" + _compact("echo", data)
        return Exchange([packet], [packet])

    def ack(self, data: str) -> Exchange:
        return Exchange(["427" + _compact("ack", data)], ["437" + _compact(data)])

    def binary(self, data: bytes) -> Exchange:
        packet = "451-" + _compact("echo", {"_placeholder": True, "num": 0})
        return Exchange([packet, data], [packet, data])

    def join(self) -> Exchange:
        return Exchange(['420["join"]'], ["430[]"])

    def broadcast(self, data: str) -> Exchange:
        packet = "42" + _compact("broadcast", data)
        return Exchange([packet], [packet])

    def query(self, answer: str) -> Exchange:
        return Exchange(['428["query"]'], ["438" + _compact(answer)])


class PlainJSON:
    """The protocol that a Channels project would make up for itself."""

    path = "/plain/"

    async def connect(self, port: int) -> WebSocket:
        return await WebSocket.open(port, self.path)

    def _exchange(self, event: str, data: str | None, answer: str | None) -> Exchange:
        # The consumer answers as json.dumps() writes by default.
        return Exchange(
            [json.dumps({"event": event, "data": data})],
            [json.dumps({"event": event, "data": answer})],
        )

    def echo(self, data: str) -> Exchange:
        return self._exchange("echo", data, data)

    def ack(self, data: str) -> Exchange:
        raise NotImplementedError("no acknowledgements")

    def binary(self, data: bytes) -> Exchange:
        raise NotImplementedError("JSON only")

    def join(self) -> Exchange:
        return self._exchange("join", None, None)

    def broadcast(self, data: str) -> Exchange:
        return self._exchange("broadcast", data, data)

    def query(self, answer: str) -> Exchange:
        return self._exchange("query", None, answer)
