"""The client's files under the path: what a browser that loads them sees."""

from __future__ import annotations

import hashlib
import zlib

from tests.conformance.client import Side, shown_headers
from tests.conformance.profiles import ORIGINS
from tests.conformance.scenarios.registry import Observed, scenario
from tests.harness import wire

FOREIGN = "http://evil.example"
NAMES = [
    f"socket.io{kind}.js{end}"
    for kind in ("", ".min", ".msgpack.min", ".esm.min")
    for end in ("", ".map")
]
OTHER_NAMES = ["", "socket.io.slim.js", "socket.io.js/", "dist/socket.io.js", "SOCKET.IO.JS"]


def _ask(server: Side, name: str, method: str = "GET", **headers: str) -> wire.Answer:
    raw = {key.replace("_", "-"): value for key, value in headers.items()}
    return wire.ask(server, "", method, None, raw, path=f"/socket.io/{name}")


def _show(answer: wire.Answer) -> Observed:
    """Status, headers and a digest of the content."""
    body = answer.body
    if body and "content-encoding" in answer.headers:
        body = zlib.decompress(body, 47)
    return {
        "status": answer.status,
        **shown_headers(answer.headers.items()),
        "etag": "etag" in answer.headers,
        "content": hashlib.sha256(body).hexdigest(),
    }


@scenario("client")
def client_files(server: Side) -> Observed:
    return {
        f"{method} {name}": _show(_ask(server, name, method))
        for name in NAMES
        for method in ("GET", "HEAD")
    }


@scenario("client")
def client_files_that_the_browser_has(server: Side) -> Observed:
    etag = _ask(server, NAMES[0]).headers["etag"]
    headers = {"the same": etag, "weak": f"W/{etag}", "other": '"other"', "bare": etag.strip('"')}
    return {
        label: _ask(server, NAMES[0], if_none_match=value).status
        for label, value in {**headers, "a list": f'"other", {etag}', "any": "*"}.items()
    }


@scenario("client")
def client_files_compressed(server: Side) -> Observed:
    accepted = [
        *("gzip", "deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "deflate, gzip"),
        *("*;q=0", "identity", "gzip;q=0, deflate;q=0.5", "GZIP", ""),
    ]
    return {value: _show(_ask(server, NAMES[0], accept_encoding=value)) for value in accepted}


@scenario("client")
def client_files_in_brotli(server: Side) -> Observed:
    return {
        value: _ask(server, NAMES[0], accept_encoding=value).headers.get("content-encoding")
        for value in ("br", "br, gzip", "*")
    }


@scenario("client")
def client_files_by_other_methods(server: Side) -> Observed:
    methods = ("POST", "PUT", "DELETE", "OPTIONS")
    return {method: _ask(server, NAMES[0], method).status for method in methods}


@scenario("client")
def client_files_by_other_names(server: Side) -> Observed:
    return {name: _ask(server, name).status for name in OTHER_NAMES}


@scenario("client")
def client_files_with_a_query(server: Side) -> Observed:
    return {"status": wire.ask(server, "v=1", path=f"/socket.io/{NAMES[0]}").status}


@scenario("client")
def client_files_for_a_foreign_page(server: Side) -> Observed:
    return {"GET": _show(_ask(server, NAMES[0], origin=FOREIGN))}


@scenario("client and origins")
def client_files_for_other_pages(server: Side) -> Observed:
    asked = {"listed": {"origin": ORIGINS[0]}, "foreign": {"origin": FOREIGN}, "no page": {}}
    shown = {label: _show(_ask(server, NAMES[0], **headers)) for label, headers in asked.items()}
    return {
        label: {key: value for key, value in answer.items() if key.startswith("access-control-")}
        for label, answer in shown.items()
    }


@scenario("listed origins")
def client_files_switched_off(server: Side) -> Observed:
    return {name: _ask(server, name).status for name in NAMES}
