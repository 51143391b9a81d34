"""What is in a POST body: good, odd and broken payloads of Engine.IO packets."""

from __future__ import annotations

from tests.conformance.client import DEADLINE, Side
from tests.conformance.scenarios.registry import Observed, scenario

ACK = "431[]"
HARMLESS = {
    "pong nobody asked for": "3",
    "pong with data": "3probe",
    "open": "0",
    "open with data": '0{"sid":"x"}',
    "upgrade": "5",
    "noop": "6",
    "noop with data": "6x",
    "two packets": '42["say",1]\x1e42["say",2]',
    "pong and event": '3\x1e42["say",1]',
}
BROKEN = {
    "empty body": "",
    "packet type 7": "7",
    "packet type 9 after an event": '42["say",1]\x1e9',
    "an event after packet type 9": '9\x1e42["say",1]',
    "a letter": "x",
    "an event without its 4": '2["say",1]',
    "ping": "2",
    "ping probe": "2probe",
    "empty message": "4",
    "only a separator": "\x1e",
    "trailing separator": '42["say",1]\x1e',
    "leading separator": '\x1e42["say",1]',
    "doubled separator": '42["say",1]\x1e\x1e42["say",2]',
    "engine.io 3 payload": '11:42["say",1]',
    "binary nobody waits for": "bAQID",
    "base64 with junk": "b!!!",
    "base64 cut short": "bAQ",
    "empty base64": "b",
    "an arabic digit": "٤2",
    "close": "1",
    "close with data": "1x",
    "close before an event": '1\x1e42["say",1]',
    "close after an event": '42["say",1]\x1e1',
    "byte order mark": "\ufeff3",
    "new line at the end": '42["say",1]\n',
    "null character": "4\x00",
}


def _post(server: Side, body: str | bytes, headers: dict[str, str] | None = None) -> Observed:
    """The answers to a POST and to the poll that waited, and what the application saw."""
    tag = server.tag()
    session = server.polling()
    session.connect(f'40{{"tag":"{tag}"}}')
    waiting = session.start_get()
    posted = session.post(body, headers)
    # Where the session goes on, this releases the poll.
    alive = session.post('421["echo"]')
    return {
        "POST": posted,
        "poll": waiting.show(),
        "afterwards": alive,
        "log": server.log(
            tag, "event" if alive != "hung up" and alive["status"] == 200 else "disconnect"
        ),
    }


@scenario()
def harmless_payloads(server: Side) -> Observed:
    shown: Observed = {}
    for label, body in HARMLESS.items():
        session = server.polling()
        session.connect()
        shown[label] = [session.post(body), session.answers()]
    return shown


def _broken(label: str, body: str | bytes) -> None:
    def run(server: Side) -> Observed:
        return _post(server, body)

    run.__name__ = f"payload_{label.replace(' ', '_').replace('.', '_')}"
    scenario()(run)


for _label, _body in BROKEN.items():
    _broken(_label, _body)
_broken("not UTF-8", b'42["say","\xff\xfe"]')
_broken("a surrogate pair in two halves", b'42["say","\xed\xa0\xbd\xed\xb8\x80"]')


@scenario()
def payload_content_types(server: Side) -> Observed:
    shown: Observed = {}
    for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded", "junk"):
        session = server.polling()
        session.connect()
        shown[kind] = [session.post('42["say",1]', {"Content-Type": kind}), session.answers()]
    return shown


@scenario()
def payload_binary_content_type(server: Side) -> Observed:
    return _post(server, '42["say",1]', {"Content-Type": "application/octet-stream"})


@scenario()
def payload_binary_content_type_with_charset(server: Side) -> Observed:
    return _post(server, '42["say",1]', {"Content-Type": "application/octet-stream; charset=utf-8"})


@scenario()
def payload_over_the_limit(server: Side) -> Observed:
    return _post(server, '42["say","' + "x" * 20_000 + '"]')


@scenario()
def payload_declared_over_the_limit(server: Side) -> Observed:
    session = server.polling()
    request = session.start_post('42["say",1]', declared_length=30_000)
    try:
        reply = request.reply(0.3)
        answer = "hung up" if reply is None else reply.show()
    except TimeoutError:
        answer = "waits for the body"
    return {"answer": answer}


@scenario()
def payload_at_the_limit(server: Side) -> Observed:
    session = server.polling()
    session.connect()
    empty = '42["echo",""]'
    exact = '42["echo","' + "x" * (20_000 - len(empty)) + '"]'
    over = '42["echo","' + "x" * (20_001 - len(empty)) + '"]'
    # Bytes count, not characters.
    wide = '42["echo","' + "é" * ((20_002 - len(empty)) // 2) + '"]'
    shown: Observed = {"exact": session.post(exact)["status"]}
    for label, body in (("one over", over), ("one over in UTF-8", wide)):
        other = server.polling()
        posted = other.post(body)
        shown[label] = posted if isinstance(posted, str) else posted["status"]
        shown[f"{label}: fate"] = other.fate()
    return shown


@scenario()
def payload_of_many_packets(server: Side) -> Observed:
    session = server.polling()
    session.connect()
    posted = session.post("\x1e".join(f'42["say",{n}]' for n in range(200)))
    return {"POST": posted, "packets": session.poll(200)}


@scenario()
def payload_binary_event(server: Side) -> Observed:
    session = server.polling()
    session.connect()
    posted = session.post('451-1["echo",{"_placeholder":true,"num":0}]\x1ebAQIDBA==')
    shown: Observed = {"POST": posted, "answer": session.poll(2)}
    posted = session.post('451-2["echo",{"_placeholder":true,"num":0}]')
    shown["attachment in a second POST"] = [posted, session.post("bAQIDBA=="), session.poll(2)]
    lines = "b" + "AAAA" * 19 + "\n" + "AQID\n"
    posted = session.post('451-5["echo",{"_placeholder":true,"num":0}]\x1e' + lines)
    # As the official Java client sends it.
    shown["base64 in lines"] = [posted, session.poll(2)]
    posted = session.post('451-3["echo",{"_placeholder":true,"num":0}]\x1ebAQIDBA')
    shown["base64 without padding"] = [posted, session.poll(2)]
    session = server.polling()
    session.connect()
    posted = session.post('451-4["echo",{"_placeholder":true,"num":0}]\x1eb_-8=')
    shown["base64 of URLs"] = [posted, session.poll(2)]
    return shown


@scenario()
def payload_to_the_server_as_polled(server: Side) -> Observed:
    """Many packets wait: they come in one answer, in order, binary as base64."""
    session = server.polling()
    session.connect()
    session.post('42["burst",5]\x1e42["binary"]\x1e42["say","é € 😀"]')
    server.fence()
    return {"poll": session.poll(9, DEADLINE)}
