"""A POST of any content type is answered at once, and holds nothing."""

from __future__ import annotations

import http.client
import json

import pytest

from .support.servers import Server
from .support.wire import DEADLINE, Peer, Poller, ask

TYPES = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/json",
    "application/x-www-form-urlencoded",
    "image/png",
    "application/octet-stream; charset=x",
    "nonsense",
    "",
]


@pytest.mark.parametrize("content_type", TYPES)
def test_cve_2026_59725_content_types_are_answered(
    server: Server, bystander: Peer, content_type: str
) -> None:
    poller = Poller(server)
    poller.join()
    answer = poller.ask("POST", '421["echo",1]', headers={"Content-Type": content_type})
    assert (answer.status, answer.body) == (200, b"ok")
    assert poller.poll() == ["431[1]"]


def test_cve_2026_59725_content_types_octet_stream(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    headers = {"Content-Type": "application/octet-stream"}
    answer = poller.ask("POST", b"\x00\x01\x02", headers=headers)
    assert answer.status == 400
    assert server.reason(poller.sid) == "transport error"
    assert poller.is_gone()


def test_cve_2026_59725_content_types_a_thousand_hold_nothing(
    server: Server, bystander: Peer
) -> None:
    before = server.state()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    headers = {"Content-Type": "application/octet-stream"}
    for _ in range(1000):
        handshake = ask(server, connection=connection)
        sid = json.loads(handshake.body[1:])["sid"]
        query = f"EIO=4&transport=polling&sid={sid}"
        answer = ask(server, query, "POST", b"\x00", headers, connection)
        assert answer.status == 400
        assert answer.json["message"] == "Bad request"
    connection.close()
    server.until_it_holds_no_more_than(before)
