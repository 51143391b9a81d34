"""The handshake, the protocol's errors and who may ask for what."""

from __future__ import annotations

from tests.conformance.client import Side
from tests.conformance.scenarios.registry import Observed, scenario
from tests.harness.protocol import POLLING, WEBSOCKET

BAD_QUERIES = {
    "no query": "",
    "no transport": "EIO=4",
    "empty transport": "EIO=4&transport=",
    "unknown transport": "EIO=4&transport=tachyon",
    "transport in capitals": "EIO=4&transport=POLLING",
    "transport of the prototype": "EIO=4&transport=__proto__",
    "transport constructor": "EIO=4&transport=constructor",
    "webtransport": "EIO=4&transport=webtransport",
    "junk after a good transport": "EIO=4&transport=polling&transport=junk",
    "unknown sid": "EIO=4&transport=polling&sid=nobody",
    "unknown sid of the prototype": "EIO=4&transport=polling&sid=__proto__",
    "unknown sid and transport": "EIO=4&transport=tachyon&sid=nobody",
    "no EIO": "transport=polling",
    "empty EIO": "EIO=&transport=polling",
    "EIO 2": "EIO=2&transport=polling",
    "EIO 3": "EIO=3&transport=polling",
    "EIO 5": "EIO=5&transport=polling",
    "EIO 40": "EIO=40&transport=polling",
    "EIO 04": "EIO=04&transport=polling",
    "EIO with a space": "EIO=4%20&transport=polling",
    "EIO is junk": "EIO=abc&transport=polling",
    "EIO is not a digit python takes for one": "EIO=%D9%A4&transport=polling",
    "EIO 3 and an unknown sid": "EIO=3&transport=polling&sid=nobody",
    "websocket over plain HTTP": "EIO=4&transport=websocket",
    "query is not UTF-8": "EIO=4&transport=%ff%fe",
    "polling and then websocket": "EIO=4&transport=polling&transport=websocket",
    "EIO 4 and then 3": "EIO=4&EIO=3&transport=polling",
}

GOOD_QUERIES = {
    "junk and then a good transport": "EIO=4&transport=junk&transport=polling",
    "EIO 3 and then 4": "EIO=3&EIO=4&transport=polling",
    "empty sid": "EIO=4&transport=polling&sid=",
    "with a timestamp": "EIO=4&transport=polling&t=abc.0",
    "with b64": "EIO=4&transport=polling&b64=1",
    "encoded": "EIO=%34&transport=p%6Flling",
    "unknown parameters": "EIO=4&transport=polling&foo=bar&foo=baz&%C3%A9=1",
    "an unknown parameter that is not UTF-8": "EIO=4&transport=polling&%ff=1",
}


@scenario()
def errors_over_http(server: Side) -> Observed:
    return {label: server.request("GET", query) for label, query in BAD_QUERIES.items()}


@scenario()
def handshakes_with_odd_queries(server: Side) -> Observed:
    shown = {}
    for label, query in GOOD_QUERIES.items():
        reply = server.start("GET", query).reply()
        shown[label] = reply and [reply.status, reply.text[:1]]
    return shown


@scenario()
def jsonp(server: Side) -> Observed:
    reply = server.start("GET", f"{POLLING}&j=0").reply()
    assert reply is not None
    return {
        "status": reply.status,
        "starts with": reply.text[:8],
        "type": reply.headers["content-type"],
    }


@scenario()
def errors_over_websocket(server: Side) -> Observed:
    shown = {}
    for label, query in BAD_QUERIES.items():
        if query == WEBSOCKET or label == "polling and then websocket":
            continue
        with server.websocket(query.replace("transport=polling", "transport=websocket")) as socket:
            shown[label] = socket.receive()
    with server.websocket(POLLING) as socket:
        shown["a WebSocket that asks for polling"] = socket.receive()
    return shown


@scenario()
def handshake_methods(server: Side) -> Observed:
    methods = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
    shown = {method: server.request(method, POLLING) for method in methods}
    head = server.start("HEAD", POLLING).reply()
    shown["HEAD"] = head and head.status
    shown["POST with a body"] = server.request("POST", POLLING, "40")
    shown["POST, unknown sid"] = server.request("POST", f"{POLLING}&sid=nobody", "40")
    shown["POST, unknown transport"] = server.request("POST", "EIO=4&transport=x", "40")
    shown["POST, EIO 3"] = server.request("POST", "EIO=3&transport=polling", "40")
    shown["POST, websocket"] = server.request("POST", WEBSOCKET, "40")
    return shown


@scenario()
def paths(server: Side) -> Observed:
    shown = {}
    for path in ("/socket.io/", "/socket.io/extra", "/socket.io", "/socket.iox", "/other/"):
        reply = server.start("GET", POLLING, path=path).reply()
        shown[path] = reply and reply.status
    return shown


