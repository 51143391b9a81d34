"""What kind of image some bytes are, by looking at the bytes alone."""

from __future__ import annotations

import struct
from typing import NamedTuple

from django.core.exceptions import ValidationError

from .models import Image

# Over long-polling binary data travels as base64, a third larger, and one request holds 1 MB.
MAX_BYTES = 700_000
# Larger images cost the readers' browsers too much memory.
MAX_SIDE = 8192


class ImageInfo(NamedTuple):
    content_type: str
    width: int
    height: int


def inspect(content: bytes) -> ImageInfo:
    """The type and the size in pixels, or ValidationError for what is no image we take."""
    if len(content) > MAX_BYTES:
        raise ValidationError(f"An image may have at most {MAX_BYTES // 1000} KB.")
    try:
        info = _identify(content)
    except (struct.error, IndexError):
        info = None
    if info is None:
        raise ValidationError("Only PNG, JPEG, GIF and WebP images can be sent.")
    if not (0 < info.width <= MAX_SIDE and 0 < info.height <= MAX_SIDE):
        raise ValidationError(f"An image may be at most {MAX_SIDE} pixels wide and high.")
    return info


def _identify(content: bytes) -> ImageInfo | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return ImageInfo(Image.Type.PNG, *struct.unpack_from(">II", content, 16))
    if content.startswith((b"GIF87a", b"GIF89a")):
        return ImageInfo(Image.Type.GIF, *struct.unpack_from("<HH", content, 6))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp(content)
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    return None


def _webp(content: bytes) -> ImageInfo | None:
    """WebP has three layouts: lossy, lossless, and the extended one for animations."""
    kind = content[12:16]
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return ImageInfo(Image.Type.WEBP, width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        return ImageInfo(Image.Type.WEBP, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
        return ImageInfo(Image.Type.WEBP, width, height)
    return None


def _jpeg(content: bytes) -> ImageInfo | None:
    """Walk the segments up to the start of frame, which holds the size."""
    position = 2
    while content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        # C4, C8 and CC lie in the range of the frame markers but are something else.
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return ImageInfo(Image.Type.JPEG, width, height)
        (length,) = struct.unpack_from(">H", content, position + 2)
        if length < 2:
            return None
        position += 2 + length
    return None
