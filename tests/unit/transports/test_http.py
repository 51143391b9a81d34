"""HTTP answers: the choice of a compression, and the compression."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from django_socketio.engineio import ErrorCode, HandshakeRefused
from django_socketio.transports.bodies import PIECE
from django_socketio.transports.http import (
    THREAD_SIZE,
    choose_encoding,
    compress,
    error_body,
    respond,
    send_body,
)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("deflate, gzip", "deflate"),
        ("br", None),
        ("identity", None),
        ("GZIP", "gzip"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("gzip; q=0.5 , deflate ; q=0.2", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, deflate", "deflate"),
        ("gzip;q=0.0, deflate;q=0", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("br, *;q=0.1", "gzip"),
        ("gzip;q=0, *", "deflate"),
        ("deflate;q=0, gzip;q=0, *", None),
        ("gzip;q=x", None),
        ("gzip;q=", None),
        ("gzip;q=nan", None),
        ("gzip;q=1;other=2", "gzip"),
        ("x-gzip", None),
        (",,;;,", None),
        ("gzipped", None),
    ],
)
def test_the_encoding_that_a_client_wants_most(accepted: str, chosen: str | None) -> None:
    assert choose_encoding(accepted) == chosen


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("size", [0, 1024, THREAD_SIZE - 1, THREAD_SIZE * 2])
async def test_a_compressed_body_is_the_body(size: int, level: int) -> None:
    body = b"abcdefgh" * (size // 8)
    assert gzip.decompress(await compress(body, "gzip", level)) == body
    assert zlib.decompress(await compress(body, "deflate", level)) == body


async def test_a_higher_level_compresses_better() -> None:
    body = b",".join(b"%d" % (number * number) for number in range(3000))
    sizes = [len(await compress(body, "gzip", level)) for level in (0, 1, 9)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


def test_the_protocol_s_error_answer() -> None:
    for code in ErrorCode:
        assert json.loads(error_body(HandshakeRefused(code))) == {
            "code": int(code),
            "message": code.message,
        }


@pytest.mark.parametrize(("size", "pieces"), [(PIECE, 1), (PIECE + 1, 2), (PIECE * 3, 3)])
async def test_a_large_answer_goes_out_in_pieces(size: int, pieces: int) -> None:
    sent: list[dict[str, Any]] = []
    taken: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await send_body(send, b"x" * size, lambda: taken.append(len(sent)))
    assert taken == [1]
    assert [message.get("more_body", False) for message in sent] == [True] * (pieces - 1) + [False]
    assert b"".join(message["body"] for message in sent) == b"x" * size


async def test_a_whole_answer() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await respond(send, 200, b"ok", b"text/html", [(b"x", b"y")])
    start, body = sent
    assert start["status"] == 200
    assert start["headers"] == [
        (b"content-type", b"text/html"),
        (b"content-length", b"2"),
        (b"cache-control", b"no-store"),
        (b"x", b"y"),
    ]
    assert body == {"type": "http.response.body", "body": b"ok"}