@scenario("defaults")
def handshake_packet(server: Side) -> Observed:
    polling = server.polling()
    with server.websocket() as socket:
        websocket = socket.open()
    return {
        "polling": {**polling.handshake, "sid": "*"},
        "keys over polling": list(polling.handshake),
        "websocket": {**websocket, "sid": "*"},
        "answer": polling.opened.show(headers=True),
        "sid is url safe": polling.sid.replace("-", "").replace("_", "").isalnum(),
    }


@scenario("any origin")
def handshake_packet_without_upgrades(server: Side) -> Observed:
    session = server.polling()
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        socket.send("2probe")
        probe = socket.receive()
    with server.websocket() as socket:
        direct = socket.open()["upgrades"]
    return {"upgrades": session.handshake["upgrades"], "direct": direct, "probe anyway": probe}


@scenario("polling only")
def handshake_polling_only(server: Side) -> Observed:
    session = server.polling()
    return {
        "upgrades": session.handshake["upgrades"],
        "websocket over HTTP": server.request("GET", WEBSOCKET),
        "CONNECT": session.connect(),
    }


@scenario("websocket only")
def handshake_websocket_only(server: Side) -> Observed:
    with server.websocket() as socket:
        opened = {**socket.open(), "sid": "*"}
    return {"polling": server.request("GET", POLLING), "websocket": opened}


@scenario()
def sid_with_the_wrong_transport(server: Side) -> Observed:
    session = server.polling()
    shown: Observed = {
        "GET as websocket": server.request("GET", f"{WEBSOCKET}&sid={session.sid}"),
        "POST as websocket": server.request("POST", f"{WEBSOCKET}&sid={session.sid}", "40"),
        "fate": session.fate(),
    }
    with server.websocket() as socket:
        sid = socket.open()["sid"]
        shown["GET of a websocket session"] = server.request("GET", f"{POLLING}&sid={sid}")
        shown["POST to a websocket session"] = server.request("POST", f"{POLLING}&sid={sid}", "40")
        shown["OPTIONS"] = server.request("OPTIONS", f"{POLLING}&sid={sid}")
        with server.websocket(f"{WEBSOCKET}&sid={sid}") as second:
            second.send("2probe")
            shown["a second WebSocket, probe"] = second.receive()
        shown["first still there"] = socket.connect()
    return shown


@scenario()
def sid_with_the_wrong_protocol(server: Side) -> Observed:
    session = server.polling()
    return {
        "EIO 3": server.request("GET", f"EIO=3&transport=polling&sid={session.sid}"),
        "no EIO": server.request("GET", f"transport=polling&sid={session.sid}"),
        "POST, EIO 3": server.request("POST", f"EIO=3&transport=polling&sid={session.sid}", "40"),
        "websocket, EIO 3": server.websocket(
            f"EIO=3&transport=websocket&sid={session.sid}"
        ).receive(),
        "fate": session.fate(),
    }


@scenario()
def sid_of_a_closed_session(server: Side) -> Observed:
    session = server.polling()
    return {
        "close": session.post("1"),
        "GET": session.get(),
        "POST": session.post("40"),
        "websocket": server.websocket(f"{WEBSOCKET}&sid={session.sid}").receive(),
    }


@scenario()
def sid_twice(server: Side) -> Observed:
    session = server.polling()
    return {
        "bad and then good": server.request("POST", f"{POLLING}&sid=nobody&sid={session.sid}", "3"),
        "good and then bad": server.request("POST", f"{POLLING}&sid={session.sid}&sid=nobody", "3"),
    }


@scenario()
def what_the_application_sees_of_the_handshake(server: Side) -> Observed:
    session = server.polling("&token=a%20b&token=c%2B&empty=&%C3%A9=%E2%82%AC")
    session.connect('40{"user":"é","n":[1,null]}')
    session.post('420["handshake"]')
    first = session.poll(1)
    with server.websocket(f"{WEBSOCKET}&plus=a+b") as socket:
        socket.open()
        socket.connect()
        socket.send('420["handshake"]')
        second = socket.receive()
    return {"polling": first, "websocket": second}


@scenario("options")
def a_filter_of_handshakes(server: Side) -> Observed:
    refuse = {"X-Refuse": "not today"}
    with server.websocket(headers=refuse) as socket:
        websocket = socket.receive()
    with server.websocket() as socket:
        opened = socket.receive()
    session = server.polling()
    posted = server.request("POST", session.query, "40", refuse)
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}", headers=refuse) as socket:
        socket.send("2probe")
        upgrade = socket.receive()
    return {
        "GET refused": server.request("GET", POLLING, headers=refuse),
        "without a reason": server.request("GET", POLLING, headers={"X-Refuse": ""}),
        "websocket refused": websocket,
        "websocket": opened[:1],
        "POST to a session": posted,
        "upgrade of a session": upgrade,
        "POST without a session": server.request("POST", POLLING, "40", refuse),
        "EIO 3 refused": server.request("GET", "EIO=3&transport=polling", headers=refuse),
    }
