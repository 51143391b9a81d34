"""Who may enter the namespace that feeds the live page, asked with the official clients."""

from __future__ import annotations

import pytest

from django_socketio.admin_pages.feed import NAMESPACE
from tests.admin.people import log_in_staff
from tests.harness.node import Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node


# The Admin UI comes with a client of its own, which is not of version 2.x.
@pytest.mark.parametrize("client", ["3", "4"], indirect=True, ids="js{}".format)
@pytest.mark.parametrize(
    ("who", "answer"),
    [
        ("anonymous", "Error: Login required"),
        ("bob", "Error: Permission denied"),
        ("clerk", "Error: Permission denied"),
        ("watcher", "entered"),
    ],
)
def test_only_staff_with_the_permission_enter(
    node_runner: Runner, server: Server, client: str, transport: str, who: str, answer: str
) -> None:
    if who == "anonymous":
        cookie = ""
    elif who == "bob":
        cookie = server.log_in(who)
    else:
        mine = "view_serverprocess" if who == "watcher" else "send_events"
        cookie = log_in_staff(server, who, mine)
    seen = node_runner.run(
        *("enter_feed", server.url),
        client=client,
        transport=transport,
        namespace=NAMESPACE,
        cookie=cookie,
    )
    entered = answer == "entered"
    assert seen == {"answer": answer, "connected": entered, "told": entered, "sum": 3}
