"""Raw clients that call an ASGI application in the test's own process: no server, no network."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from tests.harness.protocol import PATH, POLLING, WEBSOCKET, Closed, connect_packet, sid_of
from tests.harness.waiting import DEADLINE, eventually

Headers = Iterable[tuple[bytes, bytes]]
Message = dict[str, Any]


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the rest of a project that has none."""
    raise AssertionError(f"not for us: {scope}")


def make_scope(kind: str, query: str | bytes, headers: Headers, **more: Any) -> dict[str, Any]:
    """An ASGI scope of `kind` "http" or "websocket" for our path."""
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "path": PATH,
        "root_path": "",
        "query_string": query.encode() if isinstance(query, str) else query,
        "headers": list(headers),
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
        **more,
    }


def start(call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A task that sees no context variables of the test's, as in a server."""
    return contextvars.Context().run(asyncio.ensure_future, call)


class Exchange:
    """One HTTP request, whose body comes in pieces, and the answer to it.

    With `ends=False` the last piece is not the end of the body, whose rest never comes.
    """

    def __init__(
        self,
        application: Any,
        query: str | bytes = POLLING,
        method: str = "GET",
        headers: Headers = (),
        pieces: Sequence[bytes] = (b"",),
        *,
        ends: bool = True,
        **scope: Any,
    ) -> None:
        self.application = application
        self.scope = make_scope("http", query, headers, method=method, scheme="http") | scope
        self.status = 0
        # Names are as the server wrote them.
        self.headers: dict[str, str] = {}
        self.body = b""
        # How many pieces of the body the application has asked for.
        self.taken = 0
        self._pieces = deque(pieces)
        self._ends = ends

    async def run(self) -> Exchange:
        """Wait for the whole answer."""
        await asyncio.wait_for(start(self.call()), DEADLINE)
        return self

    async def call(self) -> None:
        """The same without a task and a deadline."""
        await self.application(self.scope, self._receive, self._send)

    async def _receive(self) -> Message:
        self.taken += 1
        if not self._pieces:
            await asyncio.Event().wait()
        body = self._pieces.popleft()
        more = bool(self._pieces) or not self._ends
        return {"type": "http.request", "body": body, "more_body": more}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                self.headers[name.decode()] = value.decode("latin-1")
        else:
            self.body += message.get("body", b"")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def packets(self) -> list[str]:
        assert self.status == 200, (self.status, self.body)
        return self.body.decode().split("\x1e")


class Frames:
    """A WebSocket client that speaks in Engine.IO packets.

    Nothing is done behind its back, but that it answers pings with `pongs=True`. Its end never
    waits, unless it is `stuck` and reads no more; a `broken` one fails.
    """

    def __init__(
        self,
        application: Any,
        query: str | bytes = WEBSOCKET,
        headers: Headers = (),
        *,
        pongs: bool = False,
        **scope: Any,
    ) -> None:
        # What has come and was not received yet, as the server handed it over.
        self.messages: list[Message] = []
        self.pongs = pongs
        self.stuck = False
        self.broken = False
        self.id = ""
        self._inbox: deque[Message] = deque()
        self._server_waits: asyncio.Future[None] | None = None
        self._client_waits: asyncio.Future[None] | None = None
        extensions: Any = {"websocket.http.response": {}}
        defaults = {"scheme": "ws", "subprotocols": [], "extensions": extensions}
        self.task = start(
            application(
                make_scope("websocket", query, headers, **{**defaults, **scope}),
                self._receive,
                self._send,
            )
        )

    # What the application calls

    async def _receive(self) -> Message:
        while not self._inbox:
            self._server_waits = asyncio.get_running_loop().create_future()
            await self._server_waits
        return self._inbox.popleft()

    async def _send(self, message: Message) -> None:
        if self.stuck:
            await asyncio.get_running_loop().create_future()
        if self.broken:
            raise BrokenPipeError
        if self.pongs and message.get("text") == "2":
            await self.send("3")
            return
        self.messages.append(message)
        _wake(self._client_waits)

    # What a test calls: ASGI's messages

    def put(self, kind: str, **values: Any) -> None:
        """Send a message "websocket.`kind`"."""
        self._inbox.append({"type": f"websocket.{kind}", **values})
        _wake(self._server_waits)

    async def receive_message(self) -> Message:
        """The server's next message."""
        end = asyncio.get_running_loop().time() + DEADLINE
        while not self.messages:
            if self.task.done():
                self.task.result()
                raise AssertionError("the application has ended, and said nothing more")
            self._client_waits = asyncio.get_running_loop().create_future()
            left = end - asyncio.get_running_loop().time()
            waits = (self._client_waits, self.task)
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            assert self.messages or self.task.done() or left > 0, "waited for a message"
        return self.messages.pop(0)

    async def ended(self) -> None:
        """Wait until the application has ended; what it raises is raised."""
        await asyncio.wait_for(self.task, DEADLINE)

    # What a test calls: Engine.IO and Socket.IO

    async def open(self) -> dict[str, Any]:
        """Connect; what the server says in its handshake."""
        await self.accept()
        packet = await self.receive()
        assert packet[:1] == "0"
        handshake: dict[str, Any] = json.loads(packet[1:])
        self.id = handshake["sid"]
        return handshake

    async def accept(self) -> None:
        self.put("connect")
        message = await self.receive_message()
        assert message["type"] == "websocket.accept", message

    async def refused(self) -> Message:
        """Connect in vain; the server's answer, after which it has ended."""
        self.put("connect")
        message = await self.receive_message()
        assert message["type"] != "websocket.accept"
        await self.ended()
        return message

    async def send(self, *packets: str | bytes) -> None:
        for packet in packets:
            kind = "text" if isinstance(packet, str) else "bytes"
            self.put("receive", **{kind: packet})

    async def receive(self) -> Any:
        """The next packet. Raises Closed."""
        message = await self.receive_message()
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

    async def enter(self, namespace: str = "/", auth: Any = None) -> str:
        """Join a namespace; the socket's id."""
        await self.send(connect_packet(namespace, auth))
        return sid_of(await self.receive(), namespace)

    async def drop(self, code: int = 1000) -> None:
        """Lose the connection, and wait until the server has noticed."""
        self.put("disconnect", code=code)
        await self.ended()

    @property
    def texts(self) -> list[str]:
        """What of `messages` is text."""
        return [message["text"] for message in self.messages if message.get("text") is not None]

    async def heard(self, count: int) -> None:
        """Wait until so many `messages` are there."""
        await eventually(lambda: len(self.messages) >= count, f"{count} messages", every=0)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


class Poller:
    """A client that polls: each request is one call of the application."""

    def __init__(self, application: Any, headers: Headers = (), **scope: Any) -> None:
        self.application = application
        self.headers = list(headers)
        self.scope = scope
        self.sid = ""

    async def request(
        self, method: str, query: str, body: bytes = b"", headers: Headers = ()
    ) -> Exchange:
        headers = [*self.headers, *headers]
        return await Exchange(self.application, query, method, headers, [body], **self.scope).run()

    async def open(self, query: str = "") -> dict[str, Any]:
        """What the server says in its handshake; `query` is added to what every client asks."""
        (packet,) = (await self.request("GET", POLLING + query)).packets
        assert packet[:1] == "0"
        handshake: dict[str, Any] = json.loads(packet[1:])
        self.sid = handshake["sid"]
        return handshake

    @property
    def query(self) -> str:
        return f"{POLLING}&sid={self.sid}"

    async def poll(self, headers: Headers = ()) -> Exchange:
        return await self.request("GET", self.query, headers=headers)

    async def receive(self) -> list[str]:
        """What the next poll brings."""
        return (await self.poll()).packets

    async def send(self, *packets: str) -> None:
        answer = await self.request("POST", self.query, "\x1e".join(packets).encode())
        assert (answer.status, answer.body) == (200, b"ok")

    async def upgrade(self) -> Frames:
        """Move to a WebSocket, as the official client does."""
        query = f"{WEBSOCKET}&sid={self.sid}"
        websocket = Frames(self.application, query, self.headers, **self.scope)
        await websocket.accept()
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        assert await self.receive() == ["6"]
        await websocket.send("5")
        return websocket
