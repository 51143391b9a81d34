"""Requests that reach the wrong process: carried to the session's owner over the bus.

What is carried is ASGI itself. The process that was asked (the *gate*) opens a tunnel to the
owner; the owner runs the same transport code as for its own requests, with a ``receive`` and a
``send`` that go through the tunnel. So a poll, a POST and an upgrade behave there as they do at
home: one order, the same flow control, the same heartbeats.

Each direction has a window: who sends waits when so many bytes have not been taken. A loss on the
layer shows in the bus's sequence numbers, and ends all tunnels between the two processes: their
sessions are closed and the clients reconnect, rather than miss a message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from ..engineio.packets import PacketType
from ..engineio.session import PROBE_PONG
from ..runtime.patience import Patience
from ..stats import counters
from . import Kind

if TYPE_CHECKING:
    from .network import Network

# Bytes that may be on their way in one direction.
WINDOW = 1_000_000
# A gate that has heard nothing for so long takes the owner for dead ("Session ID unknown").
FIRST_ANSWER = 0.8
# How long a gate waits for one that is slow, but not dead.
PATIENCE = 5.0
# An owner that cannot answer at once says so after this time.
ALIVE_AFTER = 0.2
# How long the receipt for an HTTP answer may take.
RECEIPT_TIMEOUT = 5.0
# What the ASGI receive of a carried poll says when its gate wants it answered.
RELEASE = "django_socketio.release"
# What the owner says to a WebSocket that probes.
_PONG = ["text", PROBE_PONG.data]
# What each message counts for beside its data.
OVERHEAD = 64

# The parts of a scope that the owner needs.
_SCOPE: dict[str, type] = {
    "type": str,
    "method": str,
    "path": str,
    "query_string": bytes,
    "scheme": str,
    "http_version": str,
}

Message = list[Any]


class OwnerGone(ConnectionError):
    """The process that owns a session does not answer."""


class End:
    """One end of a tunnel: messages that have come, and the window for those that go."""

    # The operations that this end sends: a message, and that it has taken some.
    message_kind: Kind
    taken_kind: Kind

    def __init__(self, tunnels: Tunnels, node: str, number: int) -> None:
        self.node = node
        self.number = number
        self.broken = False
        self._tunnels = tunnels
        self._came: deque[tuple[Message, int]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._on_the_way = 0
        self._room: asyncio.Future[None] | None = None
        self._taken = 0

    async def put(self, message: Message, size: int) -> None:
        """Send a message to the other end; waits, with the message sent, while the window is full.

        Raises ConnectionError where the tunnel is broken.
        """
        if self.broken:
            raise ConnectionError("the tunnel is broken")
        self._on_the_way += size + OVERHEAD
        self._tunnels.send(self.node, [self.message_kind, self.number, message], size)
        while self._on_the_way > WINDOW and not self.broken:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        if self.broken:
            raise ConnectionError("the tunnel is broken")

    async def get(self) -> Message:
        """The next message from the other end. Raises ConnectionError for a broken tunnel."""
        message, size = await self.next()
        self.taken(size)
        return message

    async def next(self) -> tuple[Message, int]:
        """The same, with its size; it counts as taken only when :meth:`taken` is called."""
        while not self._came:
            if self.broken:
                raise ConnectionError("the tunnel is broken")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._came.popleft()

    def taken(self, size: int) -> None:
        """Tell the other end, now and then, how much has been taken."""
        self._taken += size + OVERHEAD
        if self._taken > WINDOW // 4:
            self.acknowledge()

    def acknowledge(self) -> None:
        """Tell the other end how much has been taken."""
        taken, self._taken = self._taken, 0
        if taken:
            self._tunnels.tell(self.node, [self.taken_kind, self.number, taken])

    async def received(self, timeout: float) -> None:
        """Wait until the other end has taken everything. Raises ConnectionError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while self._on_the_way > 0:
            if self.broken or loop.time() >= deadline:
                raise ConnectionError("an answer was lost")
            self._room = loop.create_future()
            timer = loop.call_at(deadline, self._wake)
            try:
                await self._room
            finally:
                timer.cancel()

    # Called by the bus

    def came(self, message: Message, size: int) -> None:
        """A message has arrived. After a break nothing counts: it would be the one behind a gap."""
        if self.broken:
            return
        self._came.append((message, size))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def credit(self, size: int) -> None:
        """The other end has taken so many bytes."""
        self._on_the_way -= size
        self._wake()

    def alive(self) -> None:
        """The other end is there, and takes its time."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self) -> None:
        """The tunnel is broken."""
        self.broken = True
        self.alive()
        self._wake()

    def _wake(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)


class Tunnels:
    """All tunnels of this process: those it is the gate of, and those it is the owner in."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._numbers = count(1)
        self._gates: dict[int, Gate] = {}
        self._owners: dict[tuple[str, int], Owner] = {}
        # Set once this process ends; the event when one of its gates has closed.
        self.closing = False
        self._closed = asyncio.Event()
        # Runs a transport for a request that has come through a tunnel; set by the door.
        self.serve: Callable[[dict[str, Any], Any, Any], Awaitable[None]] | None = None

    def __len__(self) -> int:
        return len(self._gates) + len(self._owners)

    def nodes(self) -> set[str]:
        """The processes at the other ends."""
        return {gate.node for gate in self._gates.values()} | {node for node, _ in self._owners}

    def send(self, node: str, operation: list[Any], size: int = 0) -> None:
        """Send an operation to the other end."""
        if self._network.to_node(node, operation, size) is None:
            raise ConnectionError("the process is not known any more")

    def heard(self, node: str, since: float) -> bool:
        """Whether a process has said anything since then."""
        return self._network.peers.last_sign(node) >= since

    def tell(self, node: str, operation: list[Any]) -> None:
        """Send an operation that does not matter any more when the other end is gone."""
        self._network.to_node(node, operation)

    async def open(self, scope: dict[str, Any], owner: str, body: bytes | None) -> Gate:
        """Open a tunnel for a request. Raises OwnerGone for an owner that is not there."""
        if not await self._network.meet(owner):
            raise OwnerGone
        number = next(self._numbers)
        gate = Gate(self, owner, number)
        gate.is_http = scope["type"] == "http"
        self._gates[number] = gate
        carried = {key: scope[key] for key in _SCOPE if key in scope}
        carried["headers"] = [list(pair) for pair in scope["headers"]]
        carried["client"] = list(scope.get("client") or ("", 0))
        carried["refusable"] = "websocket.http.response" in scope.get("extensions", {})
        self.send(owner, [Kind.OPEN, number, carried, body], len(body or b"") + 1000)
        if self.closing and gate.is_http:
            gate.release()
        return gate

    def close(self, gate: Gate, abort: bool) -> None:
        """The gate's side is over; with ``abort`` the owner is told that the client has gone."""
        self._closed.set()
        if self._gates.pop(gate.number, None) is not None and abort:
            self._network.to_node(gate.node, [Kind.ABORT, gate.number])

    def lost(self, node: str) -> None:
        """Messages of a process are missing, or it is gone: nothing more can be promised."""
        for gate in [gate for gate in self._gates.values() if gate.node == node]:
            gate.fail()
        for key, owner in list(self._owners.items()):
            if key[0] == node:
                owner.fail()

    def release(self) -> None:
        """This process ends: have the polls that wait here answered, so that they go elsewhere."""
        self.closing = True
        for gate in self._gates.values():
            if gate.is_http:
                gate.release()

    async def released(self) -> None:
        """Wait until that has happened."""
        while any(gate.is_http for gate in self._gates.values()):
            self._closed.clear()
            await self._closed.wait()

    @property
    def leaving(self) -> bool:
        """Whether this process was told to end."""
        return self._network.hub.leaving

    @property
    def probing(self) -> bool:
        """Whether a WebSocket is being carried that is not its session's transport yet."""
        return any(gate.probing for gate in self._gates.values())

    def lost_all(self) -> None:
        """This process ends, or was silent for so long that the others have given it up."""
        for node in self.nodes():
            self.lost(node)

    # What comes in

    def on_open(
        self, sender: str, number: int, carried: dict[str, Any], body: bytes | None
    ) -> None:
        """Another process has a request for one of our sessions."""
        plain = {key: carried[key] for key in _SCOPE if key in carried}
        headers = [(name, value) for name, value in carried["headers"]]
        if (
            plain["type"] not in ("http", "websocket")
            or not all(isinstance(value, _SCOPE[key]) for key, value in plain.items())
            or not all(isinstance(item, bytes) for pair in headers for item in pair)
        ):
            raise ValueError("not a scope")
        scope = {
            **plain,
            "headers": headers,
            "client": tuple(carried["client"]),
            "extensions": {"websocket.http.response": {}} if carried.get("refusable") else {},
            "asgi": {"version": "3.0"},
            "root_path": "",
            "subprotocols": [],
            "django_socketio.tunnel": True,
        }
        owner = self._owners[sender, number] = Owner(self, sender, number)
        owner.body = body
        owner.is_http = carried["type"] == "http"
        self._network.hub.spawn(self._serve(owner, scope, (sender, number)))

    async def _serve(self, owner: Owner, scope: dict[str, Any], key: tuple[str, int]) -> None:
        loop = self._network.hub.loop
        timer = loop.call_later(ALIVE_AFTER, owner.still_there)
        try:
            if self.serve is None:  # nobody has been served here yet, and maybe never will be
                owner.fail()
            else:
                await self.serve(scope, owner.receive, owner.send)
        except ConnectionError:
            pass  # the gate is gone, and the session knows by its receive()
        finally:
            timer.cancel()
            self._owners.pop(key, None)
            if owner.broken:
                # Whatever broke it here, the gate may not know.
                self.tell(owner.node, [Kind.OVER, owner.number])

    def on_in(self, sender: str, number: int, message: Message) -> None:
        """The client has sent something through its gate."""
        owner = self._owners.get((sender, number))
        if owner is None:
            self.tell(sender, [Kind.OVER, number])
        else:
            owner.came(message, _size(message))

    def on_out(self, sender: str, number: int, message: Message) -> None:
        """The owner has sent something for the client."""
        gate = self._gates.get(number)
        if gate is not None and gate.node == sender:
            gate.came(message, _size(message))

    def on_credit(self, sender: str, number: int, size: int) -> None:
        """The owner has taken something."""
        gate = self._gates.get(number)
        if gate is not None and gate.node == sender:
            gate.credit(size)

    def on_receipt(self, sender: str, number: int, size: int) -> None:
        """The gate has taken something."""
        owner = self._owners.get((sender, number))
        if owner is not None:
            owner.credit(size)

    def on_alive(self, sender: str, number: int) -> None:
        """The owner takes its time."""
        gate = self._gates.get(number)
        if gate is not None and gate.node == sender:
            gate.answered = True
            gate.alive()

    def on_over(self, sender: str, number: int) -> None:
        """The owner has nothing more to do with a tunnel."""
        gate = self._gates.get(number)
        if gate is not None and gate.node == sender:
            gate.fail()

    def on_abort(self, sender: str, number: int) -> None:
        """The client has gone, or its gate gives up."""
        owner = self._owners.get((sender, number))
        if owner is not None:
            owner.fail()


