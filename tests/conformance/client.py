"""A small raw client of Engine.IO: HTTP and WebSocket, no Socket.IO library.

What it returns is already normalised: session ids, our own tags and our own host are replaced,
header names are lower case, a cookie's attributes are sorted, and a close without a code is the
same as code 1000 (ASGI cannot send a close without a code).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import re
import socket
import time
import zlib
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any

from websockets.exceptions import InvalidHandshake, InvalidStatus

from tests.harness import wire
from tests.harness.protocol import WEBSOCKET, Closed

DEADLINE = 5.0

_SHOWN_HEADERS = ("content-type", "cache-control", "set-cookie", "vary", "content-encoding")
_SID = re.compile(r'("sid":\s*")[^"]*(")')
_TAG = re.compile(r"tag-\d+")
_COOKIE_SID = re.compile(r"^([^=]+)=[^;]*")
_OWN_HOST = re.compile(r"127\.0\.0\.1:\d+")
_tags = itertools.count(1)


def normal(text: str) -> str:
    """``text`` with every session id, and our own tags, replaced."""
    return _TAG.sub("tag-*", _SID.sub(r"\1*\2", text))


def shown_headers(headers: Any) -> dict[str, str]:
    shown: dict[str, Any] = {}
    for name, value in headers:
        name = name.lower()
        if name in _SHOWN_HEADERS or name.startswith("access-control-"):
            if name == "set-cookie":
                # The order of a cookie's attributes means nothing.
                first, *attributes = _COOKIE_SID.sub(r"\1=*", value).split("; ")
                value = "; ".join([first, *sorted(attributes)])
            value = _OWN_HOST.sub("OWN", value)
            between = ", " if name == "vary" else " | "  # two lines mean the same as one
            shown[name] = f"{shown[name]}{between}{value}" if name in shown else value
    return dict(sorted(shown.items()))


class Reply:
    """An HTTP answer."""

    def __init__(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self._all_headers = list(headers)
        self.headers = {name.lower(): value for name, value in self._all_headers}
        if self.headers.get("content-encoding") in ("gzip", "deflate"):
            body = zlib.decompress(body, 47)
        self.text = body.decode("utf-8")

    @property
    def brief(self) -> str:
        """Status, and the protocol's message where there is one."""
        if self.text.startswith('{"code"'):
            return f"{self.status} {json.loads(self.text)['message']}"
        return f"{self.status} {self.text}"

    @property
    def packets(self) -> list[str]:
        return [normal(packet) for packet in self.text.split("\x1e")]

    def show(self, *, headers: bool = False) -> dict[str, Any]:
        """Status, body and, where asked for, the headers that matter."""
        shown: dict[str, Any] = {"status": self.status}
        if headers:
            shown.update(shown_headers(self._all_headers))
        else:
            shown["type"] = self.headers.get("content-type")
        if self.text.startswith("{"):
            shown["json"] = json.loads(self.text)
        elif self.text:
            shown["packets"] = self.packets
        return shown


def reply_of(answer: wire.Answer) -> Reply:
    return Reply(answer.status, answer.headers.items(), answer.body)


class Request(wire.Request):
    """A request under way, whose answer may be that there is none."""

    def reply(self, timeout: float = DEADLINE) -> Reply | None:
        """The answer; None when the server hung up without one. Raises TimeoutError."""
        try:
            return reply_of(self.read(timeout))
        except (HTTPException, ConnectionError):
            return None

    def show(self, timeout: float = DEADLINE, *, headers: bool = False) -> Any:
        try:
            reply = self.reply(timeout)
        except TimeoutError:
            return "no answer in time"
        return "hung up" if reply is None else reply.show(headers=headers)


class Side:
    """One of the two servers, the Node one or ours, and what a scenario has opened to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Side:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def start(
        self,
        method: str,
        query: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Request:
        if body is not None:
            headers = {"Content-Type": "text/plain;charset=UTF-8", **(headers or {})}
        request = Request(self, query, method, body, headers, **options)
        self._opened.callback(request.abort)
        return request

    def request(self, method: str, query: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request and show its answer without headers."""
        return self.start(method, query, *args, **kwargs).show()

    def fence(self) -> None:
        """Return once the server has handled what was sent to it before."""
        for _ in range(2):
            assert wire.ask(self, "tag=fence", path="/log").status == 200

    def log(self, tag: str, kind: str | None = None) -> list[Any]:
        """What the application saw of the sockets with that tag.

        With ``kind``: wait for an entry of that kind, or until the deadline has passed.
        """
        deadline = time.monotonic() + DEADLINE
        while True:
            # What came before this is in the answer, and so is what it led to.
            self.fence()
            entries: list[Any] = wire.ask(self, f"tag={tag}", path="/log").json
            if kind is None or any(entry[0] == kind for entry in entries):
                return entries
            if time.monotonic() > deadline:
                return entries
            time.sleep(0.01)

    def tag(self) -> str:
        return f"tag-{next(_tags)}"

    def polling(self, query: str = "", headers: dict[str, str] | None = None) -> Polling:
        return Polling(self, query, headers)

    def websocket(
        self, query: str = WEBSOCKET, *, headers: dict[str, str] | None = None
    ) -> WebSocket:
        opened = WebSocket(self, query, headers)
        self._opened.callback(opened.close)
        return opened


