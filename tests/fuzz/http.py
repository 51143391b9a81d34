"""HTTP requests of a polling session: each gets an answer of the protocol, and leaves nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from tests.fuzz.server import Server

METHODS = ["GET", "POST", "OPTIONS", "PUT", "HEAD", "ge t"]
QUERY = ["EIO=4", "EIO=3", "EIO=", "transport=polling", "transport=websocket", "transport=", "t=1"]
HEADERS = [
    (b"origin", b"http://testserver"),
    (b"origin", b"null"),
    (b"origin", b"http://[::1"),
    (b"content-type", b"application/octet-stream"),
    (b"content-length", b"-1"),
    (b"content-length", b"9" * 30),
    (b"accept-encoding", b"gzip;q=0.5, br, \xff"),
    (b"cookie", b"\xff=;;sessionid"),
    (b"host", b"a b"),
    (b"access-control-request-headers", b"x, \x00"),
]
STATUSES = {200, 204, 400, 403, 404, 405, 408, 413, 429, 503}


def fuzz(data: Any) -> None:
    server.run(requests(data))


async def requests(data: Any) -> None:
    sid, revision = "", (4, 3)[data.ConsumeBool()]
    for _ in range(data.ConsumeIntInRange(1, 4)):
        method, query = "GET", f"EIO={revision}&transport=polling"
        headers = [(b"host", b"testserver")]
        if data.ConsumeIntInRange(0, 2) == 0:
            method = METHODS[data.ConsumeIntInRange(0, len(METHODS) - 1)]
            chosen = (QUERY[data.ConsumeIntInRange(0, len(QUERY) - 1)] for _ in range(2))
            query = "&".join(chosen) + data.ConsumeUnicodeNoSurrogates(8)
            headers = [
                *headers,
                *(HEADERS[data.ConsumeIntInRange(0, len(HEADERS) - 1)] for _ in range(2)),
                (b"x", data.ConsumeBytes(8)),
            ]
        elif sid:
            method = ("POST", "GET")[data.ConsumeIntInRange(0, 3) == 0]
        if sid and data.ConsumeIntInRange(0, 5):
            query += f"&sid={sid}"
        text = "40" if not data.ConsumeBool() else fuzzing.text(data)
        if revision == 3:
            text = f"{len(text.encode('utf-16-le', 'surrogatepass')) // 2}:{text}"
        body = text.encode("utf-8", "replace")
        status, answer = await server.request(method, query, headers, body)
        assert status in STATUSES, (status, answer)
        if b'"sid":"' in answer and not sid:
            sid = answer.partition(b'"sid":"')[2].partition(b'"')[0].decode()


if __name__ == "__main__":
    server = Server(asyncio.new_event_loop())
    fuzzing.run(fuzz)
