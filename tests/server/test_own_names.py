"""Whatever a project names its methods and attributes, the server's own state stays untouched."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async

import django_socketio
from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, register
from django_socketio.server.guard import HOOKS, OPTIONS, RESERVED
from tests.server.conftest import Connect
from tests.server.test_logout import closed, headers, log_in

PACKAGE = Path(django_socketio.__file__).parent
PUBLIC = {*RESERVED, *OPTIONS, *HOOKS}


def _names_of(definition: ast.ClassDef) -> Iterator[str]:
    """The names of a class: its methods, attributes and slots, and what it keeps in ``self``."""

    def own(name: str) -> str:
        hidden = name.startswith("__") and not name.endswith("__")
        return f"_{definition.name.lstrip('_')}{name}" if hidden else name

    for node in ast.walk(definition):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield own(node.name)
        elif isinstance(node, ast.Attribute):
            yield own(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield own(node.target.id)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield own(target.id)
                    if target.id == "__slots__":
                        yield from (
                            item.value
                            for item in ast.walk(node.value)
                            if isinstance(item, ast.Constant) and isinstance(item.value, str)
                        )


def names_inside() -> list[str]:
    """Every name that the classes of the package use, but for the public ones and Python's own."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                names.update(_names_of(node))
    return sorted(
        name
        for name in names - PUBLIC
        if name.isidentifier()
        and not keyword.iskeyword(name)
        and not (name.startswith("__") and name.endswith("__"))
    )


NAMES = names_inside()


def _never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("the server has called a method of the project's")


class Serving(SocketIOConsumer):
    """What each of the consumers below still has to do."""

    reasons: list[str] = []  # noqa: RUF012 - each test clears it

    async def connect(self, auth: Any) -> None:
        if auth == {"out": True}:
            raise ConnectionRefused("out")
        self.join("lobby")

    @event
    async def say(self, *args: Any) -> tuple[Any, ...]:
        self.to("lobby").emit("said", *args)
        return args

    @event("move")
    def on_move(self, old: str, new: str) -> list[str]:
        self.leave(old)
        self.join(new)
        return sorted(self.rooms - {self.sid})

    async def disconnect(self, reason: str) -> None:
        Serving.reasons.append(reason)


def with_attributes() -> type[SocketIOConsumer]:
    return type("WithAttributes", (Serving,), dict.fromkeys(NAMES, "the project's"))


def with_methods() -> type[SocketIOConsumer]:
    return type("WithMethods", (Serving,), dict.fromkeys(NAMES, _never))


def with_instance_attributes() -> type[SocketIOConsumer]:
    class WithInstanceAttributes(Serving):
        async def connect(self, auth: Any) -> None:
            for name in NAMES:
                if not name.startswith("_SocketIOConsumer__"):
                    setattr(self, name, "the project's")
            await super().connect(auth)

    return WithInstanceAttributes


def test_the_names_are_found() -> None:
    for name in ("_queue", "_busy", "namespaces", "_SocketIOConsumer__socket", "wheel", "reason"):
        assert name in NAMES
    assert len(NAMES) > 500


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [with_attributes, with_methods, with_instance_attributes])
async def test_a_project_may_take_every_name(make: Any, connect: Connect, refused: Any) -> None:
    consumer = make()
    register("/names")(consumer)
    Serving.reasons.clear()
    assert await refused("/names", {"out": True}) == {"message": "out"}
    browser = await log_in("ada")
    one, other = await connect("/names"), await connect("/names")
    member = await connect("/names", headers=headers(browser))
    assert await one.call("say", "hello", b"bytes") == ("hello", b"bytes")
    assert await other.receive_event() == ("said", ["hello", b"bytes"])
    assert await member.receive_event() == ("said", ["hello", b"bytes"])
    assert await one.call("move", "lobby", "hall") == ["hall"]
    io.of("/names").to("hall").emit("for the hall")
    assert await one.receive_event() == ("for the hall", [])
    found = await io.of("/names").to("hall").afetch_sockets()
    assert [socket.sid for socket in found] == [one.sid]
    await io.of("/names").to("hall").disconnect_sockets(close=True)
    assert await closed(one)
    await database_sync_to_async(browser.logout)()
    assert await closed(member)
    await other.disconnect()
    assert sorted(Serving.reasons) == [
        "server namespace disconnect",
        "server namespace disconnect",
        "transport close",
    ]
