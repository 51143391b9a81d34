"""A client that does nothing but answer heartbeats."""

from __future__ import annotations

from benchmarks.load import frames
from benchmarks.load.frames import PING, PONG, FrameReader
from benchmarks.load.streams import Stream

ENGINE_PING, ENGINE_PONG = b"2", frames.text("3")


class Heartbeats:
    """What idle clients share: how often they were asked, and whether one was lost."""

    def __init__(self) -> None:
        self.pings = 0
        self.lost: Exception | None = None


class Idle(Stream):
    """Answers Engine.IO's pings and the WebSocket's."""

    def __init__(self, heartbeats: Heartbeats) -> None:
        self.heartbeats = heartbeats
        self._reader = FrameReader()

    def failed(self, error: Exception) -> None:
        self.heartbeats.lost = error

    def data_received(self, data: bytes) -> None:
        for opcode, payload in self._reader.feed(data):
            if opcode == PING:
                self.transport.write(frames.encode(PONG, payload))
            elif payload == ENGINE_PING:
                self.heartbeats.pings += 1
                self.transport.write(ENGINE_PONG)
            else:
                self.message(payload)

    def message(self, payload: bytes) -> None:
        """Anything else that comes."""
