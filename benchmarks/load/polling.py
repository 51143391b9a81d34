"""Sessions that begin with long-polling, and that stay with it or do not."""

from __future__ import annotations

import json

from benchmarks.load import frames
from benchmarks.load.dialects import SocketIO
from benchmarks.load.http import HTTPConnection
from benchmarks.load.websocket import WebSocket


class PollingClient:
    """A session of long-polling, on two connections as in a browser. ``text`` is what it echoes."""

    def __init__(self, polls: HTTPConnection, posts: HTTPConnection, sid: str, text: str) -> None:
        path = f"{SocketIO.path}polling&sid={sid}"
        packet = SocketIO().echo(text).request[0]
        assert isinstance(packet, str)
        self._packet = packet.encode()
        self._polls, self._posts = polls, posts
        self._get, self._post = polls.get(path), posts.post(path, packet)
        self._connect, self._leave = posts.post(path, "40"), posts.post(path, "1")

    @classmethod
    async def open(cls, port: int, text: str) -> PollingClient:
        polls, posts = await HTTPConnection.open(port), await HTTPConnection.open(port)
        opened = json.loads((await polls.ask(polls.get(SocketIO.path + "polling")))[1:])
        self = cls(polls, posts, opened["sid"], text)
        await posts.ask(self._connect)
        connected = await polls.ask(self._get)
        if not connected.startswith(b"40"):
            raise ConnectionError(repr(connected))
        return self

    async def echo(self) -> None:
        """Raises ConnectionError where anything but the echo comes back."""
        poll = self._polls.ask(self._get)
        await self._posts.ask(self._post)
        answer = await poll
        if answer != self._packet:
            raise ConnectionError(repr(answer))

    async def leave(self) -> None:
        """Close the session, then the connections."""
        poll = self._polls.ask(self._get)
        await self._posts.ask(self._leave)
        await poll
        self.close()

    def close(self) -> None:
        self._polls.close()
        self._posts.close()


async def upgraded(port: int) -> WebSocket:
    """A session that began with polling. Raises ConnectionError where the server does not agree."""
    polls, posts = await HTTPConnection.open(port), await HTTPConnection.open(port)
    try:
        opened = json.loads((await polls.ask(polls.get(SocketIO.path + "polling")))[1:])
        path = f"{SocketIO.path}polling&sid={opened['sid']}"
        poll = polls.ask(polls.get(path))
        posted = posts.ask(posts.post(path, "40"))
        socket = await WebSocket.open(port, f"{SocketIO.path}websocket&sid={opened['sid']}")
        socket.send(frames.text("2probe"))
        await posted
        # The last poll is answered with a packet that says nothing, once the probe has arrived.
        packets = await poll
        while not packets.startswith(b"40"):
            packets = await polls.ask(polls.get(path))
        if not packets.endswith(b"6"):
            await polls.ask(polls.get(path))
        if await socket.receive() != "3probe":
            raise ConnectionError("the server does not answer the probe")
        socket.send(frames.text("5"))
        return socket
    finally:
        polls.close()
        posts.close()
