"""HTTP around the protocol: CORS, cookies, compression, methods, headers."""

from __future__ import annotations

from tests.conformance.client import Side
from tests.conformance.profiles import ORIGINS
from tests.conformance.scenarios.registry import Observed, scenario
from tests.harness.protocol import POLLING

FOREIGN = "http://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-token",
}


def _headers_of_a_session(server: Side, origin: str | None) -> Observed:
    headers = {"Origin": origin} if origin else {}
    session = server.polling(headers=headers)
    posted = session.start_post("40").show(headers=True)
    return {
        "handshake": session.opened.show(headers=True),
        "POST": posted,
        "GET": session.start_get(fence=False).show(headers=True),
        "error": server.start("GET", "EIO=4&transport=x", headers=headers).show(headers=True),
        "unknown sid": server.start("GET", f"{POLLING}&sid=x", headers=headers).show(headers=True),
    }


@scenario("listed origins")
def cors_listed_origin(server: Side) -> Observed:
    return _headers_of_a_session(server, ORIGINS[0])


@scenario("listed origins")
def cors_second_listed_origin(server: Side) -> Observed:
    return {
        "handshake": server.start("GET", POLLING, headers={"Origin": ORIGINS[1]}).show(headers=True)
    }


@scenario("listed origins")
def cors_no_origin(server: Side) -> Observed:
    return _headers_of_a_session(server, None)


@scenario("listed origins")
def cors_foreign_origin(server: Side) -> Observed:
    headers = {"Origin": FOREIGN}
    with server.websocket(headers=headers) as socket:
        frame = socket.receive()
    shown: Observed = {
        "GET": server.start("GET", POLLING, headers=headers).show(headers=True),
        "preflight": server.start("OPTIONS", POLLING, headers={**headers, **PREFLIGHT}).show(
            headers=True
        ),
        "websocket": frame if isinstance(frame, dict) else frame[:1],
    }
    session = server.polling()
    shown["POST to a session"] = server.start("POST", session.query, "40", headers).show(
        headers=True
    )
    shown["fate"] = session.fate()
    return shown


@scenario("listed origins")
def cors_preflight(server: Side) -> Observed:
    origin = {"Origin": ORIGINS[0]}
    session = server.polling()
    return {
        "full": server.start("OPTIONS", POLLING, headers={**origin, **PREFLIGHT}).show(
            headers=True
        ),
        "no header asked": server.start(
            "OPTIONS", POLLING, headers={**origin, "Access-Control-Request-Method": "GET"}
        ).show(headers=True),
        "with sid": server.start("OPTIONS", session.query, headers={**origin, **PREFLIGHT}).show(
            headers=True
        ),
        "unknown sid": server.start(
            "OPTIONS", f"{POLLING}&sid=nobody", headers={**origin, **PREFLIGHT}
        ).show(headers=True),
        "no query": server.start("OPTIONS", "", headers={**origin, **PREFLIGHT}).show(headers=True),
        "fate": session.fate(),
    }


@scenario("listed origins")
def websocket_with_listed_origin(server: Side) -> Observed:
    with server.websocket(headers={"Origin": ORIGINS[0]}) as socket:
        return {"headers": socket.accept_headers, "opened": socket.open()["upgrades"]}


@scenario("options")
def cors_options(server: Side) -> Observed:
    headers = {"Origin": "https://a.b.pattern.example"}
    shown = _headers_of_a_session(server, headers["Origin"])
    shown["preflight"] = server.start("OPTIONS", POLLING, headers={**headers, **PREFLIGHT}).show(
        headers=True
    )
    return shown


@scenario("options")
def compression_options(server: Side) -> Observed:
    sizes = (85, 86, 2000)
    page = {"Origin": "https://a.b.pattern.example"}
    return {str(size): _large(server, size, "gzip", headers=page) for size in sizes}


@scenario("any origin")
def cors_any_origin(server: Side) -> Observed:
    return _headers_of_a_session(server, FOREIGN)


