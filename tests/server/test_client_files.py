"""`SERVE_CLIENT`: the official client's files under our path."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_socketio.asgi import SocketIOApplication
from django_socketio.bundles import SERVED
from tests.harness.bundles import content_of, install, uninstall
from tests.harness.inprocess import Exchange, Frames

NAME = "socket.io.js"


class Rest:
    """The rest of the project; it notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture
def rest() -> Rest:
    return Rest()


@pytest.fixture
def application(rest: Rest) -> SocketIOApplication:
    return SocketIOApplication(rest)


@pytest.fixture(autouse=True)
def installed(settings: Any, tmp_path: Path) -> Path:
    return install(settings, tmp_path / "client")


@pytest.fixture
def get(application: SocketIOApplication) -> Callable[..., Any]:
    async def get(
        name: str = NAME, method: str = "GET", path: str | None = None, **headers: str
    ) -> Exchange:
        raw = [(key.replace("_", "-").encode(), text.encode()) for key, text in headers.items()]
        path = path or f"/socket.io/{name}"
        return await Exchange(application, "", method, raw, path=path).run()

    return get


@pytest.mark.parametrize("name", sorted(SERVED))
async def test_each_file_is_served(get: Any, name: str) -> None:
    answer = await get(name)
    assert (answer.status, answer.body) == (200, content_of(name))
    kind = "json" if name.endswith(".map") else "javascript"
    assert answer.headers == {
        "content-type": f"application/{kind}; charset=utf-8",
        "content-length": str(len(content_of(name))),
        "cache-control": "public, max-age=0",
        "etag": answer.headers["etag"],
        "vary": "Accept-Encoding, Origin",
    }


async def test_head_is_the_same_without_the_body(get: Any) -> None:
    for accepted in ("", "gzip"):
        head, answer = [await get(method=m, accept_encoding=accepted) for m in ("HEAD", "GET")]
        assert (head.status, head.body, head.headers) == (200, b"", answer.headers)


@pytest.mark.parametrize(
    "known", ["{}", "W/{}", '"other", {}', 'W/"other", W/{}', "*", "{} , W/{}"]
)
async def test_what_the_browser_has_is_not_sent(get: Any, known: str) -> None:
    etag = (await get()).headers["etag"]
    for method in ("GET", "HEAD"):
        again = await get(method=method, if_none_match=known.replace("{}", etag))
        assert (again.status, again.body) == (304, b"")
        assert again.headers == {
            "cache-control": "public, max-age=0",
            "etag": etag,
            "vary": "Accept-Encoding, Origin",
        }


@pytest.mark.parametrize("known", ["", '"other"', "{x}", "junk", "W/", '"'])
async def test_else_it_is_sent(get: Any, known: str) -> None:
    assert (await get(if_none_match=known)).status == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("deflate, gzip", "deflate"),
        ("br, gzip;q=0.5", "gzip"),
        ("br", None),
        ("gzip;q=0", None),
        ("*", "gzip"),
    ],
)
async def test_compression(get: Any, accepted: str, encoding: str | None) -> None:
    plain, answer = await get(), await get(accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == encoding
    assert (plain.headers["etag"] == answer.headers["etag"]) == (encoding is None)
    if encoding is not None:
        assert len(answer.body) < len(plain.body) / 10
        assert zlib.decompress(answer.body, 47) == content_of(NAME)
        etag = answer.headers["etag"]
        again = await get(accept_encoding=accepted, if_none_match=etag)
        assert again.status == 304
        assert (await get(if_none_match=etag)).status == 200


async def test_a_file_is_read_and_compressed_once(get: Any, installed: Path) -> None:
    first = await get(accept_encoding="gzip")
    (installed / NAME).write_bytes(b"changed")
    second = await get(accept_encoding="gzip")
    assert (first.body, first.headers) == (second.body, second.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods(get: Any, method: str) -> None:
    answer = await get(method=method)
    assert (answer.status, answer.body, answer.headers["allow"]) == (405, b"", "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/socket.io/other.js",
        "/socket.io/socket.io.js/",
        "/socket.io/dist/socket.io.js",
        "/socket.io//socket.io.js",
        "/socket.iosocket.io.js",
        "/socket.io/../socket.io.js",
        "/socket.io/socket.io.LICENSE.txt",
        "/socket.io.js",
        "/chat/socket.io.js",
    ],
)
async def test_the_rest_is_the_project_s(get: Any, rest: Rest, path: str) -> None:
    assert (await get(path=path)).status == 418
    assert rest.asked == [path]


async def test_a_websocket_there_is_the_project_s(
    application: SocketIOApplication, rest: Rest
) -> None:
    await Frames(application, path=f"/socket.io/{NAME}").refused()
    assert rest.asked == [f"/socket.io/{NAME}"]


async def test_switched_off(get: Any, rest: Rest, settings: Any) -> None:
    settings.SOCKETIO = {"SERVE_CLIENT": False}
    assert (await get()).status == 418
    assert rest.asked == [f"/socket.io/{NAME}"]


@pytest.mark.parametrize("path", ["/ws/io/", "/ws/io", "/"])
async def test_below_the_path_of_the_application(rest: Rest, path: str) -> None:
    application = SocketIOApplication(rest, path=path)
    where = path.rstrip("/") + f"/{NAME}"
    assert (await Exchange(application, "", path=where).run()).status == 200
    assert (await Exchange(application, "", path="/socket.io/" + NAME).run()).status == 418
    mounted = Exchange(application, "", path="/mount" + where, root_path="/mount")
    assert (await mounted.run()).status == 200


async def test_pages_that_may_use_this_server_may_read_it(
    get: Any, settings: Any, logged: Callable[..., Any]
) -> None:
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": ["https://one.example"]}
    may = await get(origin="https://one.example", host="testserver")
    assert may.headers["access-control-allow-origin"] == "https://one.example"
    foreign = await get(origin="https://evil.example", host="testserver")
    assert foreign.status == 200
    assert not [name for name in foreign.headers if name.startswith("access-control")]
    assert logged(logging.INFO) == []


async def test_any_page_may_read_it(get: Any, settings: Any) -> None:
    settings.SOCKETIO = {"CORS_ALLOWED_ORIGINS": "*"}
    answer = await get(origin="https://one.example", host="testserver")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_where_it_is_not_installed_it_says_what_to_do(
    get: Any, settings: Any, logged: Callable[..., Any]
) -> None:
    uninstall(settings)
    answer = await get()
    assert answer.status == 404
    assert "make client" in answer.body.decode()
    assert "make client" in logged()[0].getMessage()


async def test_a_project_without_staticfiles(get: Any, settings: Any) -> None:
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "django.contrib.staticfiles"
    ]
    assert (await get()).status == 200
