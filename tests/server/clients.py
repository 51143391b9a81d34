"""Clients that talk to an ASGI application in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

from asgiref.testing import ApplicationCommunicator

from django_socketio import SocketIOConsumer
from django_socketio.sockets.socket import Socket
from django_socketio.testing import SocketIOCommunicator

# How long a test waits for what has to come; nothing waits so long unless it fails.
DEADLINE = 10.0

Headers = Iterable[tuple[bytes, bytes]]


def state_of(consumer: SocketIOConsumer) -> Socket:
    """What the server keeps for a consumer's socket."""
    state: Socket = vars(consumer)["_SocketIOConsumer__socket"]
    return state


async def eventually(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer of `condition`; AssertionError where it stays false too long."""
    end = asyncio.get_running_loop().time() + DEADLINE
    while not (answer := condition()):
        assert asyncio.get_running_loop().time() < end, f"waited for {what}"
        await asyncio.sleep(0.005)
    return answer


class Client(SocketIOCommunicator):
    """The public communicator with a test's deadline in place of its one second."""

    async def connect(self, timeout: float = DEADLINE) -> Any:
        return await super().connect(timeout)

    async def call(self, event: str, *args: Any, timeout: float = DEADLINE) -> Any:
        return await super().call(event, *args, timeout=timeout)

    async def receive_event(self, timeout: float = DEADLINE) -> tuple[str, list[Any]]:
        return await super().receive_event(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = DEADLINE) -> None:
        await super().disconnect(code, timeout)

    async def arrived(self) -> list[list[Any]]:
        """Every event that has come, as `[name, *args]`.

        The namespace's consumer has to be a `Base`: a round trip through its queue of events shows
        that nothing is on its way any more.
        """
        await self.call("barrier")
        return await self.kept()

    async def kept(self) -> list[list[Any]]:
        """The events that came before the acknowledgement that was waited for last."""
        events = []
        while not await self.receive_nothing(timeout=0):
            name, args = await self.receive_event()
            events.append([name, *args])
        return events


class Closed(Exception):
    """The server has closed the WebSocket."""


class Frames(ApplicationCommunicator):
    """A WebSocket client that speaks in Engine.IO packets: nothing is done behind its back."""

    def __init__(
        self,
        application: Any,
        *,
        query: str = "EIO=4&transport=websocket",
        headers: Headers = (),
        **scope: Any,
    ) -> None:
        super().__init__(
            application,
            {
                "type": "websocket",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "scheme": "ws",
                "path": "/socket.io/",
                "root_path": "",
                "query_string": query.encode(),
                "headers": list(headers),
                "client": ("127.0.0.1", 50000),
                "server": ("testserver", 80),
                "subprotocols": [],
                "extensions": {"websocket.http.response": {}},
                **scope,
            },
        )

    async def open(self) -> dict[str, Any]:
        """Connect; what the server says in its handshake."""
        await self.accept()
        packet = await self.receive()
        assert packet[:1] == "0"
        return json.loads(packet[1:])

    async def accept(self) -> None:
        await self.send_input({"type": "websocket.connect"})
        message = await self.receive_output(DEADLINE)
        assert message["type"] == "websocket.accept", message

    async def send(self, *packets: str | bytes) -> None:
        for packet in packets:
            kind = "text" if isinstance(packet, str) else "bytes"
            await self.send_input({"type": "websocket.receive", kind: packet})

    async def receive(self) -> Any:
        """The next packet. Raises Closed."""
        message = await self.receive_output(DEADLINE)
        if message["type"] != "websocket.send":
            raise Closed
        text = message.get("text")
        return message["bytes"] if text is None else text

    async def rest(self) -> list[Any]:
        """The packets until the server closes the WebSocket."""
        packets = []
        while True:
            try:
                packets.append(await self.receive())
            except Closed:
                return packets

    async def enter(self, namespace: str, auth: Any = None) -> str:
        """Join a namespace; the socket's id."""
        prefix = "" if namespace == "/" else namespace + ","
        await self.send(f"40{prefix}" + ("" if auth is None else json.dumps(auth)))
        answer = await self.receive()
        assert answer.startswith(f"40{prefix}{{"), answer
        return json.loads(answer[2 + len(prefix) :])["sid"]

    async def drop(self, code: int = 1000) -> None:
        """Lose the connection, and wait until the server has noticed."""
        await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(DEADLINE)


class Answer:
    """The answer to an HTTP request."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode(): value.decode() for name, value in headers}
        self.body = body

    @property
    def packets(self) -> list[str]:
        assert self.status == 200, (self.status, self.body)
        return self.body.decode().split("\x1e")


class Poller:
    """A client that polls: each request is one call of the application."""

    def __init__(self, application: Any, headers: Headers = (), **scope: Any) -> None:
        self.application = application
        self.headers = list(headers)
        self.scope = scope
        self.sid = ""

    async def request(
        self, method: str, query: str, body: bytes = b"", headers: Headers = ()
    ) -> Answer:
        communicator = ApplicationCommunicator(
            self.application,
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": method,
                "scheme": "http",
                "path": "/socket.io/",
                "root_path": "",
                "query_string": query.encode(),
                "headers": [*self.headers, *headers],
                "client": ("127.0.0.1", 50000),
                "server": ("testserver", 80),
                **self.scope,
            },
        )
        await communicator.send_input({"type": "http.request", "body": body, "more_body": False})
        start = await communicator.receive_output(DEADLINE)
        answer = await communicator.receive_output(DEADLINE)
        await communicator.wait(DEADLINE)
        return Answer(start["status"], start["headers"], answer["body"])

    async def open(self, query: str = "") -> dict[str, Any]:
        (packet,) = (await self.request("GET", "EIO=4&transport=polling" + query)).packets
        assert packet[:1] == "0"
        handshake: dict[str, Any] = json.loads(packet[1:])
        self.sid = handshake["sid"]
        return handshake

    @property
    def query(self) -> str:
        return f"EIO=4&transport=polling&sid={self.sid}"

    async def poll(self, headers: Headers = ()) -> Answer:
        return await self.request("GET", self.query, headers=headers)

    async def receive(self) -> list[str]:
        """What the next poll brings."""
        return (await self.poll()).packets

    async def send(self, *packets: str) -> None:
        answer = await self.request("POST", self.query, "\x1e".join(packets).encode())
        assert (answer.status, answer.body) == (200, b"ok")

    async def upgrade(self) -> Frames:
        """Move to a WebSocket, as the official client does."""
        websocket = Frames(
            self.application,
            query=f"EIO=4&transport=websocket&sid={self.sid}",
            headers=self.headers,
            **self.scope,
        )
        await websocket.accept()
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        assert await self.receive() == ["6"]
        await websocket.send("5")
        return websocket
