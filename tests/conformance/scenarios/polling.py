"""Long-polling as HTTP sees it: overlapping, aborted and unfinished requests."""

from __future__ import annotations

from tests.conformance.client import Polling, Side
from tests.conformance.scenarios.registry import Observed, scenario


def _connected(server: Side) -> tuple[Polling, str]:
    tag = server.tag()
    session = server.polling()
    session.connect(f'40{{"tag":"{tag}"}}')
    return session, tag


@scenario()
def duplicate_get(server: Side) -> Observed:
    session, tag = _connected(server)
    first = session.start_get()
    return {
        "second": session.start_get().show(headers=True),
        "first": first.show(),
        "fate": session.fate(),
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def duplicate_post(server: Side) -> Observed:
    session, tag = _connected(server)
    first = session.start_post('42["say', declared_length=11)
    server.fence()
    second = session.post('42["say",2]')
    first.send('",1]')
    return {
        "second": second,
        "first": first.show(),
        "fate": session.fate(),
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def duplicate_post_while_a_poll_waits(server: Side) -> Observed:
    session, tag = _connected(server)
    poll = session.start_get()
    first = session.start_post('42["say', declared_length=11)
    server.fence()
    second = session.post('42["say",2]')
    return {
        "second": second,
        "first": first.show(0.5),
        "poll": poll.show(),
        "fate": session.fate(),
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def get_and_post_together(server: Side) -> Observed:
    session, _ = _connected(server)
    poll = session.start_get()
    return {
        "POST": session.start_post('42["say",1]').show(headers=True),
        "poll": poll.show(headers=True),
    }


@scenario()
def aborted_poll(server: Side) -> Observed:
    session, tag = _connected(server)
    session.start_get().abort()
    log = server.log(tag, "disconnect")
    return {"log": log, "fate": session.fate()}


@scenario()
def aborted_post(server: Side) -> Observed:
    session, tag = _connected(server)
    first = session.start_post('42["say', declared_length=11)
    server.fence()
    first.abort()
    log = server.log(tag, "disconnect")
    return {"log": log, "fate": session.fate()}


@scenario()
def aborted_post_while_a_poll_waits(server: Side) -> Observed:
    session, tag = _connected(server)
    poll = session.start_get()
    first = session.start_post('42["say', declared_length=11)
    server.fence()
    first.abort()
    return {"poll": poll.show(), "log": server.log(tag, "disconnect"), "fate": session.fate()}


@scenario()
def slow_post(server: Side) -> Observed:
    """A body in pieces, cut inside a character, is one body."""
    session, _ = _connected(server)
    body = '42["say","é"]'.encode()
    request = session.start_post(body[:11], declared_length=len(body))
    server.fence()
    request.send(body[11:])
    return {"POST": request.show(), "answer": session.poll(1)}


@scenario()
def packets_wait_for_the_poll(server: Side) -> Observed:
    session, _ = _connected(server)
    session.post('42["say",1]')
    session.post('42["say",2]')
    server.fence()
    return {"poll": session.get(), "next": session.post('42["say",3]'), "poll again": session.get()}


@scenario()
def client_closes_while_a_poll_waits(server: Side) -> Observed:
    session, tag = _connected(server)
    poll = session.start_get()
    posted = session.start_post("1").show(headers=True)
    return {
        "POST": posted,
        "poll": poll.show(),
        "log": server.log(tag, "disconnect"),
        "fate": session.fate(),
    }


@scenario()
def client_leaves_the_namespace_and_closes(server: Side) -> Observed:
    session, tag = _connected(server)
    poll = session.start_get()
    posted = session.post("41\x1e1")
    return {
        "POST": posted,
        "poll": poll.show(),
        "log": server.log(tag, "disconnect"),
        "fate": session.fate(),
    }


@scenario()
def first_poll_carries_only_the_handshake(server: Side) -> Observed:
    session = server.polling()
    return {"packets": len(session.opened.packets)}


@scenario()
def server_closes_with_a_poll_waiting(server: Side) -> Observed:
    session, tag = _connected(server)
    poll = session.start_get()
    posted = session.post('42["leave all"]')
    reply = poll.reply()
    first = reply.packets if reply else ["hung up"]
    return {
        "POST": posted,
        "polls": [*first, *session.rest()],
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def server_closes_with_no_poll_waiting(server: Side) -> Observed:
    session, tag = _connected(server)
    posted = session.post('42["leave all"]')
    log = server.log(tag, "disconnect")
    return {"POST": posted, "log": log, "POST again": session.post("3"), "polls": session.rest()}


@scenario()
def server_leaves_the_namespace(server: Side) -> Observed:
    session, tag = _connected(server)
    posted = session.post('42["leave"]')
    log = server.log(tag, "disconnect")
    session.post("40")
    return {"POST": posted, "log": log, "packets": session.answers()}


@scenario()
def broken_payload_with_no_poll_waiting(server: Side) -> Observed:
    session, tag = _connected(server)
    return {
        "POST": session.post("9"),
        "poll": session.get(),
        "log": server.log(tag, "disconnect"),
    }


@scenario()
def packets_before_the_client_closes(server: Side) -> Observed:
    """What waits for a client that says good-bye is not for anyone any more."""
    session, _ = _connected(server)
    session.post('42["say",1]')
    server.fence()
    return {"POST": session.post("1"), "poll": session.get()}


@scenario()
def described_disconnects(server: Side) -> Observed:
    """Whether a description comes with the reason."""
    shown: Observed = {}
    for label in ("dropped poll", "dropped POST", "second poll", "binary body", "ping", "leave"):
        session, tag = _connected(server)
        if label == "dropped poll":
            session.start_get().abort()
        elif label == "dropped POST":
            first = session.start_post('42["say', declared_length=11)
            server.fence()
            first.abort()
        elif label == "second poll":
            session.start_get()
            session.start_get().show()
        elif label == "binary body":
            session.post(b"x", {"Content-Type": "application/octet-stream"})
        else:
            session.post({"ping": "2", "leave": "41"}[label])
        shown[label] = server.log(f"{tag}-detail", "disconnect")
    return shown
