"""Tunnels: messages whose meaning only their two users know, in order and within a window."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from django_socketio.cluster import ends, tunnels
from django_socketio.cluster.ends import OVERHEAD, WINDOW, IncomingEnd, OutgoingEnd, OwnerGone
from django_socketio.cluster.messages import Kind
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.tunnels import Pair

HEAD = {"any": ["plain", b"values", 1, None]}


class Tunnel(Pair):
    """Two processes and one tunnel between them, until it is told to end."""

    gate_end: OutgoingEnd
    owner_end: IncomingEnd

    def __init__(self) -> None:
        self.owner_done = asyncio.Event()
        super().__init__(self._accept)

    async def _accept(self, end: IncomingEnd) -> None:
        self.owner_end = end
        await self.owner_done.wait()

    @asynccontextmanager
    async def open(self, is_request: bool = False) -> AsyncIterator[Tunnel]:
        async with self.gate.tunnels.open_tunnel("owner", HEAD, 100, is_request) as end:
            self.gate_end = end
            await eventually(lambda: self.owner.tasks and hasattr(self, "owner_end"))
            yield self

    async def end(self) -> None:
        """The owner is done, and nothing is left of the tunnel."""
        self.owner_done.set()
        await eventually(lambda: self.idle)


def test_tunnels_know_nothing_of_what_they_carry() -> None:
    """Neither ASGI nor the server: what they import lies on the floors below."""
    for module in (ends, tunnels):
        path = Path(module.__file__ or "")
        imported = {
            "." * node.level + (node.module or "")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.level
        }
        assert imported <= {"..runtime.patience", "..stats", ".ends", ".messages"}


async def test_what_opens_a_tunnel_reaches_the_owner() -> None:
    async with Tunnel().open() as tunnel:
        assert tunnel.owner_end.head == HEAD
        assert (len(tunnel.gate.tunnels), len(tunnel.owner.tunnels)) == (1, 1)
    await tunnel.end()


async def test_messages_both_ways_in_order() -> None:
    messages: list[list[Any]] = [["a"], ["b", "text"], ["c", b"bytes"], ["d", 1, [], None]]
    async with Tunnel().open() as tunnel:
        for message in messages:
            await tunnel.gate_end.send_message(message)
            await tunnel.owner_end.send_message(message)
        for message in messages:
            assert await soon(tunnel.owner_end.read_message()) == message
            assert await soon(tunnel.gate_end.read_first_message()) == message
    await tunnel.end()


async def test_a_sender_waits_while_the_window_is_full() -> None:
    async with Tunnel().open() as tunnel:
        size = WINDOW // 10 - OVERHEAD
        for _ in range(10):
            await tunnel.owner_end.send_message(["data", b"x" * size])
        # All that wait go on, not only the last one.
        waiting = [
            asyncio.ensure_future(tunnel.owner_end.send_message(["data", b"x"])) for _ in range(2)
        ]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
        # Credit comes with a quarter of the window.
        await soon(tunnel.gate_end.read_message())
        await asyncio.sleep(0.01)
        assert Kind.RECEIPT not in tunnel.gate.kinds()
        for _ in range(2):
            await soon(tunnel.gate_end.read_message())
        await soon(asyncio.gather(*waiting))
    await tunnel.end()


async def test_all_that_wait_hear_of_a_break() -> None:
    async with Tunnel().open() as tunnel:
        full = ["data", b"x" * 2 * WINDOW]
        waiting = [
            asyncio.ensure_future(wait)
            for wait in (
                tunnel.owner_end.send_message(full),
                tunnel.owner_end.send_message(full),
                tunnel.owner_end.wait_for_receipt(1000),
                tunnel.owner_end.read_message(),
            )
        ]
        await asyncio.sleep(0.01)
        tunnel.owner.tunnels.break_tunnels("somebody else")
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
        tunnel.owner.tunnels.break_all_tunnels()
        for task in waiting:
            with pytest.raises(ConnectionError):
                await soon(task)
        # The gate hears of it when the owner is done.
        tunnel.owner_done.set()
        for message in (full, full):
            assert await soon(tunnel.gate_end.read_message()) == message
        with pytest.raises(ConnectionError):
            await soon(tunnel.gate_end.read_message())
    assert tunnel.idle


async def test_a_receipt() -> None:
    async with Tunnel().open(is_request=True) as tunnel:
        await tunnel.owner_end.send_message(["answer", b"x"])
        waiting = asyncio.ensure_future(tunnel.owner_end.wait_for_receipt(1000))
        answer = await soon(tunnel.gate_end.read_first_message())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        tunnel.gate_end.confirm_answer(answer)
        await soon(waiting)
        # At once, where nothing is on its way.
        await tunnel.owner_end.wait_for_receipt(1000)
    await tunnel.end()
    assert Kind.ABORT not in tunnel.gate.kinds()


async def test_a_receipt_that_does_not_come() -> None:
    async with Tunnel().open(is_request=True) as tunnel:
        await tunnel.owner_end.send_message(["answer", b"x"])
        with pytest.raises(ConnectionError):
            await soon(tunnel.owner_end.wait_for_receipt(0.01))
    await tunnel.end()


async def test_the_owner_hears_of_the_end() -> None:
    async with Tunnel().open() as tunnel:
        await tunnel.gate_end.send_message(["last"])
    assert await soon(tunnel.owner_end.read_message()) == ["last"]
    with pytest.raises(ConnectionError):
        await soon(tunnel.owner_end.read_message())
    with pytest.raises(ConnectionError):
        await tunnel.owner_end.send_message(["more"])
    await tunnel.end()


async def test_a_process_that_serves_nobody() -> None:
    """It says so at once: nobody waits for it."""
    pair = Pair(None)
    async with pair.gate.tunnels.open_tunnel("owner", HEAD, 100, is_request=False) as end:
        with pytest.raises(ConnectionError) as error:
            await soon(end.read_first_message())
        assert not isinstance(error.value, OwnerGone)
    assert pair.idle


async def test_a_process_that_is_unknown_by_now() -> None:
    async with Tunnel().open() as tunnel:
        tunnel.gate.known.clear()
        with pytest.raises(ConnectionError):
            await tunnel.gate_end.send_message(["anybody?"])
        # What does not matter any more is not sent, and nobody is the worse for it.
    tunnel.owner.tunnels.break_all_tunnels()
    await tunnel.end()


# The way out


async def test_a_sender_waits_until_there_is_room() -> None:
    """Each in its turn: what is sent later does not overtake what waits."""
    async with Tunnel().open() as tunnel:
        tunnel.gate.room = 0
        waiting = [
            asyncio.ensure_future(tunnel.gate_end.send_message(["data", text])) for text in "ab"
        ]
        await asyncio.sleep(0.01)
        assert Kind.IN not in tunnel.gate.kinds()
        tunnel.gate.tunnels.go_on()
        await asyncio.sleep(0.01)
        assert Kind.IN not in tunnel.gate.kinds()
        tunnel.gate.room = 1
        waiting.append(asyncio.ensure_future(tunnel.gate_end.send_message(["data", "c"])))
        tunnel.gate.tunnels.go_on()
        await soon(asyncio.gather(*waiting))
        for text in "abc":
            assert await soon(tunnel.owner_end.read_message()) == ["data", text]
    await tunnel.end()


async def test_a_sender_that_waits_for_room_hears_of_a_break() -> None:
    async with Tunnel().open() as tunnel:
        tunnel.owner.room = 0
        waiting = asyncio.ensure_future(tunnel.owner_end.send_message(["data", "x"]))
        await asyncio.sleep(0.01)
        tunnel.owner.tunnels.break_tunnels("gate")
        with pytest.raises(ConnectionError):
            await soon(waiting)
    await tunnel.end()


async def test_what_never_has_room_ends_its_own_tunnel() -> None:
    tunnel, other = Tunnel(), Tunnel()
    async with tunnel.open(), other.open():
        with pytest.raises(ConnectionError):
            await tunnel.gate_end.send_message(["data", b"x" * (10**8 + 1)])
        assert tunnel.gate_end.broken
        assert not other.gate_end.broken
    await tunnel.end()
    await other.end()


async def test_a_tunnel_opens_when_there_is_room() -> None:
    tunnel = Tunnel()
    tunnel.gate.room = 0

    async def use() -> None:
        async with tunnel.open():
            pass

    opening = asyncio.ensure_future(use())
    await asyncio.sleep(0.01)
    # Nobody has heard of it, so nobody needs to hear that this process ends.
    tunnel.gate.tunnels.release_requests()
    assert tunnel.gate.sent == []
    tunnel.gate.room = 1000
    tunnel.gate.tunnels.go_on()
    await soon(opening)
    await tunnel.end()
