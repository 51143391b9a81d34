"""A server that is set up less safely than it can be says so at its first handshakes."""

from __future__ import annotations

import pytest
import socketio

from tests.harness.servers import Servers
from tests.harness.waiting import DEADLINE

PROXY = "a proxy that is not trusted sends requests"
DEFLATE = "uvicorn inflates messages of clients to 16777216 bytes"


# uvicorn trusts a proxy on 127.0.0.1 by itself; daphne does not inflate.
@pytest.mark.parametrize(
    ("name", "said", "unsaid"), [("daphne", PROXY, DEFLATE), ("uvicorn", DEFLATE, PROXY)]
)
async def test_advice_is_given_once(servers: Servers, name: str, said: str, unsaid: str) -> None:
    server = servers.start(name)
    for _ in range(2):
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            server.url,
            headers={"X-Forwarded-For": "203.0.113.7"},
            namespaces=["/lab"],
            transports=["websocket"],
            wait_timeout=DEADLINE,
        )
        await client.shutdown()
    server.expect_in_log(said)
    server.stop()
    log = server.process.log
    # daphne's own handler writes it a second time, behind a date.
    assert sum(line.startswith(said) for line in log.splitlines()) == 1
    assert unsaid not in log
