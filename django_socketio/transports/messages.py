"""Makes the ASGI messages that send WebSocket frames."""

from __future__ import annotations

from typing import Any


class _TrueEmpty(bytes):
    def __bool__(self) -> bool:
        return True


class _EmptyBinary(dict[str, Any]):
    """The message for an empty attachment.

    daphne sends ``bytes`` only if ``get`` returns a true value, and then reads the item itself.
    """

    def get(self, key: str, default: Any = None) -> Any:
        return _TrueEmpty() if key == "bytes" else super().get(key, default)


def frame_message(data: str | bytes) -> dict[str, Any]:
    """Return the message that sends a text or binary frame."""
    if isinstance(data, str):
        return {"type": "websocket.send", "text": data}
    if data:
        return {"type": "websocket.send", "bytes": data}
    return _EmptyBinary(type="websocket.send", bytes=data)


def is_larger(packet: str | bytes, limit: int) -> bool:
    """Return whether a message of a WebSocket takes more than ``limit`` bytes on the wire."""
    size = len(packet)
    if size * 4 <= limit:
        return False
    if isinstance(packet, str) and not packet.isascii():
        size = len(packet.encode("utf-8", "surrogatepass"))
    return size > limit
