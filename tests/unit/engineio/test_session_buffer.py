"""The write buffer: order, sizes, its limit, writing past it, and the end of a session."""

from __future__ import annotations

import pytest

from django_socketio.engineio import Frame, Probe
from django_socketio.engineio.reasons import Reason

from .sessions import make_session, new_session, texts

CLOSE_TIMEOUT = 30


def test_frames_wait_until_the_transport_can_write() -> None:
    session = make_session("polling")
    assert not session.send(Frame("4a"))
    assert not session.send(Frame(b"bb"))
    assert session.buffered == 4
    assert session.take() == []
    assert session.buffered == 4
    session.set_writable(True)
    assert [frame.data for frame in session.take()] == ["4a", b"bb"]
    assert session.buffered == 0
    assert session.take() == []


def test_the_owner_is_told_to_flush_when_the_transport_can_write() -> None:
    session = make_session("polling")
    session.set_writable(True)
    assert session.send(Frame("4a"))
    assert [frame.data for frame in session.take()] == ["4a"]


def test_frames_may_be_taken_one_at_a_time() -> None:
    session = make_session()
    session.set_writable(False)
    session.send(Frame("4a"))
    session.send(Frame(b"bbb"))
    first, second = session.take_one(), session.take_one()
    assert first is not None
    assert second is not None
    assert (first.data, second.data) == ("4a", b"bbb")
    assert session.take_one() is None
    assert session.buffered == 0


def test_writing_past_the_buffer_needs_an_empty_one_and_a_websocket() -> None:
    session = make_session("websocket")
    assert session.direct
    session.set_writable(False)
    assert not session.direct
    session.send(Frame("4a"))
    session.set_writable(True)
    assert not session.direct
    session.take()
    session.set_writable(True)
    assert session.direct
    session.send(Frame("4a"))
    assert not session.direct


def test_polling_never_writes_past_the_buffer() -> None:
    session = make_session("polling")
    session.set_writable(True)
    assert not session.direct


def test_the_handshake_goes_first() -> None:
    session = new_session("websocket")
    session.set_writable(True)
    assert not session.direct
    session.send(Frame("4a"))
    frames = session.take()
    assert [frame.text[0] for frame in frames] == ["0", "4"]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_past_its_limit_the_session_is_closed_and_its_buffer_freed(transport: str) -> None:
    session = make_session(transport, max_write_buffer=1000)
    session.set_writable(False)
    frame = Frame(b"x" * 100)
    for _ in range(10):
        assert not session.send(frame)
    assert (session.state, session.buffered) == ("open", 1000)
    assert not session.send(Frame("4"))
    assert (session.state, session.close_reason) == ("closed", "transport error")
    assert session.detail == "slow client"
    assert session.buffered == 0
    assert not session.buffer
    assert not session.send(frame)
    assert not session.buffer


def test_what_was_taken_counts_until_the_client_is_heard() -> None:
    session = make_session("polling", max_write_buffer=1000)
    session.send(Frame(b"x" * 600))
    texts(session)
    session.set_writable(False)
    assert session.unheard == 600
    session.send(Frame(b"x" * 400))
    assert session.state == "open"
    session.heard()
    assert session.unheard == 0
    session.send(Frame(b"x" * 600))
    assert session.state == "open"
    session.send(Frame("4"))
    assert session.detail == "slow client"


def test_a_closed_session_takes_and_gives_nothing() -> None:
    session = make_session("websocket")
    session.set_writable(False)
    session.send(Frame("4a"))
    session.abort(Reason.FORCED_CLOSE, "on purpose")
    assert (session.state, session.close_reason) == ("closed", "forced close")
    assert session.detail == "on purpose"
    session.set_writable(True)
    assert not session.direct
    assert not session.send(Frame("4b"))
    assert session.take() == []
    assert session.take_one() is None
    assert session.buffered == 0
    session.abort(Reason.TRANSPORT_CLOSE)
    assert session.close_reason == "forced close"


# An orderly end


def test_finish_lets_what_waits_go_out_first() -> None:
    session = make_session("polling")
    session.send(Frame("4a"))
    session.close(Reason.SERVER_CLOSE, 100)
    assert (session.state, session.close_reason) == ("closing", "forced server close")
    assert not session.drained
    assert not session.send(Frame("4b"))
    # By itself, for clients act on it before they do on the packets ahead of it.
    assert texts(session) == ["4a"]
    assert not session.drained
    assert texts(session) == ["1"]
    assert session.drained
    session.abort(Reason.FORCED_CLOSE)
    assert (session.state, session.close_reason) == ("closed", "forced server close")


def test_a_websocket_gets_no_close_packet() -> None:
    session = make_session("websocket")
    session.close(Reason.SERVER_CLOSE, 100)
    assert session.state == "closing"
    assert not session.direct
    assert session.drained
    assert texts(session) == []


def test_a_closing_session_waits_for_its_last_poll_for_thirty_seconds() -> None:
    session = make_session("polling")
    session.close(Reason.SERVER_CLOSE, 100)
    assert session.tick(100) == 100 + CLOSE_TIMEOUT
    assert session.tick(100 + CLOSE_TIMEOUT - 1) == 100 + CLOSE_TIMEOUT
    assert session.state == "closing"
    assert session.tick(100 + CLOSE_TIMEOUT) is None
    assert session.state == "closed"
    assert session.close_reason == "forced server close"


def test_a_closing_session_sends_no_pings_and_has_no_ping_timeout() -> None:
    session = make_session("polling", ping_interval=1, ping_timeout=1)
    session.tick(1)
    session.close(Reason.SERVER_CLOSE, 1)
    assert session.tick(20) == 1 + CLOSE_TIMEOUT
    assert texts(session) == ["2"]
    assert texts(session) == ["1"]


def test_an_upgrade_under_way_takes_the_last_packets() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    session.receive_probe("2probe")
    session.send(Frame("41"))
    session.close(Reason.SHUTTING_DOWN, 2)
    assert session.receive_probe("5") is Probe.UPGRADED
    # A WebSocket ends by itself: no CLOSE packet on it.
    session.set_writable(True)
    assert session.buffered == 2
    assert [frame.data for frame in session.take()] == ["41"]
    assert session.drained


def test_finish_of_a_session_that_has_ended_changes_nothing() -> None:
    session = make_session("polling")
    session.close(Reason.SERVER_CLOSE, 100)
    session.close(Reason.SHUTTING_DOWN, 200)
    assert session.tick(150) is None
    assert session.close_reason == "forced server close"
    session = make_session("polling")
    session.abort(Reason.SERVER_CLOSE)
    session.close(Reason.SHUTTING_DOWN, 200)
    assert (session.state, session.close_reason) == ("closed", "forced server close")
    assert not session.buffer


def test_a_closed_session_frees_what_the_closing_one_kept() -> None:
    session = make_session("polling")
    session.send(Frame(b"x" * 1000))
    session.close(Reason.SERVER_CLOSE, 100)
    assert session.tick(100 + CLOSE_TIMEOUT) is None
    assert session.buffered == 0
    assert not session.buffer
