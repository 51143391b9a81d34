"""Clients that stay connected and note each number that comes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.harness.protocol import PATH, WEBSOCKET, connect_packet

NAMESPACE = "/chaos"
HEAD = f"42{NAMESPACE},"


@dataclass
class Verdict:
    """What became of all numbers at all clients that stayed connected."""

    expected: int = 0
    deliveries: int = 0
    missing: int = 0
    doubled: int = 0
    reordered: int = 0
    # Of those, which were in order in each room, but not over all rooms of the sender.
    across: int = 0
    # Clients that lost their connection; they do not count.
    gone: int = 0

    @property
    def right(self) -> bool:
        """Whether everything came, once and in order."""
        wrong = self.missing or self.doubled or self.reordered or self.gone
        return not wrong and self.deliveries > 0

    def __str__(self) -> str:
        return (
            f"{self.deliveries} of {self.expected} deliveries: {self.missing} missing, "
            f"{self.doubled} doubled, {self.reordered} reordered"
            f" ({self.across} over rooms only), {self.gone} clients gone"
        )


@dataclass
class Seen:
    """The numbers of one sender in one room."""

    last: int = 0
    numbers: set[int] = field(default_factory=set)


class Client:
    """A raw WebSocket client, in some rooms of one server process."""

    def __init__(self, port: int, rooms: list[str]) -> None:
        self.rooms = rooms
        self.connected = False
        self.deliveries = 0
        self.doubled = 0
        self.reordered = 0
        self.across = 0
        self._url = f"ws://127.0.0.1:{port}{PATH}?{WEBSOCKET}"
        # By sender and room; and by sender the last number of those that it counts over all rooms.
        self._seen: dict[tuple[str, str], Seen] = {}
        self._last: dict[str, int] = {}
        self._ready = asyncio.Event()
        # What was told to whom, once it is.
        self._told: asyncio.Future[dict[str, dict[str, int]]] = asyncio.Future()
        self._task: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None

    async def start(self) -> None:
        """Connect, and wait until the server has let it in."""
        self._task = asyncio.ensure_future(self._run())
        await asyncio.wait_for(self._ready.wait(), 30)

    async def stop(self) -> None:
        """Disconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def told(self, timeout: float) -> dict[str, dict[str, int]]:
        """Wait until its process has told all numbers. Returns how many, by sender and room."""
        return await asyncio.wait_for(self._told, timeout)

    async def say(self, *event: Any) -> None:
        """Send an event."""
        assert self._socket is not None
        await self._socket.send(HEAD + json.dumps(event))

    async def _run(self) -> None:
        async with connect(self._url, compression=None, max_queue=None) as self._socket:
            try:
                async for text in self._socket:
                    assert isinstance(text, str)
                    await self._take(text)
            except ConnectionClosed:
                pass
            finally:
                self.connected = False

    async def _take(self, text: str) -> None:
        assert self._socket is not None
        if text.startswith(HEAD):
            name, *args = json.loads(text[len(HEAD) :])
            if name == "told":
                self._told.set_result({args[0]: args[1]})
            else:
                self._note(*args)
        elif text == "2":
            await self._socket.send("3")
        elif text.startswith("0"):
            await self._socket.send(connect_packet(NAMESPACE, {"rooms": self.rooms}))
        elif text.startswith(f"40{NAMESPACE},"):
            self.connected = True
            self._ready.set()

    def _note(self, sender: str, room: str, number: int, overall: int) -> None:
        """Numbers begin with 1 in each room, and over all rooms."""
        self.deliveries += 1
        seen = self._seen.setdefault((sender, room), Seen())
        if number in seen.numbers:
            self.doubled += 1
            return
        seen.numbers.add(number)
        if number < seen.last:
            self.reordered += 1
        elif overall < self._last.get(sender, 0):
            self.reordered += 1
            self.across += 1
        seen.last = max(seen.last, number)
        self._last[sender] = max(self._last.get(sender, 0), overall)

    def judge(self, sent: dict[str, dict[str, int]], verdict: Verdict) -> None:
        """Add what became of the numbers that each sender has sent to each room."""
        if not self.connected:
            verdict.gone += 1
            return
        for sender, rooms in sent.items():
            for room, number in rooms.items():
                if room in self.rooms:
                    seen = self._seen.get((sender, room), Seen())
                    verdict.expected += number
                    verdict.missing += number - len(seen.numbers)
        verdict.deliveries += self.deliveries
        verdict.doubled += self.doubled
        verdict.reordered += self.reordered
        verdict.across += self.across