class Polling:
    """A session over HTTP long-polling."""

    def __init__(self, server: Side, query: str, headers: dict[str, str] | None) -> None:
        raw = wire.Poller(server, headers, query)
        self.server = server
        self.headers = raw.headers
        self.opened = reply_of(raw.opened)
        self.handshake, self.sid, self.query = raw.handshake, raw.id, raw.query
        self._fences = itertools.count(9000)

    def start_get(self, headers: dict[str, str] | None = None, *, fence: bool = True) -> Request:
        """A poll that the server has received (it may well wait for a packet)."""
        request = self.server.start("GET", self.query, headers={**self.headers, **(headers or {})})
        if fence:
            self.server.fence()
        return request

    def get(self, timeout: float = DEADLINE) -> Any:
        return self.start_get(fence=False).show(timeout)

    def start_post(self, body: bytes | str, declared_length: int | None = None) -> Request:
        return self.server.start(
            "POST", self.query, body, self.headers, declared_length=declared_length
        )

    def post(self, body: bytes | str, headers: dict[str, str] | None = None) -> Any:
        return self.server.request("POST", self.query, body, {**self.headers, **(headers or {})})

    def poll(self, count: int, timeout: float = DEADLINE) -> list[str]:
        """Poll until ``count`` packets are there; an answer that is no payload ends it."""
        packets: list[str] = []
        while len(packets) < count:
            reply = self.start_get(fence=False).reply(timeout)
            if reply is None or reply.status != 200:
                packets.append("hung up" if reply is None else reply.brief)
                break
            packets.extend(reply.packets)
        return packets

    def connect(self, packet: str = "40") -> str:
        """Join a namespace; the server's answer."""
        posted = self.post(packet)
        assert posted["status"] == 200, posted
        return self.poll(1)[0]

    def fate(self) -> str:
        """Whether the server still knows the session, asked with a packet nobody minds."""
        posted = self.post("3")
        if posted == "hung up":
            return "hung up"
        if posted["status"] == 200:
            return "lives"
        return str(posted.get("json", {}).get("message", posted["status"]))

    def rest(self) -> list[str]:
        """Poll until the session is gone: all packets but noops, then the last answer.

        How packets are spread over polls is a matter of timing, and a noop says nothing.
        """
        packets: list[str] = []
        while True:
            reply = self.start_get(fence=False).reply()
            if reply is None:
                return [*packets, "hung up"]
            if reply.status != 200:
                return [*packets, reply.brief]
            packets.extend(packet for packet in reply.packets if packet != "6")

    def answers(self, namespace: str = "") -> Any:
        """The packets that come before the answer to an echo, or how the session ended."""
        ident = next(self._fences)
        posted = self.post(f'42{namespace}{ident}["echo"]')
        packets: list[str] = []
        if posted == "hung up" or posted["status"] != 200:
            return [posted]
        while True:
            reply = self.start_get(fence=False).reply()
            if reply is None:
                return [*packets, "hung up"]
            if reply.status != 200:
                return [*packets, reply.brief]
            for packet in reply.packets:
                if packet == f"43{namespace}{ident}[]":
                    return [*packets, "lives"]
                packets.append(packet)


class WebSocket:
    """A WebSocket; ``refused`` holds the HTTP answer where the server did not accept."""

    def __init__(self, server: Side, query: str, headers: dict[str, str] | None = None) -> None:
        self.refused: Any = None
        self._peer: wire.Peer | None = None
        self._fences = itertools.count(9000)
        try:
            self._peer = wire.Peer(server, query, headers, pongs=False)
        except InvalidStatus as error:
            response = error.response
            self.refused = Reply(
                response.status_code, response.headers.raw_items(), bytes(response.body or b"")
            ).show()
        except (InvalidHandshake, EOFError, ConnectionError):
            self.refused = "hung up"

    def __enter__(self) -> WebSocket:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def peer(self) -> wire.Peer:
        assert self._peer is not None, self.refused
        return self._peer

    @property
    def accept_headers(self) -> dict[str, str]:
        response = self.peer.websocket.response
        assert response is not None
        return shown_headers(response.headers.raw_items())

    def close(self) -> None:
        if self._peer is not None:
            self._peer.leave()

    def close_with(self, code: int) -> None:
        self.peer.websocket.close(code)

    def drop(self) -> None:
        """Go without a closing handshake."""
        self.peer.websocket.socket.shutdown(socket.SHUT_RDWR)

    def send(self, *frames: str | bytes) -> None:
        self.peer.send(*frames)

    def receive(self, timeout: float = DEADLINE) -> Any:
        """The next frame, ``{"closed": code}`` or ``"silence"``."""
        if self._peer is None:
            return {"refused": self.refused}
        try:
            frame = self._peer.next(timeout)
        except queue.Empty:
            return "silence"
        except Closed:
            code = self._peer.websocket.close_code
            return {"closed": 1000 if code == 1005 else code}
        return normal(frame) if isinstance(frame, str) else {"bytes": frame.hex()}

    def frames(self, count: int = 1_000, timeout: float = DEADLINE) -> list[Any]:
        """The next ``count`` frames, or all until the server closes."""
        frames: list[Any] = []
        while len(frames) < count:
            frames.append(self.receive(timeout))
            if not isinstance(frames[-1], str) and "bytes" not in frames[-1]:
                break
            if frames[-1] == "silence":
                break
        return frames

    def answers(self, namespace: str = "") -> list[Any]:
        """The frames that come before the answer to an echo, or how the session ended."""
        if self._peer is None:
            return [{"refused": self.refused}]
        ident = next(self._fences)
        self.send(f'42{namespace}{ident}["echo"]')
        frames: list[Any] = []
        while True:
            frame = self.receive()
            if frame == f"43{namespace}{ident}[]":
                return [*frames, "lives"]
            frames.append(frame)
            if frame == "silence" or (isinstance(frame, dict) and "bytes" not in frame):
                return frames

    def open(self) -> dict[str, Any]:
        """The handshake packet's data."""
        return self.peer.handshake()

    def connect(self, packet: str = "40") -> Any:
        self.send(packet)
        return self.receive()
