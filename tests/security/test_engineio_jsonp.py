"""There is no JSONP: what its parameters ask for is not done."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

import django_socketio
from tests.harness.protocol import POLLING
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, ask


@pytest.mark.parametrize("j", ["0", "1", "</script><script>alert(1)//", "__proto__"])
def test_engineio_jsonp_is_not_answered(server: Server, bystander: Peer, j: str) -> None:
    parameters = "&" + urlencode({"j": j, "callback": j, "jsonp": j})
    plain, asked = ask(server), ask(server, POLLING + parameters)
    assert asked.status == 200
    assert (
        asked.headers["Content-Type"]
        == plain.headers["Content-Type"]
        == "text/plain; charset=UTF-8"
    )
    assert asked.body.startswith(b'0{"sid":"')
    assert len(asked.body) == len(plain.body)
    assert b"___eio" not in asked.body
    assert b"script" not in asked.body

    poller = Poller(server, query=parameters)
    poller.join()
    answer = ask(server, poller.query + parameters, "POST", '421["echo",1]')
    assert answer.body == b"ok"
    answer = ask(server, poller.query + parameters)
    assert answer.body == b"431[1]"


def test_engineio_jsonp_forms_are_not_read(server: Server, bystander: Peer) -> None:
    """JSONP posts a form whose field "d" holds the packets: any page may post forms anywhere."""
    poller = Poller(server)
    sid = poller.join()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = urlencode({"d": '42["note_it"]'})
    assert ask(server, f"{poller.query}&j=0", "POST", form, headers).status == 200
    assert server.reason(sid) == "parse error"
    assert server.log(sid) == [["connect"], ["disconnect", "parse error"]]


def test_engineio_jsonp_is_not_in_the_package() -> None:
    for path in Path(django_socketio.__file__).parent.rglob("*.py"):
        assert "___eio" not in path.read_text()