class Gate(End):
    """The end at the process that the client has reached."""

    message_kind = Kind.IN
    taken_kind = Kind.RECEIPT
    is_http = False
    # Whether the client's probe was answered, and it has not upgraded yet.
    probing = False
    answered = False
    client_gone = False

    def release(self) -> None:
        """Have the owner answer a poll that waits with what there is."""
        self._tunnels.tell(self.node, [Kind.IN, self.number, ["release", None]])

    async def first(self) -> tuple[Message, int]:
        """The owner's first message and its size, not taken yet.

        Raises OwnerGone when the owner shows no sign of life in time.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        end = asked + PATIENCE
        patience = Patience(FIRST_ANSWER)
        while not (self._came or self.answered or self.broken):
            self._waiter = loop.create_future()
            await patience.wait(self._waiter)
            if not (patience or self._came):
                # One that has said anything at all meanwhile is not dead, only slow.
                now = loop.time()
                if now >= end or not self._tunnels.heard(self.node, asked):
                    counters.layer.add("unanswered")
                    raise OwnerGone
                asked, patience = now, Patience(FIRST_ANSWER)
        return await self.next()

    async def http(self, receive: Any, send: Any) -> None:
        """Carry the answer of an HTTP request. Raises OwnerGone when none can be had."""
        loop = asyncio.get_running_loop()
        watcher = loop.create_task(self._watch(receive))
        delivered = False
        try:
            (_, status, headers, body), size = await self.first()
            headers = [(bytes(name), bytes(value)) for name, value in headers]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": bytes(body)})
            self.taken(size)
            self.acknowledge()
            delivered = True
        except OwnerGone:
            raise
        except ConnectionError:
            if not watcher.done():
                raise OwnerGone from None
        finally:
            watcher.cancel()
            self._tunnels.close(self, abort=not delivered)

    async def _watch(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.fail()

    async def websocket(self, receive: Any, send: Any) -> None:
        """Carry a WebSocket until either side ends it. Raises OwnerGone before it is accepted."""
        loop = asyncio.get_running_loop()
        abort = True
        reader: asyncio.Task[None] | None = None
        try:
            message, size = await self.first()
            self.taken(size)
            reader = loop.create_task(self._read(receive))
            while True:
                if message == _PONG:
                    if self._tunnels.leaving:
                        raise ConnectionError("this process ends")
                    self.probing = True
                await _pass_on(message, send)
                if message[0] in ("close", "deny"):
                    abort = False
                    return
                message = await self.get()
        except OwnerGone:
            raise
        except ConnectionError:
            if reader is None:
                raise OwnerGone from None
            if not self.client_gone:
                # The owner is gone, the client is not: it has to connect anew.
                await send({"type": "websocket.close", "code": 1012})
        finally:
            if reader is not None:
                reader.cancel()
            self._tunnels.close(self, abort)

    async def _read(self, receive: Any) -> None:
        """Pass on what the client sends."""
        try:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    self.client_gone = True
                    await self.put(["end", message.get("code") or 1005], 0)
                    break
                text = message.get("text")
                if text is not None:
                    await self.put(["text", text], len(text))
                    if self.probing and text == PacketType.UPGRADE:
                        self.probing = False
                else:
                    data = message.get("bytes") or b""
                    await self.put(["bytes", data], len(data))
        except ConnectionError:
            pass
        finally:
            self.fail()


class Owner(End):
    """The end at the process that owns the session: an ASGI ``receive`` and ``send``."""

    message_kind = Kind.OUT
    taken_kind = Kind.CREDIT
    is_http = False
    body: bytes | None = None
    _connected = False
    _status = 0
    _headers: Any = ()

    def still_there(self) -> None:
        """Tell the gate that an answer will come, in time."""
        if not self.broken:
            self._tunnels.tell(self.node, [Kind.ALIVE, self.number])

    async def receive(self) -> dict[str, Any]:
        """ASGI's receive."""
        if self.body is not None:
            body, self.body = self.body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self._connected and not self.is_http:
            self._connected = True
            return {"type": "websocket.connect"}
        try:
            kind, value = await self.get()
        except ConnectionError:
            if self.is_http:
                return {"type": "http.disconnect"}
            return {"type": "websocket.disconnect", "code": 1006}
        if kind == "release":
            return {"type": RELEASE}
        if kind == "end":
            return {"type": "websocket.disconnect", "code": value}
        return {"type": "websocket.receive", kind: value}

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's send. Raises ConnectionError where the gate is gone."""
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self._status, self._headers = message["status"], message.get("headers", ())
        elif kind in ("http.response.body", "websocket.http.response.body"):
            body = message.get("body", b"")
            name = "http" if kind.startswith("http") else "deny"
            headers = [list(pair) for pair in self._headers]
            await self.put([name, self._status, headers, body], len(body))
            if name == "http":
                await self.received(RECEIPT_TIMEOUT)
        elif kind == "websocket.accept":
            await self.put(["accept"], 0)
        elif kind == "websocket.close":
            await self.put(["close", message.get("code") or 1000], 0)
        elif message.get("text") is not None:
            await self.put(["text", message["text"]], len(message["text"]))
        else:
            await self.put(["bytes", message["bytes"]], len(message["bytes"]))


async def _pass_on(message: Message, send: Any) -> None:
    """Do at the gate what the owner has done."""
    kind, *values = message
    if kind in ("text", "bytes"):
        await send({"type": "websocket.send", kind: values[0]})
    elif kind == "accept":
        await send({"type": "websocket.accept"})
    elif kind == "close":
        await send({"type": "websocket.close", "code": values[0]})
    elif kind == "deny":
        status, headers, body = values
        pairs = [(bytes(name), bytes(value)) for name, value in headers]
        start = {"type": "websocket.http.response.start", "status": status, "headers": pairs}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": bytes(body)})


def _size(message: Message) -> int:
    """The size of a message's data: its last item, where that is text or bytes."""
    last = message[-1] if message else None
    return len(last) if isinstance(last, (str, bytes)) and len(message) > 1 else 0
