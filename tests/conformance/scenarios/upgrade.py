"""From long-polling to WebSocket."""

from __future__ import annotations

from tests.conformance.client import Polling, Side, WebSocket
from tests.conformance.scenarios.registry import Observed, scenario
from tests.harness.protocol import WEBSOCKET


def _probing(server: Side) -> tuple[Polling, WebSocket, str]:
    """A connected polling session and a WebSocket beside it that has not said a thing."""
    tag = server.tag()
    session = server.polling()
    session.connect(f'40{{"tag":"{tag}"}}')
    return session, server.websocket(f"{WEBSOCKET}&sid={session.sid}"), tag


def _upgraded(server: Side) -> tuple[Polling, WebSocket, str]:
    session, socket, tag = _probing(server)
    socket.send("2probe")
    assert socket.receive() == "3probe"
    socket.send("5")
    assert socket.answers() == ["lives"]
    return session, socket, tag


@scenario()
def upgrade_with_a_poll_waiting(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    poll = session.start_get()
    socket.send("2probe")
    pong = socket.receive()
    released = poll.show()
    socket.send("5")
    return {"pong": pong, "poll": released, "then": socket.answers()}


@scenario()
def upgrade_with_a_poll_that_comes_during_the_probe(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    poll = session.get()
    again = session.get()
    socket.send("5")
    return {"pong": pong, "poll": poll, "and again": again, "then": socket.answers()}


@scenario()
def upgrade_with_no_poll(server: Side) -> Observed:
    _, socket, _ = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    socket.send("5")
    return {"pong": pong, "then": socket.answers()}


@scenario()
def upgrade_packet_while_a_poll_waits(server: Side) -> Observed:
    """The client should have waited for its poll: what becomes of the poll?"""
    session, socket, _ = _probing(server)
    poll = session.start_get()
    socket.send("2probe", "5")
    return {"pong": socket.receive(), "then": socket.answers(), "poll": poll.show()}


@scenario()
def upgrade_before_connect(server: Side) -> Observed:
    session = server.polling()
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as socket:
        socket.send("2probe", "5", "40")
        return {"frames": socket.frames(2)}


@scenario()
def upgrade_without_a_probe(server: Side) -> Observed:
    _, socket, _ = _probing(server)
    socket.send("5")
    return {"then": socket.answers()}


@scenario()
def upgrade_probe_twice(server: Side) -> Observed:
    _, socket, _ = _probing(server)
    socket.send("2probe", "2probe", "5")
    return {"frames": socket.answers()}


@scenario()
def upgrade_packet_twice(server: Side) -> Observed:
    _, socket, _ = _probing(server)
    socket.send("2probe", "5", "5")
    return {"frames": socket.answers()}


def _wrong(label: str, *frames: str | bytes) -> None:
    def run(server: Side) -> Observed:
        session, socket, tag = _probing(server)
        for frame in frames:
            socket.send(frame)
            server.fence()
        shown: Observed = {"frames": socket.frames(2, 0.5)}
        shown["polling goes on"] = session.answers()
        with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as second:
            second.send("2probe")
            shown["a second attempt"] = second.receive()
            second.send("5")
            shown["then"] = second.answers()
        shown["log"] = server.log(tag)
        return shown

    run.__name__ = f"upgrade_wrong_{label}"
    scenario()(run)


_wrong("probe", "2prob")
_wrong("ping_without_probe", "2")
_wrong("message_first", '42["say",1]')
_wrong("message_after_the_probe", "2probe", '42["say",1]')
_wrong("type", "9")
_wrong("empty_frame", "")
_wrong("pong", "3probe")
_wrong("binary", b"2probe")
_wrong("close_packet", "1")
_wrong("noop", "6")


@scenario()
def upgrade_dropped(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    socket.drop()
    shown: Observed = {"pong": pong, "polling goes on": session.answers()}
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as second:
        second.send("2probe")
        shown["a second attempt"] = second.receive()
    return shown


@scenario()
def upgrade_dropped_while_a_poll_waits(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    poll = session.start_get()
    socket.drop()
    server.fence()
    session.post('42["say",1]')
    reply = poll.reply()
    first = reply.packets if reply else ["hung up"]
    # The noop that would have released the poll may or may not have come before.
    packets = [packet for packet in [*first, *session.answers()] if packet != "6"]
    return {"pong": pong, "packets": packets}


@scenario()
def upgrade_second_websocket_during_the_probe(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as second:
        second.send("2probe")
        other = second.receive()
    socket.send("5")
    return {"pong": pong, "second": other, "then": socket.answers()}


@scenario()
def upgrade_second_websocket_afterwards(server: Side) -> Observed:
    session, socket, _ = _upgraded(server)
    with server.websocket(f"{WEBSOCKET}&sid={session.sid}") as second:
        second.send("2probe")
        other = second.receive()
    return {"second": other, "then": socket.answers()}


@scenario()
def upgrade_then_http(server: Side) -> Observed:
    session, socket, _ = _upgraded(server)
    return {
        "GET": session.get(),
        "POST": session.post('42["say",1]'),
        "PUT": server.request("PUT", session.query),
        "as websocket": server.start("GET", f"{WEBSOCKET}&sid={session.sid}").show(0.5),
        "then": socket.answers(),
    }


@scenario()
def upgrade_then_packets_for_the_probe(server: Side) -> Observed:
    shown: Observed = {}
    for label, frame in (("noop", "6"), ("upgrade", "5"), ("open", "0"), ("pong probe", "3probe")):
        _, socket, _ = _upgraded(server)
        socket.send(frame)
        shown[label] = socket.answers()
    _, socket, tag = _upgraded(server)
    socket.send("2probe")
    shown["probe"] = socket.answers()
    shown["log"] = server.log(tag, "disconnect")
    return shown


@scenario()
def upgrade_flushes_what_waited(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    session.post('42["say",1]')
    socket.send("2probe")
    pong = socket.receive()
    session.post('42["say",2]\x1e42["binary"]')
    server.fence()
    socket.send("5")
    return {"pong": pong, "then": socket.answers()}


@scenario()
def upgrade_polls_deliver_until_the_last(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    session.post('42["say",1]')
    socket.send("2probe")
    pong = socket.receive()
    server.fence()
    poll = session.get()
    socket.send("5")
    return {"pong": pong, "poll": poll, "then": socket.answers()}


@scenario()
def upgrade_post_under_way(server: Side) -> Observed:
    session, socket, tag = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    post = session.start_post('42["say', declared_length=11)
    server.fence()
    socket.send("5")
    then = socket.answers()
    post.send('",1]')
    return {
        "pong": pong,
        "then": then,
        "POST": post.show(),
        "afterwards": socket.answers(),
        "log": server.log(tag),
    }


@scenario()
def upgrade_and_the_session_closes_meanwhile(server: Side) -> Observed:
    session, socket, tag = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    posted = session.post("1")
    return {
        "pong": pong,
        "POST": posted,
        "websocket": socket.frames(2),
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def upgrade_and_the_server_closes_meanwhile(server: Side) -> Observed:
    session, socket, tag = _probing(server)
    socket.send("2probe")
    pong = socket.receive()
    posted = session.post('42["leave all"]')
    log = server.log(tag, "disconnect")
    socket.send("5")
    return {"pong": pong, "POST": posted, "log": log, "websocket": socket.frames(4)}


@scenario()
def upgrade_then_the_websocket_goes(server: Side) -> Observed:
    session, socket, tag = _upgraded(server)
    socket.close()
    return {"log": server.log(tag, "disconnect"), "fate": session.fate()}


@scenario()
def upgrade_and_the_application_sees_the_transport(server: Side) -> Observed:
    session, socket, _ = _probing(server)
    session.post('421["handshake"]')
    before = session.poll(1)
    socket.send("2probe")
    socket.receive()
    socket.send("5", '422["handshake"]')
    return {"before": before, "after": socket.receive()}
