"""Django's sessions over real connections: who connects, and what it costs the database."""

from __future__ import annotations

import pytest

from tests.harness.node import Runner
from tests.harness.servers import Server

pytestmark = pytest.mark.node


def test_the_user_of_the_session_connects(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    run = node_runner.start(
        "session_user",
        server.url,
        client=client,
        transport=transport,
        namespace="/members",
        cookie=server.log_in("ada"),
    )
    run.wait_for("connected")
    run.go("go on")
    assert run.result() == "ada"


def test_polls_posts_and_upgrades_make_no_query(
    node_runner: Runner, server: Server, transport: str
) -> None:
    cookie = server.log_in("grace")
    before = server.queries()
    run = node_runner.start(
        "session_user", server.url, transport=transport, namespace="/counted", cookie=cookie
    )
    run.wait_for("connected")
    connected = server.queries()
    run.go("go on")
    assert run.result() == "grace"
    # The session and its user are read at the handshake, once, and never again.
    assert 1 <= connected - before <= 3
    assert server.queries() == connected


def test_anonymous_users_are_refused(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    seen = node_runner.run(
        "refused_namespace", server.url, client=client, transport=transport, namespace="/members"
    )
    assert seen == "Login required"


def test_logging_out_closes_the_sessions_sockets(
    node_runner: Runner, server: Server, client: str, transport: str
) -> None:
    cookie, other_cookie = server.log_in("alan"), server.log_in("alan")
    options = {"client": client, "transport": transport}
    run = node_runner.start("session_ends", server.url, **options, cookie=cookie)
    other = node_runner.start(
        "session_user", server.url, **options, namespace="/members", cookie=other_cookie
    )
    sid = run.wait_for("connected")
    other.wait_for("connected")
    server.request("/logout/", {}, cookie=cookie)
    assert run.result() == "io server disconnect"
    assert server.disconnect_of(sid) == {
        "what": "disconnect",
        "reason": "server namespace disconnect",
        "user": "alan",
    }
    # The same user's other session goes on.
    other.go("go on")
    assert other.result() == "alan"
