"""The origin is checked on every request of a session, not only on its first."""

from __future__ import annotations

import pytest

from tests.harness.protocol import WEBSOCKET
from tests.harness.servers import Server
from tests.harness.wire import (
    Peer,
    Poller,
    open_socket,
    raw_websocket,
    read_answer,
    upgrade_request,
)

EVIL = "http://evil.example"


@pytest.mark.parametrize("first", [{}, {"Origin": "http://localhost"}], ids=["no origin", "own"])
def test_cross_site_websocket_hijacking(
    server: Server, bystander: Peer, first: dict[str, str]
) -> None:
    """Who knows a session's id still cannot read, write, or take it over from another page."""
    poller = Poller(server, first)
    poller.join()
    evil = {**first, "Origin": EVIL, "Cookie": "sessionid=stolen"}
    poller.post('42["echo"]', '421["echo","secret"]')
    for method, body in (("GET", None), ("POST", b'42["note_it"]'), ("POST", b"1")):
        answer = poller.ask(method, body, headers=evil)
        assert answer.status == 403
        assert b"secret" not in answer.body
        assert answer.headers["Access-Control-Allow-Origin"] is None
    for query in (WEBSOCKET, f"{WEBSOCKET}&sid={poller.id}"):
        sock = open_socket(server)
        sock.sendall(upgrade_request(query, f"Origin: {EVIL}\r\nCookie: sessionid=stolen\r\n"))
        answer = read_answer(sock)
        assert answer.status == 403
        sock.close()
    # It has lost nothing by it, and may still upgrade itself.
    assert poller.poll() == ['431["secret"]']
    assert server.log(poller.sid) == [["connect"]]
    raw_websocket(server, f"{WEBSOCKET}&sid={poller.id}").close()


def test_cross_site_websocket_hijacking_while_the_owner_polls(
    server: Server, bystander: Peer
) -> None:
    """A refused poll does not count as a second one."""
    poller = Poller(server)
    poller.join()
    with poller.waiting_poll() as poll:
        assert poller.ask(headers={"Origin": EVIL}).status == 403
        assert poller.post('421["echo"]').status == 200
        answer = poll.read()
    assert answer.packets == ["431[]"]
