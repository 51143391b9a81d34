"""A POST of any content type is answered at once, and holds nothing."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.harness.protocol import PATH, POLLING
from tests.harness.servers import Server
from tests.harness.waiting import DEADLINE
from tests.harness.wire import Peer, Poller

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

    def exchange(*request: Any) -> http.client.HTTPResponse:
        connection.request(*request)
        return connection.getresponse()

    for _ in range(1000):
        sid = json.loads(exchange("GET", f"{PATH}?{POLLING}").read()[1:])["sid"]
        answer = exchange("POST", f"{PATH}?{POLLING}&sid={sid}", b"\x00", headers)
        assert answer.status == 400
        assert json.load(answer)["message"] == "Bad request"
    connection.close()
    server.until_it_holds_no_more_than(before)
