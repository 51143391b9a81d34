"""A small raw client of Engine.IO: HTTP and WebSocket, no Socket.IO library.

What it returns is already normalised: session ids, our own tags and our own host are replaced,
header names are lower case, a cookie's attributes are sorted, and a close without a code is the
same as code 1000 (ASGI cannot send a close without a code).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import time
import zlib
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect as websocket_connect

DEADLINE = 5.0
RECORD_SEPARATOR = "\x1e"
POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"

S = TypeVar("S", bound="Server")
W = TypeVar("W", bound="WebSocket")

_SHOWN_HEADERS = ("content-type", "cache-control", "set-cookie", "vary", "content-encoding")
_SID = re.compile(r'("sid":\s*")[^"]*(")')
_TAG = re.compile(r"tag-\d+")
_COOKIE_SID = re.compile(r"^([^=]+)=[^;]*")
_OWN_HOST = re.compile(r"127\.0\.0\.1:\d+")
_tags = itertools.count(1)


def normal(text: str) -> str:
    """``text`` with every session id, and our own tags, replaced."""
    return _TAG.sub("tag-*", _SID.sub(r"\1*\2", text))


def _shown_headers(headers: Any) -> dict[str, str]:
    shown = {}
    for name, value in headers:
        name = name.lower()
        if name in _SHOWN_HEADERS or name.startswith("access-control-"):
            if name == "set-cookie":
                # The order of a cookie's attributes means nothing.
                first, *attributes = _COOKIE_SID.sub(r"\1=*", value).split("; ")
                value = "; ".join([first, *sorted(attributes)])
            value = _OWN_HOST.sub("OWN", value)
            shown[name] = f"{shown[name]} | {value}" if name in shown else value
    return dict(sorted(shown.items()))


class Reply:
    """An HTTP answer."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self._all_headers = headers
        self._raw = body
        encoding = self.headers.get("content-encoding")
        if encoding in ("gzip", "deflate"):
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
        return [normal(packet) for packet in self.text.split(RECORD_SEPARATOR)]

    def show(self, *, headers: bool = False) -> dict[str, Any]:
        """Status, body and, where asked for, the headers that matter."""
        shown: dict[str, Any] = {"status": self.status}
        if headers:
            shown.update(_shown_headers(self._all_headers))
        else:
            shown["type"] = self.headers.get("content-type")
        if self.text.startswith("{"):
            shown["json"] = json.loads(self.text)
        elif self.text:
            shown["packets"] = self.packets
        return shown


class Request:
    """A request under way: sent at once, its answer read when asked for."""

    def __init__(
        self,
        port: int,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        declared_length: int | None = None,
    ) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        if isinstance(body, str):
            body = body.encode()
        self._connection.putrequest(method, target, skip_accept_encoding=True)
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "text/plain;charset=UTF-8")
            headers["Content-Length"] = str(
                len(body) if declared_length is None else declared_length
            )
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        if body:
            self.send(body)

    def send(self, body: bytes | str) -> None:
        # A server may refuse and hang up while we still write: the answer is what counts.
        with contextlib.suppress(ConnectionError):
            self._connection.send(body.encode() if isinstance(body, str) else body)

    def abort(self) -> None:
        self._connection.close()

    def read(self, timeout: float = DEADLINE) -> Reply | None:
        """The answer; None when the server hung up without one."""
        try:
            assert self._connection.sock is not None
            self._connection.sock.settimeout(timeout)
            response = self._connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        except TimeoutError:
            raise
        except (HTTPException, ConnectionError):
            return None
        finally:
            self._connection.close()

    def show(self, timeout: float = DEADLINE, *, headers: bool = False) -> Any:
        try:
            reply = self.read(timeout)
        except TimeoutError:
            return "no answer in time"
        return "hung up" if reply is None else reply.show(headers=headers)


