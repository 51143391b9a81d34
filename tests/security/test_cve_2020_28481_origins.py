"""By default a page from elsewhere gets nothing, and "*" never goes with credentials."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from django_socketio.conf import get_settings
from tests.conftest import MakeServer
from tests.harness.protocol import POLLING, WEBSOCKET
from tests.harness.servers import HOSTILE, Server
from tests.harness.wire import Answer, Peer, Poller, ask, open_socket, read_answer, upgrade_request

from .inprocess import exchange

FOREIGN = [
    "http://evil.example",
    "https://evil.example:8443",
    "null",
    "http://127.0.0.1.evil.example",
    "http://evil.example/127.0.0.1",
    "http://localhost@evil.example",
    "//127.0.0.1",
    "127.0.0.1",
    "",
]


def is_refused(answer: Answer) -> bool:
    return (
        answer.status == 403
        and answer.json == {"code": 4, "message": "Forbidden"}
        and not any(name.lower().startswith("access-control") for name in answer.headers)
    )


@pytest.mark.parametrize("origin", FOREIGN)
def test_cve_2020_28481_origins_foreign(server: Server, origin: str) -> None:
    headers = {"Origin": origin}
    assert is_refused(ask(server, headers=headers))
    assert is_refused(ask(server, method="POST", body="40", headers=headers))
    asked = {**headers, "Access-Control-Request-Method": "POST"}
    assert is_refused(ask(server, method="OPTIONS", headers=asked))
    assert is_refused(ask(server, "nonsense", headers=headers))

    poller = Poller(server)
    for method, body in (("GET", None), ("POST", "40"), ("OPTIONS", None)):
        assert is_refused(ask(server, poller.query, method, body, headers))
    assert poller.join()  # the session of the others lives

    sock = open_socket(server)
    sock.sendall(upgrade_request(WEBSOCKET, f"Origin: {origin}\r\n"))
    # daphne answers itself (400) where the header is no origin at all.
    assert read_answer(sock).status in ({403} if "://" in origin else {400, 403})
    sock.close()


def test_cve_2020_28481_origins_logs_the_setting_to_change(own_server: MakeServer) -> None:
    """At once, where no other page was refused a moment ago."""
    server = own_server(app=HOSTILE)
    ask(server, headers={"Origin": "http://partner.example"})
    server.process.wait_for_line(r"origin http://partner\.example refused.*CORS_ALLOWED_ORIGINS")


def test_cve_2020_28481_origins_own(server: Server) -> None:
    """The same requests with the server's own origin, or none, are served."""
    for headers in (
        {"Origin": f"http://127.0.0.1:{server.port}"},
        {"Origin": "http://localhost"},
        {},
    ):
        assert ask(server, POLLING, headers=headers).status == 200
        Poller(server, headers).join()
        with Peer(server, headers=headers) as peer:
            assert peer.handshake()["sid"]


@pytest.mark.parametrize(
    ("origins", "credentials"), list(product(["*", [], ["http://a.example"]], [True, False]))
)
async def test_cve_2020_28481_origins_never_any_with_credentials(
    settings: Any, origins: Any, credentials: bool
) -> None:
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": origins, "CORS_ALLOW_CREDENTIALS": credentials}
    if origins == "*" and credentials:
        with pytest.raises(ImproperlyConfigured, match="CORS_ALLOW_CREDENTIALS"):
            get_settings()
        assert "django_socketio.E001" in {problem.id for problem in run_checks()}
        return
    for origin, method, query in product(
        ["http://a.example", "http://b.example", "http://testserver"],
        ["GET", "POST", "OPTIONS"],
        ["EIO=4&transport=polling", "", "EIO=4&transport=polling&sid=unknown"],
    ):
        answer = await exchange(query, method, [(b"origin", origin.encode())])
        allowed = answer.headers.get("access-control-allow-origin")
        with_credentials = answer.headers.get("access-control-allow-credentials")
        if origin == "http://testserver" or origins == "*":
            assert allowed == ("*" if origins == "*" else origin)
        elif origins == ["http://a.example"] and origin == "http://a.example":
            assert allowed == origin
            assert with_credentials == ("true" if credentials else None)
        else:
            assert answer.status == 403
            assert allowed is None
            assert json.loads(answer.body)["code"] == 4
        assert not (allowed == "*" and with_credentials)
