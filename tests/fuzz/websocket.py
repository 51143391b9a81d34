"""Frames on a WebSocket: the session answers or ends, and leaves nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from tests.fuzz.server import Server


def fuzz(data: Any) -> None:
    messages: list[str | bytes] = []
    if data.ConsumeIntInRange(0, 3):
        messages.append("40")
    for _ in range(data.ConsumeIntInRange(0, 12)):
        if data.ConsumeBool():
            messages.append("42" + fuzzing.text(data, 6))
        else:
            messages.append(fuzzing.packet(data))
    server.run(server.websocket(messages, data.ConsumeIntInRange(1000, 1100)))


if __name__ == "__main__":
    server = Server(asyncio.new_event_loop())
    fuzzing.run(fuzz)
