"""Query parameters of any kind get the protocol's own error, never a 500."""

from __future__ import annotations

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, ask, open_socket, read_answer, upgrade_request

from .inprocess import Wire, exchange

TRANSPORT_UNKNOWN, SID_UNKNOWN, BAD_METHOD, BAD_REQUEST, FORBIDDEN, BAD_VERSION = range(6)
MESSAGES = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
]

QUERIES = [
    ("", TRANSPORT_UNKNOWN),
    ("EIO=4", TRANSPORT_UNKNOWN),
    ("&&&===&", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=", TRANSPORT_UNKNOWN),
    ("EIO=4&transport", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=unknown", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=webtransport", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=POLLING", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=polling&transport=polling", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=polling&transport=websocket", TRANSPORT_UNKNOWN),
    ("EIO=4&transport[]=polling", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=__proto__", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=constructor", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=__class__", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=polling%00", TRANSPORT_UNKNOWN),
    ("EIO=4&transport=" + "x" * 5000, TRANSPORT_UNKNOWN),
    ("EIO=4&transport=polling&sid=unknown", SID_UNKNOWN),
    ("EIO=4&transport=polling&sid=__proto__", SID_UNKNOWN),
    ("EIO=4&transport=polling&sid=a&sid=b", SID_UNKNOWN),
    ("EIO=4&transport=polling&sid=%00%0d%0a", SID_UNKNOWN),
    ("transport=polling", BAD_VERSION),
    ("EIO=&transport=polling", BAD_VERSION),
    ("EIO=junk&transport=polling", BAD_VERSION),
    ("EIO=3&transport=polling", BAD_VERSION),
    ("EIO=5&transport=polling", BAD_VERSION),
    ("EIO=-4&transport=polling", BAD_VERSION),
    ("EIO=4.0&transport=polling", BAD_VERSION),
    ("EIO=04&transport=polling", BAD_VERSION),
    ("EIO=%D9%A4&transport=polling", BAD_VERSION),  # an Arabic four
    ("EIO=4&EIO=4&transport=polling", BAD_VERSION),
    ("EIO=" + "4" * 5000 + "&transport=polling", BAD_VERSION),
    ("EIO=4&transport=%ff%fe", BAD_REQUEST),
    ("EIO=4&transport=polling&x=%c3", BAD_REQUEST),
    ("EIO=%80&transport=polling", BAD_REQUEST),
]


def is_error(answer: object, code: int) -> bool:
    return answer == {"code": code, "message": MESSAGES[code]}


@pytest.mark.parametrize(("query", "code"), QUERIES, ids=[query[:40] for query, _ in QUERIES])
def test_cve_2023_31125_query_parameters_of_polling(server: Server, query: str, code: int) -> None:
    answer = ask(server, query)
    assert answer.status == 400
    assert is_error(answer.json, code)
    assert answer.headers["Content-Type"] == "application/json"
    if code != BAD_VERSION:
        assert ask(server, query, "POST", "40").status == 400


@pytest.mark.parametrize(("query", "code"), QUERIES, ids=[query[:40] for query, _ in QUERIES])
def test_cve_2023_31125_query_parameters_of_websocket(
    server: Server, bystander: Peer, query: str, code: int
) -> None:
    if "transport=polling" in query and query.count("transport") == 1:
        query = query.replace("transport=polling", "transport=websocket")
    sock = open_socket(server)
    sock.sendall(upgrade_request(query))
    answer = read_answer(sock)
    sock.close()
    if server.name == "daphne":
        # It has no way to say why.
        assert answer.status == 403
    else:
        assert answer.status == 400
        assert is_error(answer.json, code)


def test_cve_2023_31125_query_parameters_a_websocket_that_asks_for_polling(
    server: Server, bystander: Peer
) -> None:
    poller = Poller(server)
    poller.join()
    for query in ("EIO=4&transport=polling", poller.query):
        sock = open_socket(server)
        sock.sendall(upgrade_request(query))
        answer = read_answer(sock)
        sock.close()
        if server.name == "daphne":
            assert answer.status == 403
        else:
            assert answer.status == 400
            assert is_error(answer.json, BAD_REQUEST)
    answer = ask(server, "EIO=4&transport=websocket")
    assert answer.status == 400
    assert is_error(answer.json, BAD_REQUEST)
    assert poller.post('421["echo"]').status == 200
    assert poller.poll() == ["431[]"]


@pytest.mark.parametrize("query", [b"\xff\xfe", b"EIO=4&transport=\xff", b"\xe2\x82=1"])
async def test_cve_2023_31125_query_parameters_that_are_not_utf_8(query: bytes) -> None:
    """Raw bytes, which HTTP servers may refuse before we see them."""
    for method in ("GET", "POST"):
        answer = await exchange(query, method)
        assert answer.status == 400
        assert is_error(answer.json, BAD_REQUEST)
    assert await Wire(query).refused() == {"type": "websocket.close"}