@scenario("any origin")
def cors_any_origin_preflight(server: Side) -> Observed:
    headers = {"Origin": FOREIGN, **PREFLIGHT}
    return {"preflight": server.start("OPTIONS", POLLING, headers=headers).show(headers=True)}


@scenario()
def no_cors_foreign_origin(server: Side) -> Observed:
    headers = {"Origin": FOREIGN}
    with server.websocket(headers=headers) as socket:
        frame = socket.receive()
    return {
        "GET": server.start("GET", POLLING, headers=headers).show(headers=True)["status"],
        "preflight": server.start("OPTIONS", POLLING, headers={**headers, **PREFLIGHT}).show(
            headers=True
        ),
        "websocket": frame if isinstance(frame, dict) else frame[:1],
    }


@scenario()
def no_cors_own_origin(server: Side) -> Observed:
    shown = _headers_of_a_session(server, f"http://127.0.0.1:{server.port}")
    shown["handshake"].pop("packets")
    return shown


@scenario("listed origins")
def cookie_only_on_the_handshake(server: Side) -> Observed:
    session = server.polling(headers={"Origin": ORIGINS[0]})
    cookie = session.opened.headers["set-cookie"]
    session.post("40")
    with server.websocket() as socket:
        websocket = socket.accept_headers.get("set-cookie")
    return {
        "holds the sid": session.sid in cookie,
        "GET": session.start_get().show(headers=True),
        "websocket": websocket,
    }


@scenario()
def methods_on_a_session(server: Side) -> Observed:
    shown: Observed = {}
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        session = server.polling()
        shown[method] = server.request(method, session.query)
        shown[f"{method}: fate"] = session.fate()
    session = server.polling()
    head = server.start("HEAD", session.query).reply()
    shown["HEAD"] = head and head.status
    shown["HEAD: fate"] = session.fate()
    shown["PUT with a body"] = server.request("PUT", session.query, "40")
    return shown


def _large(
    server: Side,
    size: int,
    accept: str | None,
    compress: bool = True,
    headers: dict[str, str] | None = None,
) -> Observed:
    session = server.polling(headers=headers)
    session.connect()
    session.post(f'42["large",{size},{str(compress).lower()}]')
    reply = session.start_get({} if accept is None else {"Accept-Encoding": accept}).reply()
    assert reply is not None
    shown = reply.show(headers=True)
    shown["packets"] = [len(packet) for packet in reply.packets]
    return shown


@scenario()
def compression(server: Side) -> Observed:
    accepted = {
        "nothing said": None,
        "gzip": "gzip",
        "deflate": "deflate",
        "gzip, deflate, br": "gzip, deflate, br",
        "deflate, gzip": "deflate, gzip",
        "br": "br",
        "anything": "*",
        "identity": "identity",
        "gzip refused": "gzip;q=0, deflate;q=0.5",
        "all refused": "*;q=0",
        "better identity": "gzip;q=0.5, identity",
        "capitals": "GZIP",
        "junk": ",;q=,gzip;q=x",
        "empty": "",
    }
    return {label: _large(server, 3000, accept) for label, accept in accepted.items()}


@scenario()
def compression_threshold(server: Side) -> Observed:
    # 42["large",""] is 14 characters around the text.
    sizes = (1000, 1009, 1010, 1011, 2000)
    return {str(size): _large(server, size, "gzip") for size in sizes}


@scenario()
def compression_switched_off_for_a_packet(server: Side) -> Observed:
    return {"compress(false)": _large(server, 3000, "gzip", compress=False)}


@scenario("any origin")
def compression_switched_off(server: Side) -> Observed:
    return {"httpCompression: false": _large(server, 3000, "gzip", headers={"Origin": FOREIGN})}


@scenario()
def compressed_request_bodies(server: Side) -> Observed:
    session = server.polling()
    posted = session.post("40", {"Content-Encoding": "gzip"})
    return {"POST": posted, "answer": session.poll(1)}
