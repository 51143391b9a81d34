"""What is not a registered event is never reached by its name."""

from __future__ import annotations

from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.stats import counters
from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer

from .inprocess import joined, registered

# All that an object of the class has, as far as a client could name it.
RESERVED = ["connect", "connect_error", "disconnect", "disconnecting"]
OTHERS = ["error", "", "*", "__proto__", "constructor", "registered.__call__", "newListener"]


def consumer() -> tuple[type[SocketIOConsumer], list[Any]]:
    reached: list[Any] = []

    class Everything(SocketIOConsumer):
        @event
        async def registered(self, *args: Any) -> str:
            return "registered"

        @event("public name")
        async def inner_name(self, *args: Any) -> str:
            reached.append("public name")
            return "public name"

        async def error(self, *args: Any) -> None:
            reached.append("error")

        async def _private(self, *args: Any) -> None:
            reached.append("_private")

        def helper(self, *args: Any) -> None:
            reached.append("helper")

        async def disconnect(self, reason: str) -> None:
            if reason != "parse error":
                reached.append("disconnect")

    def emit(self: SocketIOConsumer, *args: Any) -> Any:
        reached.append("emit")
        return SocketIOConsumer.emit(self, *args)

    # Not in the class body, where it would be refused.
    Everything.emit = emit  # type: ignore[assignment, method-assign]
    return Everything, reached


def names() -> list[str]:
    found = {name for name in dir(consumer()[0]) if name not in RESERVED}
    return sorted((found - {"registered"}) | set(OTHERS))


async def test_cve_2024_38355_unregistered_events_reach_nothing() -> None:
    cls, reached = consumer()
    before = counters.events_refused["no handler"]
    with registered(cls):
        wire = await joined()
        asked = names()
        assert {"__init__", "_private", "emit", "error", "inner_name", "close"} <= set(asked)
        for name in asked:
            quoted = name.replace('"', '\\"')
            await wire.send(f'421["{quoted}","argument"]')
        # None of them is acknowledged, and the session is none the worse for it.
        await wire.send('422["registered"]')
        assert await wire.receive() == '432["registered"]'
        assert reached == []
        assert counters.events_refused["no handler"] - before == len(asked)
        await wire.leave()


@pytest.mark.parametrize("name", RESERVED)
def test_cve_2024_38355_reserved_events_close_the_session(
    server: Server, bystander: Peer, name: str
) -> None:
    for packet in (f'42["{name}"]', f'421["{name}","x"]', f'450-["{name}"]'):
        peer = open_peer(server)
        peer.send(packet)
        assert peer.frames_until_closed() == []
        assert server.log(peer.sid)[:1] == [["connect"]]
        assert server.reason(peer.sid) == "parse error"
        assert len(server.log(peer.sid)) == 2


async def test_cve_2024_38355_unregistered_events_the_catch_all_is_no_event() -> None:
    """A client cannot name the catch-all handler and so choose the name that it sees."""
    seen: list[Any] = []

    class Anything(SocketIOConsumer):
        @event("*")
        async def anything(self, name: str, *args: Any) -> None:
            seen.append([name, *args])

    with registered(Anything):
        wire = await joined()
        await wire.send('42["*","pretended"]', '42["other",1]')
        await wire.leave()
    assert seen == [["*", "pretended"], ["other", 1]]


def test_cve_2024_38355_unregistered_events_on_a_server(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        for name in ("error", "__init__", "_private", "emit", "note", "close", "_leave"):
            peer.send(f'427["{name}","argument"]')
        assert peer.echoes()
        assert server.log(peer.sid) == [["connect"]]
