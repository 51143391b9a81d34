"""The server in the test's own process, where a test sees every call that it makes."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator

from django_socketio import SocketIOConsumer
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.hubs import current_hub
from django_socketio.server.registry import registry
from django_socketio.sockets.client import Client

POLLING = b"EIO=4&transport=polling"
WEBSOCKET = b"EIO=4&transport=websocket"
Headers = Sequence[tuple[bytes, bytes]]


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("a request that is not for Socket.IO")


application = SocketIOApplication(nothing_else, middleware=None)


@contextmanager
def registered(consumer: type[SocketIOConsumer], namespace: str = "/") -> Iterator[None]:
    """``consumer`` serves the namespace within the block."""
    registry.register(namespace)(consumer)
    try:
        yield
    finally:
        registry.unregister(namespace)


def http_scope(
    query: bytes = POLLING, method: str = "GET", headers: Headers = ()
) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/socket.io/",
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"testserver"), *headers],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
    }


class Exchange:
    """One HTTP request whose body comes in pieces, and the answer to it."""

    def __init__(
        self,
        query: bytes = POLLING,
        method: str = "GET",
        headers: Headers = (),
        pieces: Sequence[bytes] = (b"",),
    ) -> None:
        self._scope = http_scope(query, method, headers)
        self._pieces = deque(pieces)
        self.taken = 0
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def run(self) -> Exchange:
        await asyncio.wait_for(application(self._scope, self._receive, self._send), 15)
        return self

    async def _receive(self) -> dict[str, Any]:
        self.taken += 1
        if not self._pieces:
            # The rest of the body never comes.
            await asyncio.Event().wait()
        return {"type": "http.request", "body": self._pieces.popleft(), "more_body": True}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class WholeExchange(Exchange):
    """The same with a body that ends."""

    async def _receive(self) -> dict[str, Any]:
        self.taken += 1
        body = self._pieces.popleft()
        return {"type": "http.request", "body": body, "more_body": bool(self._pieces)}


async def handshake(headers: Headers = ()) -> str:
    """Begin a polling session; its id."""
    answer = await WholeExchange(headers=headers).run()
    assert answer.status == 200, answer.body
    sid: str = json.loads(answer.body[1:])["sid"]
    return sid


def of_session(sid: str) -> bytes:
    """The query of a polling session's requests."""
    return POLLING + b"&sid=" + sid.encode()


def client_of(sid: str) -> Client | None:
    """The server's side of a session."""
    return current_hub().clients.get(sid)


class Wire(ApplicationCommunicator):
    """A WebSocket; ``closed`` when the server has closed it."""

    def __init__(self, query: bytes = WEBSOCKET, headers: Headers = ()) -> None:
        scope = http_scope(query, headers=headers)
        scope.update(type="websocket", scheme="ws", subprotocols=[], extensions={})
        del scope["method"]
        super().__init__(application, scope)
        self.id = ""

    async def open(self) -> Wire:
        """Connect; the session's handshake is read."""
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output())["type"] == "websocket.accept"
        frame = await self.next()
        self.id = json.loads(frame[1:])["sid"]
        return self

    async def join(self, namespace: str = "/") -> Wire:
        prefix = "" if namespace == "/" else namespace + ","
        await self.say(f"40{prefix}")
        answer = await self.next()
        assert answer.startswith(f"40{prefix}{{"), answer
        return self

    async def say(self, *frames: str | bytes) -> None:
        for frame in frames:
            kind = "text" if isinstance(frame, str) else "bytes"
            await self.send_input({"type": "websocket.receive", kind: frame})

    async def next(self) -> Any:
        """The next frame. ConnectionError when the server has closed."""
        message = await self.receive_output()
        if message["type"] != "websocket.send":
            raise ConnectionError(message)
        return message["text"] if message.get("text") is not None else message["bytes"]

    async def until_closed(self) -> list[Any]:
        """What still comes before the server closes; asyncio.TimeoutError if it does not."""
        frames = []
        try:
            while True:
                frames.append(await self.next())
        except ConnectionError:
            return frames

    async def leave(self) -> None:
        """Go, and wait until the server has noticed."""
        await self.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wait()
        while tasks := set(current_hub().runtime.tasks):
            await asyncio.wait(tasks)

    @property
    def client(self) -> Client:
        client = client_of(self.id)
        assert client is not None
        return client
