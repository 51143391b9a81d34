"""python-socketio's AsyncClient, which shares no code with the JavaScript clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import socketio
from engineio.payload import Payload
from socketio.exceptions import ConnectionError as Refused

from tests.conftest import MakeServer
from tests.harness.servers import Server

DEADLINE = 15.0

Connect = Callable[..., Awaitable[socketio.AsyncClient]]


@pytest.fixture
async def connect(transport: str) -> AsyncIterator[Connect]:
    """Connects a client over `transport`; `prepare(client)` may add handlers before."""
    clients: list[socketio.AsyncClient] = []

    async def make(
        server: Server,
        namespace: str = "/lab",
        prepare: Callable[[socketio.AsyncClient], None] = lambda client: None,
        reconnection: bool = False,
        **options: Any,
    ) -> socketio.AsyncClient:
        client = socketio.AsyncClient(
            reconnection=reconnection, reconnection_delay=0.1, reconnection_delay_max=0.3
        )
        clients.append(client)
        prepare(client)
        transports = None if transport == "default" else [transport]
        await client.connect(
            server.url,
            namespaces=[namespace],
            transports=transports,
            wait_timeout=DEADLINE,
            **options,
        )
        return client

    yield make
    for client in clients:
        await client.shutdown()


async def ask(client: socketio.AsyncClient, event: str, *args: Any, namespace: str = "/lab") -> Any:
    return await client.call(event, args, namespace=namespace, timeout=DEADLINE)


def collect(
    client: socketio.AsyncClient, event: str, namespace: str = "/lab"
) -> asyncio.Queue[list[Any]]:
    got: asyncio.Queue[list[Any]] = asyncio.Queue()

    async def handler(*args: Any) -> None:
        got.put_nowait(list(args))

    client.on(event, handler, namespace=namespace)
    return got


async def soon(got: asyncio.Queue[list[Any]]) -> list[Any]:
    return await asyncio.wait_for(got.get(), DEADLINE)


async def test_introduction(connect: Connect, server: Server, transport: str) -> None:
    queues: list[asyncio.Queue[list[Any]]] = []
    client = await connect(
        server,
        "/",
        lambda client: queues.extend(
            [collect(client, "message", "/"), collect(client, "greetings", "/")]
        ),
    )
    assert client.transport() == ("polling" if transport == "polling" else "websocket")
    await client.send("Hello!")
    await client.emit("salutations", ("Hello!", {"mr": "john"}, b"\x01\x02\x03\x04"))
    assert await soon(queues[0]) == ["Hello!"]
    assert await soon(queues[1]) == ["Hey!", {"ms": "jane"}, b"\x04\x03\x03\x01"]
    await client.call("finished", timeout=DEADLINE)
    sid = client.get_sid("/")
    assert await asyncio.to_thread(server.journal, sid, "message", "salutations") == [
        {"what": "message", "args": ["Hello!"]},
        {"what": "salutations", "args": ["Hello!", {"mr": "john"}, {"bytes": "01020304"}]},
    ]


async def test_auth(connect: Connect, server: Server) -> None:
    client = await connect(server, "/auth", auth={"token": "right"})
    me = await ask(client, "me", namespace="/auth")
    assert me["auth"] == {"token": "right"}
    assert me["sid"] == client.get_sid("/auth")


async def test_refused(connect: Connect, server: Server) -> None:
    queues: list[asyncio.Queue[list[Any]]] = []
    with pytest.raises(Refused):
        await connect(
            server,
            "/auth",
            lambda client: queues.append(collect(client, "connect_error", "/auth")),
            auth={"token": "wrong"},
        )
    assert await soon(queues[0]) == [{"message": "Wrong token", "data": {"code": 401}}]


async def test_unknown_namespace(connect: Connect, server: Server) -> None:
    queues: list[asyncio.Queue[list[Any]]] = []
    with pytest.raises(Refused):
        await connect(
            server,
            "/nowhere",
            lambda client: queues.append(collect(client, "connect_error", "/nowhere")),
        )
    assert await soon(queues[0]) == [{"message": "Invalid namespace"}]


async def test_acks(connect: Connect, server: Server) -> None:
    client = await connect(server)
    blob = bytes(range(256)) * 40
    assert await ask(client, "add", 20, 22) == 42
    assert await ask(client, "nothing") is None
    assert await ask(client, "pair") == ("a", {"b": 1})
    assert await ask(client, "list") == [1, 2]
    assert await ask(client, "echo", {"deep": [blob, {"x": b""}]}) == {"deep": [blob, {"x": b""}]}


async def test_calls(connect: Connect, server: Server) -> None:
    client = await connect(server)

    async def question(*args: Any) -> tuple[Any, ...]:
        return (*args, "answered", b"\x01")

    client.on("question", question, namespace="/lab")
    assert await ask(client, "ask", 1, b"\x02") == [[1, b"\x02", "answered", b"\x01"]]
    assert await ask(client, "ask plainly") == [["answered", b"\x01"]]


async def test_rooms(connect: Connect, server: Server) -> None:
    a, b = await connect(server), await connect(server)
    heard = [collect(client, "said") for client in (a, b)]
    room = f"red {a.get_sid('/lab')}"
    await ask(a, "join", room)
    await ask(b, "join", room)
    await ask(a, "say", room, "to the others")
    await ask(a, "say all", room, "to all")
    assert await soon(heard[0]) == ["to all"]
    assert await soon(heard[1]) == ["to the others"]
    assert await soon(heard[1]) == ["to all"]
    members = sorted([a.get_sid("/lab"), b.get_sid("/lab")])
    assert sorted(await ask(b, "who", room)) == members
    await ask(b, "leave", room)
    assert await ask(b, "who", room) == [a.get_sid("/lab")]


async def test_the_server_disconnects(connect: Connect, server: Server) -> None:
    client = await connect(server)
    gone = collect(client, "disconnect")
    sid = client.get_sid("/lab")
    await client.emit("close me", True, namespace="/lab")
    assert await soon(gone) == [client.reason.SERVER_DISCONNECT]
    entry = await asyncio.to_thread(server.disconnect_of, sid)
    assert entry["reason"] == "server namespace disconnect"


async def test_the_client_disconnects(connect: Connect, server: Server) -> None:
    client = await connect(server)
    sid = client.get_sid("/lab")
    await client.disconnect()
    entry = await asyncio.to_thread(server.disconnect_of, sid)
    assert entry["reason"] in ("client namespace disconnect", "transport close")


@pytest.mark.parametrize("blobs", [0, 16], ids=["text", "with-blobs"])
async def test_a_thousand_messages_each_way(
    connect: Connect,
    server: Server,
    transport: str,
    blobs: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # By default this client refuses a poll's answer of more than 16 packets, whoever sends it.
    monkeypatch.setattr(Payload, "max_decode_packets", 2000)
    total, size = 1000, 100 * 1024
    every = total // blobs if blobs else 0
    client = await connect(server, "/flood")
    numbers = collect(client, "number", "/flood")
    asked = {"total": total, "every": every, "upgrades": False, "size": size}
    flooded = asyncio.ensure_future(
        client.call("flood", asked, namespace="/flood", timeout=DEADLINE)
    )
    for n in range(total):
        blob = [bytes([n % 251]) * size] if every and n % every == 0 else []
        await client.emit("number", (n, *blob), namespace="/flood")
        if blob and transport == "polling":
            # A POST may hold as much as the server takes at once: wait until this one is there.
            await client.call("received", namespace="/flood", timeout=DEADLINE)
    await flooded
    for n in range(total):
        number, *blob = await soon(numbers)
        assert number == n
        assert blob == ([bytes([n % 251]) * size] if every and n % every == 0 else [])
    at_server = await client.call("received", namespace="/flood", timeout=DEADLINE)
    assert at_server["numbers"] == list(range(total))


async def test_reconnects_when_the_server_restarts(
    connect: Connect, own_server: MakeServer
) -> None:
    server = await asyncio.to_thread(own_server)
    client = await connect(server, reconnection=True)
    back = collect(client, "connect")
    sid = client.get_sid("/lab")
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    await soon(back)
    assert client.get_sid("/lab") != sid
    assert await ask(client, "add", 1, 2) == 3
