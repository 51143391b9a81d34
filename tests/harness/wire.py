"""Raw clients over real connections: they say exactly what a test tells them to.

Each takes a `server`, which is anything that has a `port`.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.harness.protocol import PATH, POLLING, WEBSOCKET, Closed, connect_packet, sid_of
from tests.harness.waiting import DEADLINE

Headers = Mapping[str, str]
Body = bytes | str | Iterator[bytes] | None


class Listening(Protocol):
    """A server, or a proxy before some."""

    @property
    def port(self) -> int: ...


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def packets(self) -> list[str]:
        """The packets of a poll's answer."""
        return self.text.split("\x1e")


class Request:
    """An HTTP request under way: sent at once, its answer read when asked for.

    A body in pieces is sent in chunks, without a length. `source` is the address that it comes
    from, such as "127.0.0.2".
    """

    def __init__(
        self,
        server: Listening,
        query: str = POLLING,
        method: str = "GET",
        body: Body = None,
        headers: Headers | None = None,
        *,
        path: str = PATH,
        declared_length: int | None = None,
        source: str | None = None,
    ) -> None:
        if isinstance(body, str):
            body = body.encode()
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", server.port, DEADLINE, (source, 0) if source else None
        )
        target = f"{path}?{query}" if query else path
        self._connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            self._connection.putheader(name, value)
        if body is None:
            self._connection.endheaders()
        elif isinstance(body, bytes):
            length = len(body) if declared_length is None else declared_length
            self._connection.putheader("Content-Length", str(length))
            self._connection.endheaders()
            self.send(body)
        else:
            self._connection.putheader("Transfer-Encoding", "chunked")
            with suppress(ConnectionError):
                self._connection.endheaders(body, encode_chunked=True)

    def __enter__(self) -> Request:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *details: object) -> None:
        self.abort()

    def send(self, body: bytes | str) -> None:
        """Send more of the body; a server may answer, and close, before it has all of it."""
        with suppress(ConnectionError):
            self._connection.send(body.encode() if isinstance(body, str) else body)

    def read(self, timeout: float = DEADLINE) -> Answer:
        """Wait for the answer, and end the connection."""
        with self:
            assert self._connection.sock is not None
            self._connection.sock.settimeout(timeout)
            response = self._connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def abort(self) -> None:
        self._connection.close()


def ask(server: Listening, *request: Any, **options: Any) -> Answer:
    """Make a :class:`Request` and read its answer."""
    return Request(server, *request, **options).read()


class Poller:
    """A client that polls. ``id`` is its session's, ``sid`` that of its socket."""

    def __init__(
        self,
        server: Any,
        headers: Headers | None = None,
        query: str = "",
        source: str | None = None,
    ) -> None:
        self.server = server
        self.headers = dict(headers or {})
        self.source = source
        self.sid = ""
        self.opened = ask(server, POLLING + query, headers=self.headers, source=source)
        assert self.opened.status == 200, self.opened
        self.handshake: dict[str, Any] = json.loads(self.opened.body[1:])
        self.id: str = self.handshake["sid"]

    @property
    def query(self) -> str:
        return f"{POLLING}&sid={self.id}"

    def start(
        self, method: str = "GET", body: Any = None, headers: Headers | None = None
    ) -> Request:
        """A request of this session, whose answer comes in its own time."""
        headers = {**self.headers, **(headers or {})}
        return Request(self.server, self.query, method, body, headers, source=self.source)

    def ask(self, *request: Any, **options: Any) -> Answer:
        return self.start(*request, **options).read()

    def poll(self) -> list[str]:
        answer = self.ask()
        assert answer.status == 200, answer
        return answer.packets

    def post(self, *packets: str) -> Answer:
        return self.ask("POST", "\x1e".join(packets))

    def join(self, namespace: str = "/") -> str:
        """Connect to a namespace; the socket's sid."""
        assert self.post(connect_packet(namespace)).status == 200
        (packet,) = self.poll()
        self.sid = sid_of(packet, namespace)
        return self.sid

    def is_gone(self) -> bool:
        """Whether the server knows the session no more."""
        answer = self.post("3")
        return answer.status == 400 and bool(answer.json["code"] == 1)

    @contextmanager
    def waiting_poll(self) -> Iterator[Request]:
        """A poll that the server has got and does not answer yet."""
        with self.start() as poll:
            self.server.until(lambda state: self.id in state["polled"], "the poll to wait")
            yield poll


