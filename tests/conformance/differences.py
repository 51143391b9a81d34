"""Where ours is meant to differ from the Node server, and why.

Three kinds: the rules of rules.py hold everywhere, STRICTER lists what ours takes for a violation
and Node does not, DIFFERENCES are exact, label by label.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django_socketio.bundles import SERVED
from tests.conformance.rules import rewrite
from tests.conformance.shapes import (
    BAD_REQUEST,
    CLOSED,
    COOKIE,
    CREDENTIALS,
    FORBIDDEN,
    HANDSHAKE,
    HEADERS,
    LISTED,
    METHODS,
    METHODS_OF_NODE,
    OK,
    ORIGIN,
    OWN,
    TEXT,
    UNKNOWN_SID,
    UNKNOWN_TRANSPORT,
    UNSUPPORTED,
    VARIES,
    Observed,
    answer,
    error,
    error_of_node,
    error_of_ours,
    log,
    poll,
)

STRICTER = {
    "packet_EVENT_with_an_id_too_large_for_a_float": "ids are capped; Node answers another id",
    "packet_EVENT_with_an_id_of_30_digits": "ids are capped; Node answers with an exponent",
    "packet_EVENT_with_an_id_of_spaces": "an id is digits",
    "packet_EVENT_without_data": "an event has a name",
    "packet_EVENT_with_a_number": "an event has a name",
    "packet_EVENT_with_an_id_and_no_data": "an event has a name",
    "packet_EVENT_with_a_huge_number": "infinities are refused when they come in",
    "packet_BINARY_EVENT_with_a_count_in_hex": "a count is digits",
    "packet_BINARY_EVENT_with_a_count_with_an_exponent": "a count is digits",
    "packet_BINARY_EVENT_with_a_count_with_spaces": "a count is digits",
    "packet_BINARY_EVENT_without_its_placeholder": "each attachment has its placeholder",
    "packet_BINARY_EVENT_with_one_placeholder_of_two": "each attachment has its placeholder",
    "packet_BINARY_EVENT_with_a_placeholder_twice": "each attachment has one placeholder",
    "packet_BINARY_EVENT_with_num_a_fraction": "an attachment's number is an integer",
    "packet_BINARY_EVENT_with__placeholder_1": "a placeholder is marked by true",
}


class Difference(NamedTuple):
    """What each server shows under a label. Node's comes before the rules, ours after them."""

    node: Any
    ours: Any


class Differences(NamedTuple):
    """Why one scenario shows something else, and under which labels."""

    reason: str
    labels: dict[str, Difference]


OPTIONS: Observed = {
    ORIGIN: "https://a.b.pattern.example",
    HEADERS: "X-Token,content-type",
    "access-control-expose-headers": "X-One,X-Two",
    "access-control-max-age": "600",
}


def _preflight(origin: str, headers: str | None = "content-type,x-token") -> Difference:
    allowed: Observed = {ORIGIN: origin}
    if headers:
        allowed[HEADERS] = headers
    if origin != "*":
        allowed[CREDENTIALS] = "true"
    varies = (
        "Access-Control-Request-Headers"
        if origin == "*"
        else "Origin, Access-Control-Request-Headers"
    )
    node = {"status": 204, **allowed, METHODS: METHODS_OF_NODE, "vary": varies}
    ours = {
        "status": 204,
        **allowed,
        METHODS: "GET,POST",
        "cache-control": "no-store",
        "content-type": "text/plain",
        "vary": varies,
    }
    return Difference(node, ours)


_LIVES = ["lives"]
_CLOSED_BY_CLOSE = {
    "frames": Difference(_LIVES, [CLOSED]),
    "log": Difference(
        log(["event", ["echo"]]),
        log(["disconnect", "transport close"]),
    ),
}
_CLOSE_CLOSES = Differences("a CLOSE packet ends the session over WebSocket, too", _CLOSED_BY_CLOSE)


def _event_still_counts(reason: str) -> Differences:
    return Differences(
        "events that came before the end, in the same request, still count",
        {
            "log": Difference(
                log(["disconnect", reason]),
                log(["event", ["say", 1]], ["disconnect", reason]),
            )
        },
    )


