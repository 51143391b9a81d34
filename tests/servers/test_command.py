"""``manage.py socketio_server``: where it listens, its processes, and how it ends."""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import urllib.request
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command

from tests.harness.processes import ROOT
from tests.harness.redis import Redis
from tests.harness.servers import HOSTILE, Servers
from tests.harness.waiting import until
from tests.harness.wire import Poller, open_peer
from tests.servers.starting import MANAGE, Listens, serving, started

HANDSHAKE = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.0\r\nHost: localhost\r\n\r\n"


def handshake(sock: socket.socket) -> bytes:
    sock.sendall(HANDSHAKE)
    return b"".join(iter(lambda: sock.recv(65536), b""))


def test_sigterm(servers: Servers) -> None:
    """A poll that waits is answered when the process ends, a WebSocket is closed properly."""
    server = servers.start("socketio_server", app=HOSTILE)
    poller = Poller(server)
    poller.join()
    with open_peer(server) as peer, poller.waiting_poll() as poll:
        assert peer.echoes()
        server.stop()
        assert poll.read().json["code"] == 1  # "Session ID unknown": connect elsewhere
        assert peer.close_code() in (1000, 1012)


def test_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with started(*MANAGE, "--uds", path) as process:
        process.wait_for_line("running on unix socket")
        with socket.socket(socket.AF_UNIX) as sock:
            until(lambda: sock.connect_ex(path) == 0, "the socket")
            assert b'0{"sid":' in handshake(sock)


def test_file_descriptor() -> None:
    """Through a program that passes it on, as systemd does."""
    pass_on = (
        "import os,socket,sys;s=socket.socket();s.bind(('127.0.0.1',0));s.listen();"
        "print('bound to',s.getsockname()[1]);s.set_inheritable(True);"
        "os.execv(sys.argv[1],[*sys.argv[1:],'--fd',str(s.fileno())])"
    )
    with started(MANAGE[0], "-c", pass_on, *MANAGE) as process:
        server = Listens(int(process.wait_for_line(r"bound to (\d+)")[1]))
        process.wait_for_line("startup complete")
        assert Poller(server).join()


def test_tls(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(self_signed())
    with serving("0", "--certfile", str(certificate)) as (_, server):
        context = ssl.create_default_context(cafile=str(certificate))
        raw = socket.create_connection(("127.0.0.1", server.port))
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as sock:
            assert b'0{"sid":' in handshake(sock)


def self_signed() -> bytes:
    """A certificate for 127.0.0.1 with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, kind, plain) + certificate.public_bytes(pem)


def peers(port: int) -> int | None:
    """How many others the process that answers knows, None while none does."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/counts/", timeout=20) as answer:
            return len(json.load(answer)["peers"])
    except OSError:
        return None


@pytest.mark.redis
def test_workers_share_sessions() -> None:
    """Each request has a connection of its own, so it reaches any of the processes."""
    redis = Redis()
    try:
        with serving("0", "--workers", "2", redis=redis.url) as (_, server):
            until(lambda: peers(server.port) == 1, "the workers to meet", 60)
            for _ in range(8):
                poller = Poller(server)
                poller.join()
                assert poller.post('42["nobody handles this"]').text == "ok"
    finally:
        redis.close()


def test_workers_without_a_shared_layer_say_so() -> None:
    with serving("0", "--workers", "2") as (process, _):
        process.wait_for_line("WEB_CONCURRENCY asks for 2 processes, but CHANNEL_LAYERS has")
        until(lambda: process.log.count("startup complete") == 2, "both workers")


def test_reload(tmp_path: Path) -> None:
    module = tmp_path / "reloaded.py"
    text = "from tests.project.asgi import application\nprint('serving', {})\n"
    module.write_text(text.format(1))
    options = ("--pythonpath", f"{ROOT}", "--app", "reloaded:application", "--reload")
    with started(*MANAGE, "0", *options, cwd=tmp_path) as process:
        process.wait_for_line("serving 1")
        process.wait_for_line("startup complete")
        module.write_text(text.format(2))
        process.wait_for_line("serving 2")


def test_forwarded_headers_of_a_proxy_are_believed() -> None:
    """The access log has the client's address where the proxy on 127.0.0.1 is trusted."""
    for options, address in (((), "203.0.113.9"), (("--no-proxy-headers",), "127.0.0.1")):
        with serving("0", "--access-log", *options) as (process, server):
            Poller(server, {"X-Forwarded-For": "203.0.113.9"}).join()
            process.wait_for_line(rf'{re.escape(address)}:\d+ - "POST /socket\.io/')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "'nowhere' is not a port, or an address and a port"),
        (["99999"], "is not a port"),
        (["8000", "--uds", "x"], "Give one of ADDRPORT, --uds and --fd"),
        (["--workers", "0"], "--workers wants a positive number"),
        (["--workers", "2", "--reload"], "--reload a single process"),
        (["--keyfile", "x"], "--keyfile wants --certfile"),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("socketio_server", *arguments, skip_checks=True)


def test_without_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(CommandError, match=r"pip install 'channels-socketio\[server,speedups\]'"):
        call_command("socketio_server", skip_checks=True)


def test_what_uvicorn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/limits.md recommends; and the addresses that runserver understands."""
    told: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.run", lambda app, **options: told.update(options, app=app))
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    call_command("socketio_server", "[::1]:7000", skip_checks=True)
    assert told["app"] == "tests.project.asgi:application"
    assert (told["host"], told["port"]) == ("::1", 7000)
    assert told["ws_max_size"] == 1_000_000
    assert told["ws_per_message_deflate"] is False
    assert told["timeout_graceful_shutdown"] == 10
    assert told["forwarded_allow_ips"] is None
    call_command("socketio_server", skip_checks=True)
    assert (told["host"], told["port"]) == ("127.0.0.1", 8000)
