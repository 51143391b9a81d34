"""Tests consumers without a server, as :mod:`channels.testing` does.

.. code-block:: python

    @pytest.mark.asyncio
    @pytest.mark.django_db(transaction=True)
    async def test_chat(alice):
        communicator = SocketIOCommunicator(application, "/chat", user=alice)
        connected, _ = await communicator.connect()
        assert connected
        assert await communicator.call("save", "hello") == 1
        await communicator.disconnect()
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

from asgiref.testing import ApplicationCommunicator
from django.core.serializers.json import DjangoJSONEncoder

from .addressing.outcomes import as_arguments, as_result
from .conf import get_settings
from .exceptions import AckTimeout, Disconnected
from .packets import Decoder, EncodedPacket, Encoder, Packet, PacketType, StandardCodec
from .server.hubs import current_hub
from .sockets.client import Client as ServerSide
from .sockets.frames import frame_maker


class Connected(NamedTuple):
    """The result of ``connect``, which is true if the client was admitted.

    ``details`` is the data of the CONNECT (``{"sid": ...}``) or CONNECT_ERROR packet
    (``{"message": ..., "data": ...}``) with which the server answered.
    """

    connected: bool
    details: dict[str, Any]

    def __bool__(self) -> bool:
        return self.connected


class SocketIOCommunicator(ApplicationCommunicator):
    """A client of one namespace that talks to an ASGI application in this process.

    ``application`` is the project's (a :class:`~django_socketio.asgi.SocketIOApplication`);
    ``auth`` is the data that the client sends with CONNECT; ``user`` replaces the session's user
    in the scope. Plain ``def`` handlers run in the thread where asgiref runs a test's database
    access, so that they see the test's transaction. Timeouts are in seconds.
    """

    def __init__(
        self,
        application: Any,
        namespace: str = "/",
        auth: dict[str, Any] | None = None,
        user: Any = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": getattr(application, "_path", None) or get_settings().path,
            "raw_path": None,
            "root_path": "",
            "query_string": b"EIO=4&transport=websocket",
            "headers": headers or [],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
            "django_socketio.thread_sensitive": True,
        }
        if user is not None:
            scope["django_socketio.user"] = user
        super().__init__(application, scope)
        self.namespace = namespace if namespace.startswith("/") else "/" + namespace
        self.auth = auth
        self.sid: str | None = None
        settings = get_settings()
        codec = StandardCodec()
        self._make_frames = frame_maker(settings)
        self._encoder = Encoder(codec, DjangoJSONEncoder().default)
        limits = replace(settings.limits, max_eager_length=10**12)
        own = settings.own_parser
        self._decoder = Decoder(codec, limits) if own is None else settings.new_decoder()
        self._events: deque[Packet] = deque()
        self._acks: dict[int, Any] = {}
        self._ids = 0
        # The server's own object for this client.
        self._client: ServerSide | None = None

    async def connect(self, timeout: float = 1) -> Connected:
        """Connect to the namespace.

        Returns a true value that unpacks to ``(True, {"sid": ...})``, or a false one that unpacks
        to False and the server's reason. Raises asyncio.TimeoutError if no answer comes, and
        Disconnected if the server closes the connection instead.
        """
        await self.send_input({"type": "websocket.connect"})
        message = await self.receive_output(timeout)
        if message["type"] != "websocket.accept":
            return Connected(False, await self._refusal(message, timeout))
        packet = await self._engine_packet(timeout)
        if not isinstance(packet, str) or packet[:1] != "0":
            raise Disconnected(f"no handshake but {packet!r}")
        self._client = current_hub().clients.get(json.loads(packet[1:])["sid"])
        text = self._encoder.connect(self.namespace, {} if self.auth is None else self.auth).text
        if self.auth is None:
            text = text.removesuffix("{}")
        await self._send(EncodedPacket(text))
        answer = await self._packet(timeout)
        if answer.type == PacketType.CONNECT:
            self.sid = answer.data["sid"]
            return Connected(True, answer.data)
        return Connected(False, answer.data)

    async def emit(self, event: str, *args: Any) -> None:
        """Send an event."""
        await self._send(self._encoder.event(self.namespace, event, args))

    async def call(self, event: str, *args: Any, timeout: float = 1) -> Any:
        """Send an event and return its acknowledgement: None, one value or a tuple.

        Keeps events that come meanwhile for :meth:`receive_event`. Raises AckTimeout if no
        acknowledgement comes.
        """
        ack_id, self._ids = self._ids, self._ids + 1
        await self._send(self._encoder.event(self.namespace, event, args, ack_id))
        try:
            while ack_id not in self._acks:
                self._keep(await self._packet(timeout))
        except asyncio.TimeoutError:
            raise AckTimeout from None
        return as_result(self._acks.pop(ack_id))

    async def receive_event(self, timeout: float = 1) -> tuple[str, list[Any]]:
        """Return the next event from the server, as ``(name, args)``.

        If it asks for an acknowledgement, answer with :meth:`acknowledge`. Raises Disconnected if
        the server has ended the connection, asyncio.TimeoutError if nothing comes.
        """
        while not self._events:
            self._keep(await self._packet(timeout))
        packet = self._events.popleft()
        self._asked = packet.id
        name, *args = packet.data
        return name, args

    async def acknowledge(self, result: Any = None) -> None:
        """Answer the event that :meth:`receive_event` returned last; ``result`` is as of a handler.

        Raises ValueError if that event asks for no answer.
        """
        if self._asked is None:
            raise ValueError("the server did not ask for an acknowledgement")
        await self._send(self._encoder.ack(self.namespace, as_arguments(result), self._asked))

    async def receive_nothing(self, timeout: float = 0.1, interval: float = 0.01) -> bool:
        """Return whether no event comes within ``timeout`` seconds."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not self._events:
            left = max(0, deadline - asyncio.get_running_loop().time())
            if await super().receive_nothing(left, interval):
                return True
            packet = await self._decode(await self._engine_packet(timeout))
            if packet is not None:
                self._keep(packet)
        return False

    async def disconnect(self, code: int = 1000, timeout: float = 1) -> None:
        """Drop the connection, and wait until the server has ended its work for this client."""
        await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout)
        # A handler or disconnect() may still be at work.
        if self._client is not None:
            tasks = current_hub().runtime.tasks_of(self._client)
            if tasks:
                await asyncio.wait(tasks, timeout=timeout)

    # Inside

    _asked: int | None = None

    async def _send(self, packet: EncodedPacket) -> None:
        for frame in self._make_frames(packet, True):
            kind = "text" if isinstance(frame.data, str) else "bytes"
            await self.send_input({"type": "websocket.receive", kind: frame.data})

    async def _engine_packet(self, timeout: float) -> str | bytes:
        message = await self.receive_output(timeout)
        if message["type"] != "websocket.send":
            raise Disconnected("the server has closed the connection")
        text = message.get("text")
        data: str | bytes = message["bytes"] if text is None else text
        return data

    async def _packet(self, timeout: float) -> Packet:
        """Return the next Socket.IO packet. Pings in between do not extend the time."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            left = deadline - asyncio.get_running_loop().time()
            packet = await self._decode(await self._engine_packet(left))
            if packet is not None:
                return packet

    async def _decode(self, data: str | bytes) -> Packet | None:
        """Return the Socket.IO packet that ``data`` completes, if any. Answers a ping."""
        if isinstance(data, str):
            if data[:1] == "2":
                await self.send_input({"type": "websocket.receive", "text": "3"})
                return None
            data = data[1:]
        return self._decoder.feed(data)

    def _keep(self, packet: Packet) -> None:
        if packet.type == PacketType.EVENT:
            self._events.append(packet)
        elif packet.type == PacketType.ACK and packet.id is not None:
            self._acks[packet.id] = packet.data
        elif packet.type == PacketType.DISCONNECT:
            raise Disconnected("the server has ended the namespace")

    async def _refusal(self, message: dict[str, Any], timeout: float) -> dict[str, Any]:
        if message["type"] != "websocket.http.response.start":
            return {"message": "closed", "code": message.get("code")}
        details: dict[str, Any] = json.loads((await self.receive_output(timeout))["body"])
        return details
