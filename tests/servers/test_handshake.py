"""How WebSockets are opened and refused, and what the application is told."""

from __future__ import annotations

import json
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.harness.wire import Answer, frame, open_socket, read_answer

from .client import TEXT, Client, request, tell
from .conftest import End, Start


def describe(server: End, path: str = "/describe", headers: str = "", **options: Any) -> Any:
    with Client(server, path, headers, **options) as client:
        return client.accepted(), json.loads(client.read()[1])


def test_what_the_application_is_told(end: End) -> None:
    offered = "Sec-WebSocket-Protocol: one, two\r\nSec-WebSocket-Protocol: three\r\nX-Big: \xe9\r\n"
    head, seen = describe(end, "/describe?a=%20b", offered)
    assert "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert "sec-websocket-protocol: three" in head
    assert "x-own: 1\r\nset-cookie: a=1\r\nset-cookie: b=2" in head
    assert "\r\nserver: uvicorn\r\n" in head
    assert (seen["scheme"], seen["path"], seen["raw_path"]) == ("ws", "/describe", "/describe")
    assert seen["query"] == "a=%20b"
    assert seen["subprotocols"] == ["one", "two", "three"]
    assert seen["client"][0] == "127.0.0.1"
    assert seen["word"] == "from lifespan"
    assert ["host", "127.0.0.1"] in seen["headers"]


def test_a_quoted_path(end: End) -> None:
    _, seen = describe(end, "/%64escribe")
    assert (seen["path"], seen["raw_path"]) == ("/describe", "/%64escribe")


def test_behind_a_proxy_below_a_root_path(start: Start) -> None:
    server = start("--root-path", "/mounted", "--forwarded-allow-ips", "127.0.0.1")
    forwarded = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\n"
    _, seen = describe(server, headers=forwarded)
    assert (seen["root_path"], seen["path"]) == ("/mounted", "/mounted/describe")
    assert seen["raw_path"] == "/mounted/describe"
    assert (seen["scheme"], seen["client"][0]) == ("wss", "192.0.2.7")


def test_messages_before_the_acceptance_are_kept(start: Start) -> None:
    """But for those in the segment of the request, which uvicorn drops."""
    server = start()
    with Client(server, "/accept-late") as client:
        assert tell(server, "waiting") == 1
        client.sock.sendall(b"".join(frame(b"%d" % number) for number in range(1000)))
        with Client(server, "/go") as go:
            assert go.refused().status == 403
        client.accepted()
        assert [client.read() for _ in range(1000)] == [(TEXT, b"%d" % n) for n in range(1000)]


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/refuse", 403, b""),
        ("/deny", 418, b"no tea"),
        ("/half-deny", 418, b""),
        ("/leave", 500, b"Internal Server Error"),
        ("/fail", 500, b"Internal Server Error"),
        ("/split-header", 500, b"Internal Server Error"),
    ],
)
def test_refusals(end: End, path: str, status: int, body: bytes) -> None:
    with Client(end, path) as client:
        answer = client.refused()
        assert (answer.status, answer.body) == (status, body)
        assert client.sock.recv(1) == b""


def answer_to(server: End, data: bytes) -> Answer:
    with open_socket(server) as sock:
        sock.sendall(data)
        return read_answer(sock)


def test_bad_requests(end: End) -> None:
    good = request("/echo")
    version = answer_to(end, good.replace(b"Version: 13", b"Version: 12"))
    assert (version.status, version.headers["sec-websocket-version"]) == (426, "13")
    for key in (b"", b"dGhlIHNhbXBsZSBub25j", b"dGhlIHNhbXBsZSBub25jZ", b"*"):
        assert answer_to(end, good.replace(b"dGhlIHNhbXBsZSBub25jZQ==", key)).status == 400
    assert answer_to(end, good.replace(b"GET", b"POST")).status == 400


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The files of a key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    signed = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now, now + timedelta(days=1)
    ).sign(key, hashes.SHA256())
    folder: Path = tmp_path_factory.mktemp("certificate")
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "key.pem"), str(folder / "cert.pem")


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_tls(start: Start, certificate: tuple[str, str], loop: str) -> None:
    key, cert = certificate
    server = start("--ssl-keyfile", key, "--ssl-certfile", cert, "--loop", loop)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    head, seen = describe(server, tls=context)
    assert "101 Switching Protocols" in head
    assert seen["scheme"] == "wss"
    with Client(server, tls=context) as client:
        client.accepted()
        for payload in (b"small", b"x" * 300_000, b"again"):
            client.sock.sendall(frame(payload))
            assert client.read() == (TEXT, payload)