class Server:
    """One running server, the Node one or ours, and what a scenario has opened to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._opened = contextlib.ExitStack()

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def start(
        self,
        method: str,
        query: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        *,
        path: str = "/socket.io/",
        declared_length: int | None = None,
    ) -> Request:
        target = f"{path}?{query}" if query else path
        request = Request(self.port, method, target, body, headers, declared_length)
        self._opened.callback(request.abort)
        return request

    def request(self, method: str, query: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request and show its answer without headers."""
        return self.start(method, query, *args, **kwargs).show()

    def fence(self) -> None:
        """Return once the server has handled what was sent to it before."""
        for _ in range(2):
            reply = Request(self.port, "GET", "/log?tag=fence").read()
            assert reply is not None
            assert reply.status == 200

    def log(self, tag: str, kind: str | None = None) -> list[Any]:
        """What the application saw of the sockets with that tag.

        With ``kind``: wait for an entry of that kind, or until the deadline has passed.
        """
        deadline = time.monotonic() + DEADLINE
        while True:
            # What came before this is in the answer, and so is what it led to.
            self.fence()
            reply = Request(self.port, "GET", f"/log?tag={tag}").read()
            assert reply is not None
            entries: list[Any] = json.loads(reply.text)
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
        opened = WebSocket(self.port, query, headers)
        self._opened.callback(opened.close)
        return opened


class Polling:
    """A session over HTTP long-polling."""

    def __init__(self, server: Server, query: str, headers: dict[str, str] | None) -> None:
        self.server = server
        self.headers = headers
        opened = server.start("GET", f"{POLLING}{query}", headers=headers).read()
        assert opened is not None
        assert opened.status == 200, opened.show()
        self.opened = opened
        self.handshake: dict[str, Any] = json.loads(opened.text[1:])
        self.sid: str = self.handshake["sid"]
        self.query = f"{POLLING}&sid={self.sid}"
        self._fences = itertools.count(9000)

    def start_get(self, headers: dict[str, str] | None = None, *, fence: bool = True) -> Request:
        """A poll that the server has received (it may well wait for a packet)."""
        request = self.server.start(
            "GET", self.query, headers={**(self.headers or {}), **(headers or {})}
        )
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
        return self.server.request(
            "POST", self.query, body, {**(self.headers or {}), **(headers or {})}
        )

    def poll(self, count: int, timeout: float = DEADLINE) -> list[str]:
        """Poll until ``count`` packets are there; an answer that is no payload ends it."""
        packets: list[str] = []
        while len(packets) < count:
            reply = self.start_get(fence=False).read(timeout)
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
            reply = self.start_get(fence=False).read()
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
            reply = self.start_get(fence=False).read()
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

    def __init__(self, port: int, query: str, headers: dict[str, str] | None = None) -> None:
        self.refused: Any = None
        self._socket: Any = None
        self._opened = contextlib.ExitStack()
        self._fences = itertools.count(9000)
        try:
            self._socket = self._opened.enter_context(
                websocket_connect(
                    f"ws://127.0.0.1:{port}/socket.io/?{query}",
                    sock=socket.create_connection(("127.0.0.1", port), DEADLINE),
                    additional_headers=headers,
                    compression=None,
                    max_size=None,
                    open_timeout=DEADLINE,
                    close_timeout=1,
                )
            )
        except InvalidStatus as error:
            response = error.response
            self.refused = Reply(
                response.status_code, list(response.headers.raw_items()), response.body or b""
            ).show()
        except (InvalidHandshake, EOFError, ConnectionError):
            self.refused = "hung up"

    def __enter__(self: W) -> W:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def accept_headers(self) -> dict[str, str]:
        return _shown_headers(self._socket.response.headers.raw_items())

    def close(self) -> None:
        self._opened.close()

    def close_with(self, code: int) -> None:
        self._socket.close(code)

    def drop(self) -> None:
        """Go without a closing handshake."""
        self._socket.socket.shutdown(socket.SHUT_RDWR)

    def send(self, *frames: str | bytes) -> None:
        for frame in frames:
            # The server may have closed already: what it said is read with receive().
            with contextlib.suppress(ConnectionClosed):
                self._socket.send(frame)

    def receive(self, timeout: float = DEADLINE) -> Any:
        """The next frame, ``{"closed": code}`` or ``"silence"``."""
        if self._socket is None:
            return {"refused": self.refused}
        try:
            frame = self._socket.recv(timeout=timeout)
        except TimeoutError:
            return "silence"
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
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
        if self._socket is None:
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
        frame = self._socket.recv(timeout=DEADLINE)
        data: dict[str, Any] = json.loads(frame[1:])
        return data

    def connect(self, packet: str = "40") -> Any:
        self.send(packet)
        return self.receive()