def _not_utf8(replaced: str) -> Differences:
    return Differences(
        "text that is not UTF-8 is refused, not repaired",
        {
            "poll": Difference(poll(f'42["said","{replaced}"]'), poll("1")),
            "afterwards": Difference(OK, UNKNOWN_SID),
            "log": Difference(
                log(["event", ["say", replaced]], ["event", ["echo"]]),
                log(["disconnect", "parse error"]),
            ),
        },
    )


def _emitter_event(name: str) -> Differences:
    return Differences(
        f"{name} means something to Node's EventEmitter only",
        {
            "frames": Difference([CLOSED], _LIVES),
            "log": Difference(
                log(["disconnect", "forced close"]),
                log(["event", [name]], ["event", ["echo"]]),
            ),
        },
    )


def _numeric_name(number: float) -> Differences:
    return Differences(
        "a number as an event's name is its text, as Node's emitter looks it up",
        {
            "log": Difference(
                log(["event", [number]], ["event", ["echo"]]),
                log(["event", [str(number)]], ["event", ["echo"]]),
            )
        },
    )


_WRONG_EIO = (
    "no EIO",
    "empty EIO",
    "EIO 2",
    "EIO 3",
    "EIO 5",
    "EIO 40",
    "EIO 04",
    "EIO with a space",
    "EIO is junk",
    "EIO is not a digit python takes for one",
    "EIO 4 and then 3",
)

_OPEN_OF_CLIENT2 = [HANDSHAKE.replace('"websocket"', ""), "40"]
_RECOVERED = ("recovered", ["pid", "sid"])
_NEW = ("new", ["pid", "sid"])
_KEPT = [["42", "said", 1, "offset"], ["420", "question"]]