class Peer:
    """A client on a WebSocket. A thread reads what comes and answers pings, unless told not to."""

    def __init__(
        self,
        server: Listening,
        query: str = WEBSOCKET,
        headers: Headers | None = None,
        compression: str | None = None,
        pongs: bool = True,
        source: str | None = None,
    ) -> None:
        self.server = server
        self.sid = ""
        self.pongs = pongs
        self._ids = 0
        self._frames: queue.SimpleQueue[str | bytes | None] = queue.SimpleQueue()
        self._ended = False
        self._pings: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.websocket = connect(
            f"ws://127.0.0.1:{server.port}{PATH}?{query}",
            proxy=None,
            additional_headers=dict(headers or {}),
            compression=compression,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
            open_timeout=DEADLINE,
            source_address=(source, 0) if source else None,
        ).__enter__()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(ConnectionClosed, OSError):
            for frame in self.websocket:
                if frame == "2" and self.pongs:
                    self.websocket.send("3")
                    self._pings.put(None)
                else:
                    self._frames.put(frame)
        self._frames.put(None)

    def __enter__(self) -> Peer:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *details: object) -> None:
        self.leave()

    def send(self, *frames: str | bytes) -> None:
        """Send frames; a connection that the server has closed meanwhile is not an error."""
        with suppress(ConnectionClosed, OSError):
            for frame in frames:
                self.websocket.send(frame)

    def next(self, deadline: float = DEADLINE) -> str | bytes:
        """The next frame. Raises Closed, or queue.Empty when nothing comes."""
        if self._ended:
            raise Closed
        frame = self._frames.get(timeout=deadline)
        if frame is None:
            self._ended = True
            raise Closed(self.websocket.close_code)
        return frame

    def handshake(self) -> dict[str, Any]:
        """Read the OPEN packet."""
        frame = self.next()
        assert isinstance(frame, str)
        assert frame[0] == "0"
        handshake: dict[str, Any] = json.loads(frame[1:])
        return handshake

    def join(self, namespace: str = "/", auth: Any = None) -> Peer:
        """Connect to a namespace."""
        self.send(connect_packet(namespace, auth))
        self.sid = sid_of(self.next(), namespace)
        return self

    def emit(self, *event: Any) -> None:
        self.send("42" + json.dumps(event))

    def call(self, *event: Any) -> Any:
        """Emit and wait for the acknowledgement: its arguments. Other frames are passed over."""
        self._ids += 1
        self.send(f"42{self._ids}" + json.dumps(event))
        head = f"43{self._ids}["
        while True:
            frame = self.next()
            if isinstance(frame, str) and frame.startswith(head):
                return json.loads(frame[len(head) - 1 :])

    def echoes(self) -> bool:
        """Whether the server still serves this client."""
        word = os.urandom(8).hex()
        return bool(self.call("echo", word) == [word])

    def frames_until_closed(self, deadline: float = DEADLINE) -> list[str | bytes]:
        """What still comes before the server closes the WebSocket; queue.Empty if it does not."""
        frames: list[str | bytes] = []
        with suppress(Closed):
            while True:
                frames.append(self.next(deadline))
        return frames

    def until_pinged(self, times: int) -> None:
        """Wait for the next pings, and so for some time to go by."""
        while not self._pings.empty():
            self._pings.get()
        for _ in range(times):
            self._pings.get(timeout=DEADLINE)

    def close_code(self, deadline: float = DEADLINE) -> int | None:
        """Wait until the server has closed, and return its close code."""
        self.frames_until_closed(deadline)
        return self.websocket.close_code

    def leave(self) -> None:
        """Close the WebSocket properly."""
        self.websocket.close()
        self._reader.join(DEADLINE)

    def drop(self) -> None:
        """Break the connection."""
        reset(self.websocket.socket)
        self._reader.join(DEADLINE)


