"""Socket.IO packets: namespaces, events, acknowledgements, attachments and broken ones."""

from __future__ import annotations

import re

from tests.conformance.client import Side
from tests.conformance.scenarios.registry import Observed, scenario

# Sent on a connected socket of the default namespace.
PACKETS: dict[str, tuple[str | bytes, ...]] = {
    "CONNECT twice": ("40",),
    "CONNECT twice with auth": ('40{"a":1}',),
    "EVENT to an unknown namespace": ('42/nowhere,["say",1]',),
    "EVENT to a namespace not joined": ('42/other,["say",1]',),
    "ACK to a namespace not joined": ("43/other,1[]",),
    "DISCONNECT of a namespace not joined": ("41/other",),
    "CONNECT_ERROR from the client": ('44{"message":"x"}',),
    "CONNECT_ERROR without data": ("44",),
    "CONNECT_ERROR with text": ('44"x"',),
    "DISCONNECT and then EVENT": ("41", '42["say",1]'),
    "DISCONNECT and then CONNECT": ("41", "40"),
    "DISCONNECT twice": ("41", "41"),
    "DISCONNECT with data": ("41[]",),
    "DISCONNECT with an id": ("411",),
    "EVENT with an id": ('427["echo","a",1,null,{"b":[true]}]',),
    "EVENT with id 0": ('420["echo"]',),
    "EVENT with an id of zeros": ('4200007["echo"]',),
    "EVENT with a large id": ('429007199254740991["echo"]',),
    "EVENT with an id too large for a float": ('429007199254740993["echo"]',),
    "EVENT with an id of 30 digits": ("42" + "1" * 30 + '["echo"]',),
    "EVENT with an id of spaces": ('42 1["echo"]',),
    "EVENT with a negative id": ('42-1["echo"]',),
    "EVENT with an id and no handler": ('427["nobody",1]',),
    "EVENT without a handler": ('42["nobody",1]',),
    "EVENT named error": ('42["error"]',),
    "EVENT named message": ('42["message",1]',),
    "EVENT named ping": ('42["ping"]',),
    "EVENT named connection": ('42["connection"]',),
    "EVENT named connect": ('42["connect"]',),
    "EVENT named connect_error": ('42["connect_error"]',),
    "EVENT named disconnect": ('42["disconnect"]',),
    "EVENT named disconnecting": ('42["disconnecting"]',),
    "EVENT named newListener": ('42["newListener"]',),
    "EVENT named removeListener": ('42["removeListener"]',),
    "EVENT named with nothing": ('42["",1]',),
    "EVENT named with a number": ("42[1]",),
    "EVENT named with a fraction": ("42[1.5]",),
    "EVENT named true": ("42[true]",),
    "EVENT named null": ("42[null]",),
    "EVENT named with an object": ("42[{}]",),
    "EVENT named with a list": ('42[["a"]]',),
    "EVENT without data": ("42",),
    "EVENT with an object": ("42{}",),
    "EVENT with an empty list": ("42[]",),
    "EVENT with text": ('42"say"',),
    "EVENT with a number": ("421",),
    "EVENT with an id and no data": ("427",),
    "EVENT with null": ("42null",),
    "EVENT with broken JSON": ('42["say"',),
    "EVENT with junk after it": ('42["say"]x',),
    "EVENT with spaces around": ('42 ["say",1] ',),
    "EVENT with NaN": ('42["say",NaN]',),
    "EVENT with Infinity": ('42["say",-Infinity]',),
    "EVENT with a huge number": ('42["say",1e999]',),
    "EVENT with a large integer": ('42["say",12345678901234567890]',),
    "EVENT with a lone surrogate": ('42["say","\\ud83d"]',),
    "EVENT with the same key twice": ('42["say",{"a":1,"a":2}]',),
    "EVENT with __proto__": ('42["say",{"__proto__":{"a":1}}]',),
    "EVENT with a control character": ('42["say","a\tb"]',),
    "EVENT with deep nesting": ('42["say",' + "[" * 50 + "]" * 50 + "]",),
    "EVENT with a placeholder": ('42["say",{"_placeholder":true,"num":0}]',),
    "EVENT to the default namespace by name": ('42/,["say",1]',),
    "EVENT with a query in the namespace": ('42/?a=1,["say",1]',),
    "packet type 7": ("47",),
    "packet type 9": ("49",),
    "packet type is a letter": ("4x",),
    "packet type is a brace": ("4{",),
    "packet type is a space": ('4 ["say"]',),
    "packet type is an arabic digit": ('4٢["say",1]',),
    "ACK nobody asked for": ("4399[]",),
    "ACK without an id": ("43[]",),
    "ACK without data": ("431",),
    "ACK with an object": ("431{}",),
    "BINARY_EVENT": ('451-["say",{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT with an id": ('451-7["echo",{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT in order of num": (
        '452-["say",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
        b"\x01",
        b"\x02",
    ),
    "BINARY_EVENT nested": ('451-["say",{"a":[{"_placeholder":true,"num":0}]}]', b"\x01"),
    "BINARY_EVENT and then text": ('451-["say",{"_placeholder":true,"num":0}]', '42["say",1]'),
    "BINARY_EVENT and then DISCONNECT": ('451-["say",{"_placeholder":true,"num":0}]', "41"),
    "BINARY_EVENT with 0 attachments": ('450-["say",1]',),
    "BINARY_EVENT with 11 attachments": (
        "4511-" + '["say"' + ',{"_placeholder":true,"num":0}' * 11 + "]",
        *(b"\x01" for _ in range(11)),
    ),
    "BINARY_EVENT without a count": ('45["say",1]',),
    "BINARY_EVENT with only a dash": ('45-["say",{"_placeholder":true,"num":0}]',),
    "BINARY_EVENT with a letter as count": ('45x-["say",{"_placeholder":true,"num":0}]',),
    "BINARY_EVENT with a fraction as count": (
        '451.5-["say",{"_placeholder":true,"num":0}]',
        b"\x01",
    ),
    "BINARY_EVENT with a count in hex": ('450x1-["say",{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT with a count with an exponent": (
        '451e0-["say",{"_placeholder":true,"num":0}]',
        b"\x01",
    ),
    "BINARY_EVENT with a count with spaces": (
        '45 1-["say",{"_placeholder":true,"num":0}]',
        b"\x01",
    ),
    "BINARY_EVENT with a count with zeros": ('4501-["say",{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT with a negative count": ('45-1-["say",{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT without its placeholder": ('451-["say",1]', b"\x01"),
    "BINARY_EVENT with one placeholder of two": (
        '452-["say",{"_placeholder":true,"num":0}]',
        b"\x01",
        b"\x02",
    ),
    "BINARY_EVENT with a placeholder twice": (
        '451-["say",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
        b"\x01",
    ),
    "BINARY_EVENT with num too large": ('451-["say",{"_placeholder":true,"num":1}]', b"\x01"),
    "BINARY_EVENT with num negative": ('451-["say",{"_placeholder":true,"num":-1}]', b"\x01"),
    "BINARY_EVENT with num a fraction": ('451-["say",{"_placeholder":true,"num":0.5}]', b"\x01"),
    "BINARY_EVENT with num as text": ('451-["say",{"_placeholder":true,"num":"0"}]', b"\x01"),
    "BINARY_EVENT with num true": ('451-["say",{"_placeholder":true,"num":true}]', b"\x01"),
    "BINARY_EVENT without num": ('451-["say",{"_placeholder":true}]', b"\x01"),
    "BINARY_EVENT with _placeholder 1": ('451-["say",{"_placeholder":1,"num":0}]', b"\x01"),
    "BINARY_EVENT with more keys in the placeholder": (
        '451-["say",{"_placeholder":true,"num":0,"x":1}]',
        b"\x01",
    ),
    "BINARY_EVENT named with a placeholder": ('451-[{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT named connect": ('451-["connect",{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_EVENT with one frame too many": (
        '451-["say",{"_placeholder":true,"num":0}]',
        b"\x01",
        b"\x02",
    ),
    "BINARY_ACK nobody asked for": ('461-99[{"_placeholder":true,"num":0}]', b"\x01"),
    "BINARY_ACK with 0 attachments": ("460-99[]",),
    "binary out of nowhere": (b"\x01",),
}

# Sent as the first packet of a session.
FIRST: dict[str, tuple[str | bytes, ...]] = {
    "CONNECT": ("40",),
    "CONNECT by name": ("40/,",),
    "CONNECT by name without a comma": ("40/",),
    "CONNECT with an empty object": ("40{}",),
    "CONNECT with auth": ('40{"token":"é"}',),
    "CONNECT with a list": ("40[]",),
    "CONNECT with text": ('40"token"',),
    "CONNECT with a number": ("401",),
    "CONNECT with an id and auth": ('401{"a":1}',),
    "CONNECT with null": ("40null",),
    "CONNECT with true": ("40true",),
    "CONNECT with broken JSON": ("40{",),
    "CONNECT to another namespace": ("40/other,",),
    "CONNECT to another namespace without a comma": ("40/other",),
    "CONNECT to another namespace with auth": ('40/other,{"a":1}',),
    "CONNECT to a namespace that is unknown": ("40/unknown,",),
    "CONNECT to a namespace that is unknown and then another": ("40/unknown,", "40/other,"),
    "CONNECT to a namespace that is not ASCII": ("40/é,",),
    "CONNECT to a namespace with a query": ("40/other?a=1,",),
    "CONNECT to a namespace in capitals": ("40/OTHER,",),
    "CONNECT to a namespace with a slash at the end": ("40/other/,",),
    "CONNECT to a namespace of the prototype": ("40/__proto__,",),
    "CONNECT to a dynamic namespace": ("40/room-12,",),
    "CONNECT to a dynamic namespace that does not match": ("40/room-x,",),
    "CONNECT to a dynamic namespace with a prefix": ("40/x/room-12,",),
    "CONNECT to a dynamic namespace with a new line": ("40/room-12\n,",),
    "CONNECT refused": ("40/refused,",),
    "CONNECT refused with data": ("40/refused-with-data,",),
    "CONNECT refused and then elsewhere": ("40/refused,", "40"),
    "CONNECT refused twice": ("40/refused,", "40/refused,"),
    "CONNECT to two namespaces": ("40", "40/other,"),
    "EVENT before CONNECT": ('42["say",1]',),
    "EVENT with an id before CONNECT": ('421["echo"]',),
    "BINARY_EVENT before CONNECT": ('451-["say",{"_placeholder":true,"num":0}]', b"\x01"),
    "binary before CONNECT": (b"\x01",),
    "ACK before CONNECT": ("431[]",),
    "DISCONNECT before CONNECT": ("41",),
    "CONNECT_ERROR before CONNECT": ('44{"message":"x"}',),
    "EVENT after a refused CONNECT": ("40/refused,", '42/refused,["say",1]'),
    "packet type 9 before CONNECT": ("49",),
    "greeted": ('40{"mode":"greet"}',),
    "server leaves in the handler": ('40{"mode":"leave"}',),
    "server closes in the handler": ('40{"mode":"leave all"}',),
    "server greets and leaves in the handler": ('40{"mode":"greet and leave"}',),
}


def _name(prefix: str, label: str) -> str:
    return prefix + "_" + "".join(c if c.isalnum() else "_" for c in label)


def _packet(label: str, packets: tuple[str | bytes, ...]) -> None:
    def run(server: Side) -> Observed:
        tag = server.tag()
        with server.websocket() as socket:
            socket.open()
            socket.connect(f'40{{"tag":"{tag}"}}')
            for packet in packets:
                socket.send(packet)
                server.fence()
            answers = socket.answers()
            awaited = None if answers[-1] == "lives" else "disconnect"
            return {"frames": answers, "log": server.log(tag, awaited)}

    run.__name__ = _name("packet", label)
    scenario()(run)


def _first(label: str, packets: tuple[str | bytes, ...]) -> None:
    """As the first packets; ``/other`` is joined at the end to see whether the session lives."""

    def run(server: Side) -> Observed:
        with server.websocket() as socket:
            socket.open()
            for packet in packets:
                socket.send(packet)
                server.fence()
            shown = []
            socket.send("40/room-99,")
            while isinstance(frame := socket.receive(), str) and "/room-99," not in frame:
                shown.append(frame)
            shown.append(frame)
            return {
                "frames": [*shown, *(socket.answers("/room-99,") if isinstance(frame, str) else [])]
            }

    run.__name__ = _name("first_packet", label)
    scenario()(run)


for _label, _packets in PACKETS.items():
    _packet(_label, _packets)
for _label, _packets in FIRST.items():
    _first(_label, _packets)


@scenario()
def broken_packet_over_polling_with_a_poll_waiting(server: Side) -> Observed:
    tag = server.tag()
    session = server.polling()
    session.connect(f'40{{"tag":"{tag}"}}')
    poll = session.start_get()
    posted = session.post("42[]")
    return {
        "POST": posted,
        "poll": poll.show(),
        "log": server.log(tag, "disconnect"),
        "fate": session.fate(),
    }


@scenario()
def broken_packet_over_polling_with_no_poll(server: Side) -> Observed:
    tag = server.tag()
    session = server.polling()
    session.connect(f'40{{"tag":"{tag}"}}')
    posted = session.post("42[]")
    return {"POST": posted, "polls": session.rest(), "log": server.log(tag, "disconnect")}


@scenario()
def event_before_connect_over_polling(server: Side) -> Observed:
    session = server.polling()
    poll = session.start_get()
    return {"POST": session.post('42["say",1]'), "poll": poll.show(), "fate": session.fate()}


@scenario()
def event_before_connect_over_polling_with_no_poll(server: Side) -> Observed:
    session = server.polling()
    return {"POST": session.post('42["say",1]'), "polls": session.rest()}


@scenario()
def broken_packet_after_good_ones(server: Side) -> Observed:
    """What was answered before the violation still arrives."""
    session = server.polling()
    session.connect()
    posted = session.post('421["echo"]\x1e42["say",1]\x1e42[]')
    return {"POST": posted, "polls": session.rest()}


@scenario()
def one_bad_session_leaves_the_others(server: Side) -> Observed:
    with server.websocket() as good, server.websocket() as bad:
        for socket in (good, bad):
            socket.open()
            socket.connect()
        bad.send("42[]")
        return {"bad": bad.frames(), "good": good.answers()}


@scenario()
def namespaces_of_one_session(server: Side) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        first = socket.connect(f'40{{"tag":"{tag}"}}')
        other = server.tag()
        second = socket.connect(f'40/other,{{"tag":"{other}"}}')
        socket.send('42/other,5["echo","é"]', '42["say",1]', '42/other,["binary"]')
        frames = socket.frames(5)
        socket.send("41/other,")
        left = server.log(other, "disconnect")
        socket.send("42[]")
        closed = socket.frames()
    return {
        "first": first,
        "second": second,
        "frames": frames,
        "left": left,
        "closed": closed,
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def namespaces_are_all_left_when_the_session_goes(server: Side) -> Observed:
    packets = {packet: server.tag() for packet in ("40", "40/other,", "40/room-5,")}
    with server.websocket() as socket:
        socket.open()
        for packet, tag in packets.items():
            socket.connect(f'{packet}{{"tag":"{tag}"}}')
        socket.send('42/other,["leave all"]')
        frames = socket.frames()
    logs = {packet: server.log(tag, "disconnect") for packet, tag in packets.items()}
    return {"frames": frames, **logs}


@scenario()
def dynamic_namespace(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        joined = socket.connect("40/room-7,")
        socket.send('42/room-7,["say",1]')
        return {"joined": joined, "said": socket.receive(), "unknown": socket.connect("40/room-,")}


@scenario()
def event_while_connect_still_runs(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.send("40/slow,", '42/slow,["say",1]')
        return {"frames": socket.frames()}


@scenario()
def connect_again_while_connect_still_runs(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.send("40/slow,", "40/slow,")
        return {"frames": socket.frames(2)}


@scenario()
def disconnect_while_connect_still_runs(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.send("40/slow,", "41/slow,")
        return {"frames": socket.frames(timeout=0.5)}


@scenario()
def other_namespace_while_connect_still_runs(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.send("40/slow,", "40")
        return {"frames": socket.frames(2)}


@scenario()
def server_asks_and_the_client_answers(server: Side) -> Observed:
    shown: Observed = {}
    answers: dict[str, tuple[str | bytes, ...]] = {
        "nothing": ("43ID[]",),
        "values": ('43ID["a",null,{"b":1}]',),
        "binary": ('461-ID[{"_placeholder":true,"num":0}]', b"\x01\x02"),
        "twice": ('43ID["a"]', '43ID["b"]'),
        "unknown id first": ('431234567["b"]', '43ID["a"]'),
        "with an object": ('43ID{"a":1}',),
        "without data": ("43ID",),
    }
    for label, packets in answers.items():
        with server.websocket() as socket:
            socket.open()
            socket.connect()
            socket.send('42["ask"]')
            question = socket.receive()
            ident = question.removeprefix("42").removesuffix('["question"]')
            for packet in packets:
                socket.send(packet.replace("ID", ident) if isinstance(packet, str) else packet)
            shown[label] = [ident.isdigit(), socket.receive(), socket.answers()]
    return shown


@scenario()
def acknowledgement_ids_differ(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send('42["ask"]', '42["ask"]')
        first = socket.frames(2)
        socket.connect("40/other,")
        socket.send('42/other,["ask"]')
        return {"differ": first[0] != first[1], "other": re.sub(r"\d+\[", "ID[", socket.receive())}


@scenario()
def late_acknowledgement(server: Side) -> Observed:
    tag = server.tag()
    with server.websocket() as socket:
        socket.open()
        socket.connect(f'40{{"tag":"{tag}"}}')
        socket.send('421["late",50]')
        shown: Observed = {"late": socket.receive()}
        socket.send('422["late",1000]')
        server.fence()
        socket.send("41")
        shown["left meanwhile"] = socket.receive(1.5)
    return shown


@scenario()
def rooms(server: Side) -> Observed:
    with server.websocket() as one, server.websocket() as two:
        for socket in (one, two):
            socket.open()
            socket.connect()
        one.send('42["room"]')
        first = one.answers()
        two.send('42["room"]')
        return {"one alone": first, "two": two.answers(), "one": one.answers()}


@scenario()
def volatile_over_polling(server: Side) -> Observed:
    session = server.polling()
    session.connect()
    session.post('42["volatile"]')
    dropped = session.answers()
    poll = session.start_get()
    session.post('42["volatile"]')
    return {"no poll": dropped, "poll waiting": poll.show()}


@scenario()
def volatile_burst_over_polling(server: Side) -> Observed:
    """The first makes the poll return, and no other one waits yet."""
    session = server.polling()
    session.connect()
    poll = session.start_get()
    session.post('42["volatile burst",5]')
    return {"poll": poll.show(), "afterwards": session.answers()}


@scenario()
def volatile_burst_over_websocket(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send('42["volatile burst",5]')
        return {"frames": socket.answers()}


@scenario()
def encoding_of_what_is_sent(server: Side) -> Observed:
    values = '"é","€","😀","\\u2028","\\u0000","</script>","\\"\\\\/",1,-7,0.1,{},[],{"b":1,"a":2}'
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send(f'421["echo",{values}]')
        return {"answer": socket.receive()}


@scenario()
def encoding_of_odd_values(server: Side) -> Observed:
    shown: Observed = {}
    for value in ("1.0", "-0", "1e21", "1e-7", '"\\ud83d"', "12345678901234567890"):
        with server.websocket() as socket:
            socket.open()
            socket.connect()
            socket.send(f'421["echo",{value}]')
            shown[value] = socket.receive()
    return shown


@scenario()
def answered_early(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        socket.connect()
        socket.send('427["early"]', '42["early"]', '428["echo",1]')
        return {"frames": socket.frames(4)}


@scenario()
def asked_when_it_is_in(server: Side) -> Observed:
    with server.websocket() as socket:
        socket.open()
        shown: Observed = {"connect": socket.connect('40{"mode":"ask"}')}
        question = socket.receive()
        ident = question.removeprefix("42").removesuffix('["question"]')
        socket.send(f'43{ident}["yes",2]')
        return {**shown, "asked": ident.isdigit(), "answered": socket.frames(1)}