DIFFERENCES: dict[str, Differences] = {
    "once": Differences(
        "a client that comes again before the server has noticed its loss is recovered",
        {"while it is there": Difference(_NEW, _RECOVERED)},
    ),
    "what_is_not_kept": Differences(
        "clients take a text at the end for an offset: a volatile event gets the last offset there",
        {
            "events": Difference(
                [["42", "gone"], *_KEPT],
                [["42", "gone", "offset"], *_KEPT],
            )
        },
    ),
    "claims": Differences(
        "a client that has seen no event yet is recovered, too",
        {
            "no offset": Difference(_NEW, _RECOVERED),
            "offset of null": Difference(_NEW, _RECOVERED),
        },
    ),
    "errors_over_http": Differences(
        "a query that is not UTF-8 is a bad request; a parameter given twice is a wrong one",
        {
            "query is not UTF-8": Difference(UNKNOWN_TRANSPORT, BAD_REQUEST),
            "polling and then websocket": Difference(BAD_REQUEST, UNKNOWN_TRANSPORT),
        },
    ),
    "handshakes_with_odd_queries": Differences(
        "as above; Node takes the last of several",
        {
            "junk and then a good transport": Difference([200, "0"], [400, "{"]),
            "EIO 3 and then 4": Difference([200, "0"], [400, "{"]),
            "an unknown parameter that is not UTF-8": Difference([200, "0"], [400, "{"]),
        },
    ),
    "sid_twice": Differences(
        "as above",
        {"bad and then good": Difference(OK, UNKNOWN_SID)},
    ),
    "jsonp": Differences(
        "no JSONP: it is a way to run scripts, and no client of today needs it",
        {"starts with": Difference("___eio[0", '0{"sid":')},
    ),
    "errors_over_websocket": Differences(
        "refused before it is accepted; Node accepts first and then cuts the connection",
        {
            **{
                label: Difference({"closed": 1006}, {"refused": UNSUPPORTED})
                for label in _WRONG_EIO
            },
            "a WebSocket that asks for polling": Difference(CLOSED, {"refused": BAD_REQUEST}),
            "query is not UTF-8": Difference(
                {"refused": {"status": 400, "type": "text/html", "packets": ["Transport unknown"]}},
                {"refused": BAD_REQUEST},
            ),
        },
    ),
    "paths": Differences(
        "exactly the path, with or without the slash; what is below belongs to the project",
        {"/socket.io/extra": Difference(200, 404), "/socket.io": Difference(404, 200)},
    ),
    "client_files_that_the_browser_has": Differences(
        "If-None-Match is read as HTTP has it; Node compares its text",
        {"a list": Difference(200, 304), "any": Difference(200, 304)},
    ),
    "client_files_in_brotli": Differences(
        "Python has no brotli; browsers name gzip first, and get that from both",
        {
            "br": Difference("br", None),
            "br, gzip": Difference("br", "gzip"),
            "*": Difference("br", "gzip"),
        },
    ),
    "client_files_for_other_pages": Differences(
        "CORS headers are for pages, and for those that may use this server",
        {label: Difference({CREDENTIALS: "true"}, {}) for label in ("foreign", "no page")},
    ),
    "client_files_by_other_methods": Differences(
        "a file is read with GET and HEAD; Node does not look at the method",
        {method: Difference(200, 405) for method in ("POST", "PUT", "DELETE", "OPTIONS")},
    ),
    "client_files_by_other_names": Differences(
        "what else is below the path belongs to the project",
        {
            name: Difference(400, 404)
            for name in ("socket.io.slim.js", "socket.io.js/", "dist/socket.io.js", "SOCKET.IO.JS")
        },
    ),
    "client_files_switched_off": Differences(
        "as above",
        {name: Difference(400, 404) for name in sorted(SERVED)},
    ),
    "sid_with_the_wrong_transport": Differences(
        "a session that began on a WebSocket is not upgraded to another one",
        {"a second WebSocket, probe": Difference("3probe", CLOSED)},
    ),
    "what_the_application_sees_of_the_handshake": Differences(
        "no auth is None, as in connect()",
        {
            "websocket": Difference(
                '430[{"query":{"EIO":"4","transport":"websocket","plus":"a b"},"auth":{},'
                '"secure":false,"address":"127.0.0.1","transport":"websocket"}]',
                '430[{"query":{"EIO":"4","transport":"websocket","plus":"a b"},"auth":null,'
                '"secure":false,"address":"127.0.0.1","transport":"websocket"}]',
            )
        },
    ),
    "cors_no_origin": Differences(
        "credentials are for pages, and pages send an Origin",
        {
            "handshake": Difference(
                answer(TEXT, HANDSHAKE, **LISTED, **COOKIE),
                answer(TEXT, HANDSHAKE, **VARIES, **COOKIE),
            ),
            "POST": Difference(
                answer("text/html", "ok", **LISTED), answer("text/html", "ok", **VARIES)
            ),
            "GET": Difference(
                answer(TEXT, '40{"sid":"*"}', **LISTED), answer(TEXT, '40{"sid":"*"}', **VARIES)
            ),
            "error": Difference(
                error_of_node(UNKNOWN_TRANSPORT, **LISTED),
                error_of_ours(UNKNOWN_TRANSPORT, **VARIES),
            ),
            "unknown sid": Difference(
                error_of_node(UNKNOWN_SID, **LISTED), error_of_ours(UNKNOWN_SID, **VARIES)
            ),
        },
    ),
    "cors_foreign_origin": Differences(
        "a foreign origin is refused; Node serves it and leaves the rest to the browser",
        {
            "GET": Difference(
                answer(TEXT, HANDSHAKE, **LISTED, **COOKIE), error_of_ours(FORBIDDEN, **VARIES)
            ),
            "preflight": Difference(
                {
                    "status": 204,
                    CREDENTIALS: "true",
                    HEADERS: "content-type,x-token",
                    METHODS: METHODS_OF_NODE,
                    "vary": "Origin, Access-Control-Request-Headers",
                },
                error_of_ours(FORBIDDEN, **VARIES),
            ),
            "websocket": Difference("0", {"refused": FORBIDDEN}),
            "POST to a session": Difference(
                answer("text/html", "ok", **LISTED), error_of_ours(FORBIDDEN, **VARIES)
            ),
        },
    ),
    "no_cors_foreign_origin": Differences(
        "every request's origin is checked, also where CORS is not configured",
        {
            "GET": Difference(200, 403),
            "preflight": Difference(
                error_of_node(error(2, "Bad handshake method")), error_of_ours(FORBIDDEN, **VARIES)
            ),
            "websocket": Difference("0", {"refused": FORBIDDEN}),
        },
    ),
    "no_cors_own_origin": Differences(
        "an origin that is allowed is told so, the own one, too",
        {
            "handshake": Difference(answer(TEXT), answer(TEXT, **OWN)),
            "POST": Difference(answer("text/html", "ok"), answer("text/html", "ok", **OWN)),
            "GET": Difference(answer(TEXT, '40{"sid":"*"}'), answer(TEXT, '40{"sid":"*"}', **OWN)),
            "error": Difference(
                error_of_node(UNKNOWN_TRANSPORT), error_of_ours(UNKNOWN_TRANSPORT, **OWN)
            ),
            "unknown sid": Difference(
                error_of_node(UNKNOWN_SID), error_of_ours(UNKNOWN_SID, **OWN)
            ),
        },
    ),
    "cors_preflight": Differences(
        "only the methods that there are",
        {
            "full": _preflight("http://one.example"),
            "no header asked": _preflight("http://one.example", None),
            "with sid": _preflight("http://one.example"),
            "unknown sid": _preflight("http://one.example"),
            "no query": _preflight("http://one.example"),
        },
    ),
    "cors_options": Differences(
        "only the methods that there are",
        {
            "preflight": Difference(
                {"status": 204, **OPTIONS, METHODS: METHODS_OF_NODE, "vary": "Origin"},
                {
                    "status": 204,
                    **OPTIONS,
                    METHODS: "GET,POST",
                    "vary": "Origin",
                    "cache-control": "no-store",
                    "content-type": "text/plain",
                },
            ),
        },
    ),
    "a_filter_of_handshakes": Differences(
        "over WebSocket the status is that of HTTP; a client that cannot be served is told why",
        {
            "websocket refused": Difference(
                {"refused": {"status": 400, "type": "text/html", "packets": ["not today"]}},
                {"refused": error(4, "not today", 403)},
            ),
            "EIO 3 refused": Difference(error(4, "not today", 403), UNSUPPORTED),
        },
    ),
    "packets_of_client2": Differences(
        "CLOSE as above; the message is the data of each ERROR, as in socket.io 2",
        {
            "close": Difference([*_OPEN_OF_CLIENT2, "lives"], [*_OPEN_OF_CLIENT2, CLOSED]),
            "CONNECT to an unknown namespace": Difference(
                [*_OPEN_OF_CLIENT2, '44/nowhere,{"message":"Invalid namespace"}', "lives"],
                [*_OPEN_OF_CLIENT2, '44/nowhere,"Invalid namespace"', "lives"],
            ),
        },
    ),
    "cors_any_origin_preflight": Differences("as above", {"preflight": _preflight("*")}),
    "websocket_with_listed_origin": Differences(
        "CORS does not apply to WebSockets",
        {
            "headers": Difference(
                {CREDENTIALS: "true", ORIGIN: "http://one.example", "vary": "Origin"}, {}
            )
        },
    ),
    "methods_on_a_session": Differences(
        "a method that is not served is the client's mistake", {"HEAD": Difference(500, 400)}
    ),
    "payload_packet_type_9_after_an_event": _event_still_counts("parse error"),
    "payload_trailing_separator": _event_still_counts("parse error"),
    "payload_doubled_separator": _event_still_counts("parse error"),
    "payload_close_after_an_event": _event_still_counts("transport close"),
    "client_leaves_the_namespace_and_closes": Differences(
        "as above: it has left before it closes",
        {
            "log": Difference(
                log(["disconnect", "transport close"]),
                log(["disconnect", "client namespace disconnect"]),
            )
        },
    ),
    "payload_not_UTF-8": _not_utf8("\ufffd" * 2),
    "payload_a_surrogate_pair_in_two_halves": _not_utf8("\ufffd" * 6),
    "payload_over_the_limit": Differences(
        "a body over the limit ends its session, as a message over it does on a WebSocket",
        {
            "POST": Difference(
                {"status": 413, "type": None}, {"status": 413, "type": "text/plain"}
            ),
            "poll": Difference(poll("431[]"), poll("1")),
            "afterwards": Difference(OK, UNKNOWN_SID),
            "log": Difference(log(["event", ["echo"]]), log(["disconnect", "transport error"])),
        },
    ),
    "payload_declared_over_the_limit": Differences(
        "a length over the limit is refused before the body is read",
        {"answer": Difference("waits for the body", {"status": 413, "type": "text/plain"})},
    ),
    "payload_at_the_limit": Differences(
        "as for payload_over_the_limit",
        {
            "one over: fate": Difference("lives", "Session ID unknown"),
            "one over in UTF-8: fate": Difference("lives", "Session ID unknown"),
        },
    ),
    "payload_binary_event": Differences(
        "base64 has its own alphabet and its padding",
        {
            "base64 without padding": Difference(
                [OK, ['461-3[{"_placeholder":true,"num":0}]', "bAQIDBA=="]],
                [OK, ["400 Session ID unknown"]],
            ),
            "base64 of URLs": Difference(
                [OK, ['461-4[{"_placeholder":true,"num":0}]', "b/+8="]],
                [OK, ["400 Session ID unknown"]],
            ),
        },
    ),
    "duplicate_get": Differences(
        "every error is the protocol's JSON",
        {"second": Difference({"status": 400}, error_of_ours(BAD_REQUEST))},
    ),
    "duplicate_post": Differences(
        "a request is answered where it can be; Node cuts its connection",
        {"first": Difference("hung up", UNKNOWN_SID)},
    ),
    "duplicate_post_while_a_poll_waits": Differences(
        "as above; this one's body never came",
        {"first": Difference("hung up", UNKNOWN_SID)},
    ),
    "server_leaves_the_namespace": Differences(
        "nothing is sent to a socket that has left",
        {
            "packets": Difference(
                ['42["before","leave"]', "41", '42["after","leave"]', '40{"sid":"*"}', "lives"],
                ['42["before","leave"]', "41", '40{"sid":"*"}', "lives"],
            )
        },
    ),
    "websocket_leaves_the_namespace": Differences(
        "as above",
        {
            "frames": Difference(
                ['42["before","leave"]', "41", '42["after","leave"]', '40{"sid":"*"}', "lives"],
                ['42["before","leave"]', "41", '40{"sid":"*"}', "lives"],
            )
        },
    ),
    "late_acknowledgement": Differences(
        "as above", {"left meanwhile": Difference('432["late"]', "silence")}
    ),
    "frame_close": _CLOSE_CLOSES,
    "frame_close_with_data": _CLOSE_CLOSES,
    "frame_close_before_an_event": _CLOSE_CLOSES,
    "frame_engine_io_3_payload": _CLOSE_CLOSES,
    "upgrade_packet_while_a_poll_waits": Differences(
        "a poll that the upgrade leaves behind is refused like one that comes after it",
        {"poll": Difference(poll("1"), BAD_REQUEST)},
    ),
    "upgrade_then_http": Differences(
        "every request is answered", {"as websocket": Difference("no answer in time", BAD_REQUEST)}
    ),
    "upgrade_post_under_way": Differences(
        "what the client has begun to send before it upgrades is not lost",
        {
            "POST": Difference("hung up", OK),
            "afterwards": Difference(_LIVES, ['42["said",1]', "lives"]),
            "log": Difference(
                log(["event", ["echo"]], ["event", ["echo"]]),
                log(["event", ["echo"]], ["event", ["say", 1]], ["event", ["echo"]]),
            ),
        },
    ),
    "packet_EVENT_named_newListener": _emitter_event("newListener"),
    "packet_EVENT_named_removeListener": _emitter_event("removeListener"),
    "packet_EVENT_named_with_a_number": _numeric_name(1),
    "packet_EVENT_named_with_a_fraction": _numeric_name(1.5),
    "packet_EVENT_with_a_large_integer": Differences(
        "integers are exact",
        {
            "frames": Difference(
                ['42["said",12345678901234567000]', "lives"],
                ['42["said",12345678901234567890]', "lives"],
            ),
            "log": Difference(
                log(["event", ["say", 12345678901234567000]], ["event", ["echo"]]),
                log(["event", ["say", 12345678901234567890]], ["event", ["echo"]]),
            ),
        },
    ),
    "encoding_of_odd_values": Differences(
        "integers are exact, and a float stays one: the same number to JavaScript",
        {
            "1.0": Difference("431[1]", "431[1.0]"),
            "12345678901234567890": Difference(
                "431[12345678901234567000]", "431[12345678901234567890]"
            ),
        },
    ),
    "packet_BINARY_EVENT_with_0_attachments": Differences(
        "no attachments: complete at once",
        {
            "frames": Difference([CLOSED], ['42["said",1]', "lives"]),
            "log": Difference(
                log(["disconnect", "forced close"]),
                log(["event", ["say", 1]], ["event", ["echo"]]),
            ),
        },
    ),
    "packet_BINARY_ACK_with_0_attachments": Differences(
        "as above",
        {
            "frames": Difference([CLOSED], _LIVES),
            "log": Difference(log(["disconnect", "forced close"]), log(["event", ["echo"]])),
        },
    ),
    "first_packet_server_leaves_in_the_handler": Differences(
        "close() in connect() refuses, as in Channels; what connect() emitted is not sent",
        {
            "frames": Difference(
                ['40{"sid":"*"}', "41", '40/room-99,{"sid":"*"}', "lives"],
                ['44{"message":"Connection refused"}', '40/room-99,{"sid":"*"}', "lives"],
            )
        },
    ),
    "first_packet_server_greets_and_leaves_in_the_handler": Differences(
        "as above",
        {
            "frames": Difference(
                ['40{"sid":"*"}', '42["hello",1]', "41", '40/room-99,{"sid":"*"}', "lives"],
                ['44{"message":"Connection refused"}', '40/room-99,{"sid":"*"}', "lives"],
            )
        },
    ),
    "first_packet_server_closes_in_the_handler": Differences(
        "as above; the client does not come again after either",
        {
            "frames": Difference(
                ['40{"sid":"*"}', "41", CLOSED],
                ['44{"message":"Connection refused"}', CLOSED],
            )
        },
    ),
    "connect_again_while_connect_still_runs": Differences(
        "one socket per namespace; in Node the second takes the first one's place unseen",
        {"frames": Difference(['40/slow,{"sid":"*"}', '40/slow,{"sid":"*"}'], [CLOSED])},
    ),
    "disconnect_while_connect_still_runs": Differences(
        "a client may change its mind while connect() runs",
        {"frames": Difference([CLOSED], ["silence"])},
    ),
    "heartbeat_pong_nobody_asked_for": Differences(
        "a pong that nobody asked for moves no timer",
        {"when": Difference("moved", "same")},
    ),
    "volatile_burst_over_websocket": Differences(
        "Node's WebSocket is not writable until the next turn, whatever was sent; the server's "
        "send() has taken each frame when it returns, so nothing is in the way of the next",
        {
            "frames": Difference(
                ['42["n",0]', "lives"], [*(f'42["n",{n}]' for n in range(5)), "lives"]
            )
        },
    ),
}


def expected(name: str, node: Observed) -> Observed:
    """What ours has to show where Node shows ``node``.

    AssertionError where the tables no longer tell the truth about Node.
    """
    if name in STRICTER:
        assert node["frames"][-1] == "lives", "Node is strict, too"
        return {"frames": [CLOSED], "log": log(["disconnect", "parse error"])}
    shown: Observed = rewrite(node)
    if name in DIFFERENCES:
        for label, difference in DIFFERENCES[name].labels.items():
            assert node[label] == difference.node, f"Node shows something else at {label!r}"
            assert shown[label] != difference.ours, f"no difference at {label!r}"
            shown[label] = difference.ours
    return shown
