"""WebSocket frames (RFC 6455), as a client writes and a server answers them."""

from __future__ import annotations

from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
# A server has to undo the mask, whichever it is; a fixed one lets frames be made in advance.
MASK = b"\x1d\x8e\x53\xc7"


class Frame(NamedTuple):
    """A whole message: fragments are not used by any of the servers."""

    opcode: int
    payload: bytes


def encode(opcode: int, payload: bytes, masked: bool = True) -> bytes:
    """A frame as a client sends it or, not ``masked``, as a server does."""
    size, flag = len(payload), 0x80 if masked else 0
    if size < 126:
        head = bytes([0x80 | opcode, flag | size])
    elif size < 65536:
        head = bytes([0x80 | opcode, flag | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, flag | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    mask = (MASK * (size // 4 + 1))[:size]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return head + MASK + hidden.to_bytes(size, "big")


def text(payload: str) -> bytes:
    """A client's text frame."""
    return encode(TEXT, payload.encode())


def message(payload: str | bytes, masked: bool = True) -> bytes:
    """The frame for a message of either kind."""
    if isinstance(payload, str):
        return encode(TEXT, payload.encode(), masked)
    return encode(BINARY, payload, masked)


class FrameReader:
    """Cuts what a server sends into frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes. Raises ValueError for fragments and masked frames."""
        if self._rest:
            data = self._rest + data
        frames, start, end = [], 0, len(data)
        while end - start >= 2:
            if not data[start] & 0x80 or data[start + 1] & 0x80:
                raise ValueError("a server's frame is whole and has no mask")
            size, body = data[start + 1], start + 2
            if size >= 126:
                body += 2 if size == 126 else 8
                if body > end:
                    break
                size = int.from_bytes(data[start + 2 : body], "big")
            if body + size > end:
                break
            frames.append(Frame(data[start] & 0x0F, data[body : body + size]))
            start = body + size
        self._rest = data[start:]
        return frames