def open_peer(server: Listening, namespace: str = "/", **options: Any) -> Peer:
    """A :class:`Peer` that has connected to a namespace."""
    peer = Peer(server, **options)
    peer.handshake()
    return peer.join(namespace)


# Below HTTP and WebSocket


def open_socket(
    server: Listening, receive_buffer: int | None = None, source: str | None = None
) -> socket.socket:
    """A TCP connection; with a small ``receive_buffer`` little fits between the two ends."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(DEADLINE)
    if source is not None:
        sock.bind((source, 0))
    sock.connect(("127.0.0.1", server.port))
    return sock


def reset(sock: socket.socket) -> None:
    """Drop a connection with a TCP reset."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        # Another thread may wait in recv(), and would keep the connection open.
        sock.shutdown(socket.SHUT_RD)
    sock.close()


def read_answer(sock: socket.socket) -> Answer:
    """Read one HTTP answer."""
    response = http.client.HTTPResponse(sock)
    response.begin()
    try:
        return Answer(response.status, response.headers, response.read())
    finally:
        response.close()


def flood(server: Listening, number: int, source: str) -> Counter[int]:
    """Make handshakes on one connection, fifty at a time; how often each status was answered."""
    request = f"GET {PATH}?{POLLING} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    statuses: Counter[int] = Counter()
    with open_socket(server, source=source) as sock:
        for sent in range(0, number, 50):
            sock.sendall(request * min(50, number - sent))
            rest = b""
            while statuses.total() < min(sent + 50, number):
                chunk = sock.recv(65536)
                assert chunk, f"closed after {statuses}"
                rest += chunk
                found = list(re.finditer(rb"HTTP/1\.1 (\d+)", rest))
                statuses.update(int(match[1]) for match in found)
                rest = rest[found[-1].end() :] if found else rest
    return statuses


def upgrade_request(query: str = WEBSOCKET, headers: str = "") -> bytes:
    """The request that asks for a WebSocket."""
    return (
        f"GET {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{headers}\r\n"
    ).encode()


def raw_websocket(
    server: Listening, query: str = WEBSOCKET, receive_buffer: int | None = None, headers: str = ""
) -> socket.socket:
    """A WebSocket on a bare TCP connection; what follows the server's agreement is not read."""
    sock = open_socket(server, receive_buffer)
    sock.sendall(upgrade_request(query, headers))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, head
        head += byte
    assert head.startswith(b"HTTP/1.1 101"), head
    return sock


def frame(payload: bytes, first_byte: int = 0x81, masked: bool = True) -> bytes:
    """A WebSocket frame as RFC 6455 has it, or not, by its ``first_byte``."""
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([first_byte, mask_bit | size])
    elif size < 65536:
        head = bytes([first_byte, mask_bit | 126]) + struct.pack("!H", size)
    else:
        head = bytes([first_byte, mask_bit | 127]) + struct.pack("!Q", size)
    # A mask of zeros leaves the payload as it is.
    return head + (b"\0\0\0\0" if masked else b"") + payload


def read_to_close(sock: socket.socket) -> bytes:
    """Everything until a close frame without a reason, or the end of the connection."""
    received = b""
    with suppress(ConnectionError):
        while received[-4:-2] != b"\x88\x02" and (chunk := sock.recv(65536)):
            received += chunk
    return received


def read_to_end(sock: socket.socket) -> bytes:
    """Everything until the other end closes, by whatever means."""
    received = b""
    with suppress(ConnectionError):
        while chunk := sock.recv(65536):
            received += chunk
    return received
