"""docs/emit-cheatsheet.md: each line is run, and reaches those whom its comment names."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from django_socketio import SocketIOConsumer, event, io, register
from tests.docs.pages import blocks_of
from tests.docs.test_code import _registry, names  # noqa: F401 - fixtures
from tests.server.clients import Client

pytestmark = pytest.mark.django_db(transaction=True)

LINES = [
    line
    for block in blocks_of("docs/emit-cheatsheet.md")
    for line in block.text.splitlines()
    if line.strip()
]

# Who gets an event, by what the comments say. "me" and "first" are in room1, "both" is in room1 and
# room2, "second" in room2, "other" in the namespace "/"; "first" and "other" are one user's.
CHAT = ["both", "first", "me", "second"]
REACHED = {
    "this client": ["me"],
    "this client; the event is": ["me"],
    "this client, if it can take it at once": ["me"],
    "this client, and a poll's answer is not compressed": ["me"],
    "all in the namespace but this client": ["both", "first", "second"],
    "all in this process but this client": ["both", "first", "second"],
    "all but this client who can take it at once": ["both", "first", "second"],
    "all in the namespace": CHAT,
    "all in the namespace, by its class": CHAT,
    "all in the namespace, on commit": CHAT,
    "all in this process": CHAT,
    "all in room1": ["both", "first", "me"],
    "all in room1 but this client": ["both", "first"],
    "all in room1 or room2, once each": CHAT,
    "all in room1 or room2 but this client": ["both", "first", "second"],
    "all but those in room2 and this client": ["first"],
    "others in room1, not in room2": ["first"],
    "all but those in room2": ["first", "me"],
    "one other client, by its sid": ["second"],
    "all sockets of a user in the namespace": ["first"],
    "all sockets of a user": ["first", "other"],
    "all in the namespace /": ["other"],
    "all in all namespaces": ["both", "first", "me", "other", "second"],
    "nobody: no room is not every room": [],
    "other processes: signal server_event": [],
}
# What a line returns, as `shown` shows it.
RETURNED: dict[str, Any] = {
    "this client's answer; AckTimeout after ACK_TIMEOUT": "me",
    "the same, for at most five seconds": "me",
    "answers of the others in room1": ["both", "first"],
    "answers of all in room1": ["both", "first", "me"],
    "a list: the sockets in room1": ["both", "first", "me"],
}
# Who is in a room afterwards.
MOVED = {
    "all in room1 join room3": ("room3", ["both", "first", "me"]),
    "room3 is empty": ("room3", []),
    "all in room2 leave the namespace": ("room2", []),
}


class Crowd:
    """Five clients, by name, and the consumer of "me"."""

    def __init__(self, names: dict[str, Any]) -> None:  # noqa: F811
        self.clients: dict[str, Client] = {}
        self.consumers: dict[str, SocketIOConsumer] = {}
        self._names = names
        self._seen: dict[str, list[Any]] = {}

    async def arrive(self) -> None:
        crowd = self

        class ChatConsumer(SocketIOConsumer):
            async def connect(self, auth: Any) -> None:
                self.join(*auth["rooms"])
                crowd.consumers[auth["name"]] = self

            @event("barrier")
            async def on_barrier(self) -> None:
                pass

        register("/chat")(ChatConsumer)
        register("/")(type("Main", (ChatConsumer,), {}))
        alice = self._names["alice"]
        for name, rooms, user in (
            ("me", ["room1"], None),
            ("first", ["room1"], alice),
            ("both", ["room1", "room2"], None),
            ("second", ["room2"], None),
            ("other", [], alice),
        ):
            client = Client(
                self._names["application"],
                "/" if name == "other" else "/chat",
                {"name": name, "rooms": rooms},
                user,
            )
            assert await client.connect()
            self.clients[name] = client
        self.known = {
            "self": self.consumers["me"],
            "io": io,
            "ChatConsumer": ChatConsumer,
            "sid": self.clients["second"].sid,
            "user": alice,
        }

    def name_of(self, sid: str | None) -> str:
        return next(name for name, client in self.clients.items() if client.sid == sid)

    async def run(self, line: str) -> Any:
        code = compile(line, "emit-cheatsheet.md", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if not code.co_flags & inspect.CO_COROUTINE:
            return await sync_to_async(lambda: eval(code, self.known))()
        task = asyncio.ensure_future(eval(code, self.known))
        answering = [
            asyncio.ensure_future(self._answer(name, client))
            for name, client in self.clients.items()
        ]
        result = await task
        for one in answering:
            one.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        return result

    async def _answer(self, name: str, client: Client) -> None:
        await client.receive_event()
        await client.acknowledge(name)

    async def reached(self) -> list[str]:
        found = []
        for name, client in self.clients.items():
            found += [name for _ in await client.arrived()]
        return sorted(found)


@pytest_asyncio.fixture
async def crowd(names: dict[str, Any]) -> AsyncIterator[Crowd]:  # noqa: F811
    crowd = Crowd(names)
    await crowd.arrive()
    yield crowd
    for client in crowd.clients.values():
        await client.disconnect()


def test_there_are_lines() -> None:
    assert len(LINES) >= 30


@pytest.mark.parametrize("line", LINES)
async def test_a_line(line: str, crowd: Crowd) -> None:
    code, _, comment = line.partition("  # ")
    comment = comment.removeprefix("to ").replace('"', "").removesuffix(" message")
    if comment == "room3 is empty":
        await crowd.run('io.of("/chat").to("room1").sockets_join("room3")')
    result = await crowd.run(code)
    if comment in RETURNED:
        if isinstance(result, list):
            result = sorted(
                one if isinstance(one, str) else crowd.name_of(one.sid) for one in result
            )
        assert result == RETURNED[comment]
    elif comment in MOVED:
        room, members = MOVED[comment]
        sockets = await io.of("/chat").to(room).afetch_sockets()
        assert sorted(crowd.name_of(socket.sid) for socket in sockets) == members
        if "disconnect" in code:
            crowd.clients = {name: crowd.clients[name] for name in ("me", "first", "other")}
    else:
        assert await crowd.reached() == REACHED[comment]
